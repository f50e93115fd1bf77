"""The drugs that the program knows."""

from __future__ import annotations

from types import MappingProxyType

from mpn_abm.mechanisms.drugs.kinds import (
    Antibody,
    AnyDrug,
    CarTProduct,
    CheckpointBlockade,
    Eltrombopag,
    Hsp90Inhibitor,
    Interferon,
    JakInhibitor,
    Transplant,
)

_JAK1_OVER_JAK2 = "occupancies of JAK2 and JAK1 at that dose assumed"

DRUGS: MappingProxyType[str, AnyDrug] = MappingProxyType(
    {
        "ruxolitinib": JakInhibitor(
            source="US label, section 12.3: 205 nM after 5 mg; IC50 in whole blood 281 nM with thrombopoietin, "
            "282 +/- 54 with IL-6 (Quintas-Cardama 2010 Blood)",
            first_dose_peak=41.0,
            ic50=281.0,
        ),
        "fedratinib": JakInhibitor(
            source=f"US label: 400 mg once a day, effective half-life 41 h, steady peak 1804 ng/mL; {_JAK1_OVER_JAK2}",
            usual_dose=400.0,
            usual_times_per_day=1,
            half_life=41.0,
            first_dose_peak=2.9,
            usual_occupancy=0.5,
            jak1_odds_ratio=0.25,
        ),
        "momelotinib": JakInhibitor(
            source=f"US label: 200 mg once a day, half-life 4 to 8 h, steady peak of 479 ng/mL; {_JAK1_OVER_JAK2}",
            usual_dose=200.0,
            usual_times_per_day=1,
            half_life=6.0,
            first_dose_peak=5.4,
            usual_occupancy=0.4,
            jak1_odds_ratio=1.0,
        ),
        "pacritinib": JakInhibitor(
            source=f"US label: 200 mg twice a day, half-life 27.7 h, steady peak of 8.4 mg/L; {_JAK1_OVER_JAK2}",
            usual_dose=200.0,
            usual_times_per_day=2,
            half_life=27.7,
            first_dose_peak=23.0,
            usual_occupancy=0.4,
            jak1_odds_ratio=0.05 / 0.95 / (0.4 / 0.6),
        ),
        "itacitinib": JakInhibitor(
            source="200 mg once a day (Schroeder 2020 Blood Adv 4:1656); all else assumed",
            usual_dose=200.0,
            usual_times_per_day=1,
            half_life=3.0,
            first_dose_peak=5.0,
            usual_occupancy=0.05,
            jak1_odds_ratio=0.5 / 0.5 / (0.05 / 0.95),
            jak1_selective=True,
        ),
        "chz868": JakInhibitor(
            source="assumed: known from mice only",
            type=2,
            usual_dose=30.0,
            usual_times_per_day=1,
            half_life=6.0,
            first_dose_peak=10.0,
            usual_occupancy=0.5,
            jak1_odds_ratio=0.1,
        ),
        "pu_h71": Hsp90Inhibitor(source="assumed: full effect at the full dose"),
        "interferon": Interferon(source="Kiladjian 2008 Blood 112:3065"),
        "eltrombopag": Eltrombopag(source="US label: 50 mg once a day"),
        "pembrolizumab": CheckpointBlockade(
            source="US label: 200 mg every 3 weeks, half-life 22 days; half-maximal exposure assumed"
        ),
        "nivolumab": CheckpointBlockade(
            source="US label: 240 mg every 2 weeks, half-life 25 days; half-maximal exposure assumed",
            usual_dose=240.0,
            half_life=25.0 * 24.0,
        ),
        "anti_calr": Antibody(source="assumed"),
        "car_t": CarTProduct(source="assumed"),
        "transplant": Transplant(source="the parameters of the mechanism"),
    }
)
