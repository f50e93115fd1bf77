"""Published figures behind the parameters, entered once more from the papers and not copied from the code.

A figure that was `read` was seen in a text of the paper or label itself, mostly its abstract, or in a trace of its
table; one that is `quoted` in a list of figures or in the words of others. One that is `remembered` was seen in
neither: it checks the conversion, and still waits for someone with the paper.
"""

from dataclasses import dataclass
from math import log, sqrt
from typing import Literal

WEEKS_PER_YEAR = 365.25 / 7
HOURS_PER_DAY = 24
STEM_CELLS = 100_000
ANTIGEN_OF_A_STEM_CELL = 500


@dataclass(frozen=True)
class Paper:
    """Who, when and where; a label or a classification has no year."""

    author: str
    year: int | None
    journal: str
    doi: str = ""


@dataclass(frozen=True)
class Figure:
    """What a paper prints, and what that is in the unit of the parameter.

    `said` is in the words and the unit of the paper. `value` has so many significant `digits`; it is a pair where the
    paper gives bounds only. `taken` is what the program takes, within such bounds or, as `differs` says, otherwise.
    """

    said: str
    value: float | tuple[float, float]
    digits: int
    paper: Paper
    place: str
    text: Literal["read", "quoted", "remembered"] = "read"
    taken: float | None = None
    differs: str = ""


CATLIN = Paper("Catlin", 2011, "Blood 117:4460", "10.1182/blood-2010-08-303537")
CAZAUX = Paper("Cazaux", 2019, "J Exp Med 216:1038", "10.1084/jem.20182375")
FABRE = Paper("Fabre", 2022, "Nature 606:335", "10.1038/s41586-022-04785-z")
HARRISON = Paper("Harrison", 1962, "J Clin Pathol 15:254", "10.1136/jcp.15.3.254")
KAECH = Paper("Kaech", 2001, "Nat Immunol 2:415", "10.1038/87720")
KILADJIAN = Paper("Kiladjian", 2008, "Blood 112:3065", "10.1182/blood-2008-03-143537")
KUWAKI = Paper("Kuwaki", 1998, "FEBS Lett 427:46")
LABEL = Paper("US label", None, "prescribing information")
LEE_SIX = Paper("Lee-Six", 2018, "Nature 561:473", "10.1038/s41586-018-0497-0")
MON_PERE = Paper("Mon Pere", 2024, "bioRxiv", "10.1101/2024.04.16.589764")
QUINTAS_CARDAMA = Paper("Quintas-Cardama", 2010, "Blood 115:3109", "10.1182/blood-2009-04-214957")
SCHROEDER = Paper("Schroeder", 2020, "Blood Adv 4:1656")
STEIN = Paper("Stein", 2019, "CPT Pharmacometrics Syst Pharmacol 8:285", "10.1002/psp4.12388")
WHO = Paper("WHO", None, "classification of haematolymphoid tumours")
WILLIAMS = Paper("Williams", 2022, "Nature 602:162", "10.1038/s41586-021-04312-6")


def first_dose_peak(ng_per_ml: float, grams_per_mol: float, mg: float, every_hours: float, half_life: float) -> float:
    """From the peak at steady state, in nM per mg: what earlier doses have left there is taken off."""
    left = 2 ** (-every_hours / half_life)
    return ng_per_ml / grams_per_mol * 1000 * (1 - left) / mg


FIGURES = {
    "marrow.hsc_pool": Figure(
        "in the range of 50,000-200,000", sqrt(50_000 * 200_000), 1, LEE_SIX, "abstract"
    ),
    "hematopoiesis.division_rate": Figure(
        "on average once every 40 weeks (range, 25-50 weeks)", WEEKS_PER_YEAR / 40, 2, CATLIN, "abstract"
    ),
    "mutation.driver_rate": Figure(
        "2 to 20 advantageous clones per year", sqrt(2 * 20) / STEM_CELLS, 1, MON_PERE, "abstract"
    ),
    "genotypes.JAK2_V617F.fitness": Figure(
        "3% to 190% per year", (log(1 + 0.03), log(1 + 1.90)), 2, WILLIAMS, "abstract", taken=0.35
    ),
    "flags.TET2.fitness": Figure("mean 0.07 to 0.09 per year", (0.07 + 0.09) / 2, 1, MON_PERE, "abstract"),
    "flags.DNMT3A.fitness": Figure(
        "5% (DNMT3A and TP53)", log(1 + 0.05), 1, FABRE, "abstract",
        taken=0.08, differs="the mean of all drivers of Mon Pere 2024, and within the +/-5% of Fabre 2022",
    ),
    "flags.ASXL1.fitness": Figure(
        "from 5% (DNMT3A and TP53) to more than 50% per year (SRSF2 P95H)",
        (log(1 + 0.05), log(1 + 0.50)), 1, FABRE, "abstract", taken=0.15,
    ),
    "flags.TP53.fitness": Figure("5% (DNMT3A and TP53)", log(1 + 0.05), 1, FABRE, "abstract"),
    "antigen.progenitor_factor": Figure(
        "1933 +/- 772 (n = 3) sites per cell, of peripheral blood", 1933 / ANTIGEN_OF_A_STEM_CELL, 1, KUWAKI, "abstract"
    ),
    "car_t.engagement_time": Figure(
        "engaged, killed, and detached from their targets within 25 min", 25, 2, CAZAUX, "abstract"
    ),
    "car_t.programme_divisions": Figure("committed to dividing at least seven times", 7, 1, KAECH, "abstract"),
    "car_t.death_rate": Figure("alpha 0.16 1/day", 0.16, 2, STEIN, "table 1, as traced in nlmixr2lib"),
    "car_t.memory_share": Figure("FB 0.0079", 0.0079, 2, STEIN, "table 1, as traced in nlmixr2lib"),
    "car_t.memory_death_rate": Figure("beta 0.0032 1/day", 0.0032, 2, STEIN, "table 1, as traced in nlmixr2lib"),
    "car_t.marrow_cells_per_kg": Figure("10.4 x 10^9 nucleated cells/kg", 10.4e9, 2, HARRISON, "abstract"),
    "progression.accelerated_blasts": Figure(
        "10-19% blasts", 0.10, 2, WHO, "abstract of Acta Haematol 2021 144:484"
    ),
    "progression.blast_blasts": Figure(">=20% blasts", 0.20, 2, WHO, "abstract of Acta Haematol 2021 144:484"),
    "drugs.ruxolitinib.usual_dose": Figure("20 mg, platelets above 200 x 10^9/L", 20, 2, LABEL, "section 2.1"),
    "drugs.ruxolitinib.usual_times_per_day": Figure("twice daily", 2, 1, LABEL, "section 2.1"),
    "drugs.ruxolitinib.half_life": Figure(
        "approximately 3 hours", 3, 1, LABEL, "section 12.3, in a drug guide", text="quoted"
    ),
    "drugs.ruxolitinib.first_dose_peak": Figure(
        "205 nM to 7100 nM after 5 mg to 200 mg", 205 / 5, 3, LABEL, "section 12.3, in a drug guide", text="quoted"
    ),
    "drugs.ruxolitinib.ic50": Figure(
        "281 nM, thrombopoietin, whole blood", 281, 3, QUINTAS_CARDAMA, "in a review", text="quoted"
    ),
    "drugs.ruxolitinib.jak1_odds_ratio": Figure(
        "281 nM with thrombopoietin, 282 +/- 54 nM with IL-6", 281 / 282, 1, QUINTAS_CARDAMA, "in a review",
        text="quoted",
    ),
    "drugs.fedratinib.usual_dose": Figure("400 mg", 400, 3, LABEL, "section 2"),
    "drugs.fedratinib.usual_times_per_day": Figure("once daily", 1, 1, LABEL, "section 2"),
    "drugs.fedratinib.half_life": Figure(
        "effective half-life of 41 hours", 41, 2, LABEL, "section 12.3", text="remembered"
    ),
    "drugs.fedratinib.first_dose_peak": Figure(
        "1804 ng/mL at steady state, 400 mg once daily", first_dose_peak(1804, 524.68, 400, 24, 41), 2, LABEL,
        "section 12.3", text="remembered",
    ),
    "drugs.momelotinib.usual_dose": Figure("200 mg", 200, 3, LABEL, "section 2.1"),
    "drugs.momelotinib.usual_times_per_day": Figure("once daily", 1, 1, LABEL, "section 2.1"),
    "drugs.momelotinib.half_life": Figure(
        "4 to 8 hours", (4 + 8) / 2, 1, LABEL, "section 12.3", text="remembered"
    ),
    "drugs.momelotinib.first_dose_peak": Figure(
        "479 ng/mL at steady state, 200 mg once daily", first_dose_peak(479, 414.47, 200, 24, (4 + 8) / 2), 2, LABEL,
        "section 12.3", text="remembered",
    ),
    "drugs.pacritinib.usual_dose": Figure("200 mg", 200, 3, LABEL, "section 2.1"),
    "drugs.pacritinib.usual_times_per_day": Figure("twice daily", 2, 1, LABEL, "section 2.1"),
    "drugs.pacritinib.half_life": Figure("27.7 hours", 27.7, 3, LABEL, "section 12.3", text="remembered"),
    "drugs.pacritinib.first_dose_peak": Figure(
        "8.4 mg/L at steady state, 200 mg twice daily", first_dose_peak(8400, 472.59, 200, 12, 27.7), 2, LABEL,
        "section 12.3", text="remembered",
    ),
    "drugs.itacitinib.usual_dose": Figure("200 mg or 300 mg", 200, 3, SCHROEDER, "abstract"),
    "drugs.itacitinib.usual_times_per_day": Figure("once daily", 1, 1, SCHROEDER, "abstract"),
    "drugs.interferon.usual_dose": Figure(
        "90 ug weekly, at the start", 90 / 1000, 2, KILADJIAN, "methods", text="remembered"
    ),
    "drugs.eltrombopag.usual_dose": Figure("initially 50 mg", 50, 2, LABEL, "section 2.1"),
    "drugs.eltrombopag.usual_times_per_day": Figure("once daily", 1, 1, LABEL, "section 2.1"),
    "drugs.pembrolizumab.usual_dose": Figure("200 mg every 3 weeks", 200, 3, LABEL, "section 2"),
    "drugs.pembrolizumab.half_life": Figure("22 days", 22 * HOURS_PER_DAY, 2, LABEL, "section 12.3"),
    "drugs.nivolumab.usual_dose": Figure("240 mg every 2 weeks", 240, 3, LABEL, "section 2"),
    "drugs.nivolumab.half_life": Figure(
        "25 days", 25 * HOURS_PER_DAY, 2, LABEL, "section 12.3, in Oncologist 2021 26:797", text="quoted"
    ),
}  # fmt: skip

_TEXTBOOK = "of a healthy adult, from textbooks: no paper is named"
_REFERENCE = "what the others are measured against"
_IN_PART = "this part is assumed, as the source says"

LEFT_OUT = {
    "blood.normal_platelets": _TEXTBOOK,
    "blood.normal_hematocrit": _TEXTBOOK,
    "blood.normal_white_cells": _TEXTBOOK,
    "blood.hemoglobin_per_hematocrit": _TEXTBOOK,
    "spleen.normal_volume": _TEXTBOOK,
    "genotypes.wild_type.fitness": _REFERENCE,
    "genotypes.donor.fitness": _REFERENCE,
    "genotypes.JAK2_V617F_HOM.fitness": _IN_PART,
    "genotypes.CALR_TYPE1.fitness": _IN_PART,
    "genotypes.CALR_TYPE2.fitness": _IN_PART,
    "flags.transformed.fitness": "its growth is progression.transformed_fitness",
    "drugs.fedratinib.jak1_odds_ratio": _IN_PART,
    "drugs.momelotinib.jak1_odds_ratio": _IN_PART,
    "drugs.pacritinib.jak1_odds_ratio": _IN_PART,
    "drugs.itacitinib.half_life": _IN_PART,
    "drugs.itacitinib.first_dose_peak": _IN_PART,
    "drugs.itacitinib.jak1_odds_ratio": _IN_PART,
}
"""Parameters with a published source that cannot be entered again, and why."""
