"""Words for columns and genotypes, and units as they stand on an axis."""

from __future__ import annotations

from dataclasses import dataclass

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

GENOTYPES = {
    "wild_type": "wild type",
    "donor": "donor",
    "JAK2_V617F": "JAK2 V617F",
    "JAK2_V617F_HOM": "JAK2 V617F homozygous",
    "CALR_TYPE1": "CALR type 1",
    "CALR_TYPE2": "CALR type 2",
}
COLUMNS = {
    "vaf_jak2": "JAK2",
    "vaf_calr": "CALR",
    "vaf_driver": "VAF of the driver",
    "fibrosis_mean": "scar, mean ECM",
    "mf_grade": "MF grade",
    "car_t_total": "CAR T cells",
    "car_t_searching": "searching",
    "car_t_engaged": "engaged",
    "car_t_exhausted": "exhausted",
    "car_t_memory": "memory",
    "platelets_per_nl": "platelets",
    "hematocrit": "haematocrit",
    "hemoglobin_g_per_l": "haemoglobin",
    "wbc_per_nl": "white cells",
    "spleen_ml": "spleen",
    "symptom_score": "symptoms",
    "blast_percent": "blasts",
    "antigen_mean_molecules": "antigen, mean of carriers",
    "crs_index": "CRS index",
    "suppression_mean": "suppression, mean",
    "t_cell_quality": "quality of T cells",
    "granulocyte_pd_l1": "PD-L1, granulocytes",
    "megakaryocyte_pd_l1": "PD-L1, megakaryocytes",
    "cells_total": "stem cells",
    "divisions_per_site": "divisions per site",
    "new_clones": "new clones",
    "healthy_cells": "healthy cells",
    "overall_survival": "alive",
    "progression_free_survival": "alive without progression",
    "vaf_driver_end": "VAF of the driver at the end",
    "vaf_driver_min": "lowest VAF of the driver",
    "vaf_relative_change": "relative change of the VAF",
    "healthy_min_fraction": "lowest share of healthy cells",
    "svr35": "spleen response, SVR35",
    "tss50": "symptom response, TSS50",
    "molecular_response": "molecular response",
    "progression": "progression",
    "response_loss": "loss of spleen response",
    "cleared": "clone cleared",
}
PREFIXES = {
    "fraction_": "{}",
    "cells_": "{}",
    "genotype_cells_": "{}",
    "concentration_": "{}",
    "activity_": "JAK/STAT activity, {}",
    "persistence_": "persistence, {}",
    "pd_l1_": "PD-L1, {}",
}


def genotype_words(genotype: str) -> str:
    """A genotype with its background drivers in words."""
    base, *flags = genotype.split("+")
    return " + ".join([GENOTYPES.get(base, base.replace("_", " ")), *flags])


def title_words(column: str) -> str:
    """A column in words that stand alone."""
    if column in ("vaf_jak2", "vaf_calr"):
        return f"{COLUMNS[column]} VAF"
    if column.startswith("car_t_") and column != "car_t_total":
        return f"{words(column)} CAR T cells"
    if column.startswith("concentration_"):
        return f"{treatment_words(column.removeprefix('concentration_'))} in plasma"
    if column.startswith("genotype_cells_"):
        return f"{words(column)} cells"
    if column.startswith(("fraction_", "cells_")) and column not in COLUMNS:
        return f"clone {words(column)}"
    return words(column)


def words(column: str) -> str:
    """A column in words."""
    if column in COLUMNS:
        return COLUMNS[column]
    for prefix in sorted(PREFIXES, key=len, reverse=True):
        if column.startswith(prefix):
            name = column.removeprefix(prefix)
            return PREFIXES[prefix].format(genotype_words(name) if name in GENOTYPES else name.replace("_", " "))
    return column.replace("_", " ")


def treatment_words(name: str) -> str:
    """The name of a treatment in words."""
    return {"car_t": "CAR T", "pu_h71": "PU-H71", "chz868": "CHZ868"}.get(name, name.replace("_", " "))


def unit_words(unit: str) -> str:
    """A unit of the tables as it stands on an axis; a bare number is a fraction."""
    return {"-": "fraction", "": "fraction", "1/nl": "per nl", "MF grade": "0 to 3"}.get(unit, unit)


def axis_label(text: str, unit: str) -> str:
    """What stands beside an axis: words, and the unit in brackets; the unit alone where the title has the words."""
    if not text:
        return unit_words(unit)
    return text if text.startswith("share") and unit == "-" else f"{text} ({unit_words(unit)})"


@dataclass(frozen=True)
class TimeUnit:
    """The unit of a time axis."""

    name: str
    days: float
    steps: tuple[float, ...]

    def step(self, span_days: float, most: int = 8) -> float:
        """The distance of ticks, so that there are no more than so many."""
        span = span_days / self.days
        return next((step for step in self.steps if span / step <= most), self.steps[-1] * 2)

    @property
    def label(self) -> str:
        """What stands below the axis."""
        return f"time ({self.name})"


HOURS = TimeUnit("hours", 1 / 24, (1, 2, 3, 4, 6, 12, 24))
DAYS = TimeUnit("days", 1.0, (1, 2, 5, 7, 14, 28))
WEEKS = TimeUnit("weeks", 7.0, (1, 2, 4, 8, 12, 24, 48))
YEARS = TimeUnit("years", 365.25, (0.5, 1, 2, 5, 10, 20, 50))


def time_unit(span_days: float) -> TimeUnit:
    """The unit in which a span reads best."""
    if span_days <= 3.5:
        return HOURS
    if span_days <= 70:
        return DAYS
    return WEEKS if span_days <= 3 * 365.25 else YEARS


def moment(day: float, unit: TimeUnit | None = None) -> str:
    """A day in words."""
    if unit is HOURS or (unit is None and day != round(day)):
        return f"hour {24 * day:.3g}"
    years = day / 365.25
    return f"year {years:.0f}" if unit is YEARS and day > 365 and abs(years - round(years)) < 0.01 else f"day {day:g}"


def quantity(value: float) -> str:
    """A number for readers: three digits, thousands apart."""
    if value != value:
        return "not known"
    if abs(value) < 1e-12:
        return "0"
    if abs(value) >= 1e6 or abs(value) < 1e-3:
        mantissa, _, exponent = f"{value:.1e}".partition("e")
        return f"{mantissa.removesuffix('.0')} \u00d7 10{str(int(exponent)).translate(_RAISED)}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
