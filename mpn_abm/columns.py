"""The columns of every table of a run: names, types, units and meanings, declared once.

The Parquet schemas, `list columns` and the reference page are made from here. The compiled census writes a row of
floats; ``Places`` tells it where each group of columns of the trajectory starts, -1 for a group that a scenario does
not have.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

PHASES = ("chronic", "accelerated", "blast")


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    kind: str  # float64, float32, int64, int32, bool, string, or category: a string that is stored once
    unit: str
    meaning: str
    group: str = ""  # what the scenario must have for the column to be there; "" if it always is
    codes: tuple[str, ...] = ()  # words for which the census writes their number


class Places(NamedTuple):
    """Where a group of columns starts in a row of the census; -1 if it is left out."""

    cells_total: int
    turnover: int
    cells: int
    fraction: int
    genotype_cells: int
    vaf: int
    antigen: int
    activity: int
    persistence: int
    scar: int
    car_t: int
    concentration: int
    blood: int
    spleen: int
    progression: int
    immune: int
    pd_l1: int
    mean_pd_l1: int
    width: int


_RUN_ID = Column("run_id", "string", "-", "the run, the first 16 digits of the digest of its scenario")
_REPLICATE = Column("replicate", "int64", "-", "number of the replicate")
_SEED = Column("seed", "int64", "-", "seed of the replicate: `run --seed` with it repeats it alone")
_DAY = Column("day", "float64", "day", "time since day 0")
IDENTITY = (_RUN_ID, _REPLICATE, _SEED, _DAY)
ALIVE = Column("alive", "bool", "-", "whether the patient lives")
# a group is written for each name of its `per`: clones of the file, genotypes, drugs
GROUPS: dict[str, tuple[str, tuple[Column, ...]]] = {
    "cells_total": ("", (Column("cells_total", "int64", "cells", "stem cells of the lattice"),)),
    "turnover": (
        "",
        (
            Column("divisions_per_site", "float64", "-", "divisions since day 0 whose daughter stayed, over all sites"),
            Column("new_clones", "int64", "clones", "clones beside those of the file so far, lost ones among them"),
        ),
    ),
    "cells": ("clone", (Column("cells_{}", "int64", "cells", "cells of the clone named in the file"),)),
    "fraction": ("clone", (Column("fraction_{}", "float64", "-", "share of all sites that the clone holds"),)),
    "genotype_cells": (
        "genotype",
        (Column("genotype_cells_{}", "int64", "cells", "cells of the genotype, background drivers pooled"),),
    ),
    "vaf": (
        "",
        (
            Column("vaf_jak2", "float64", "-", "mutant over all copies of JAK2 in granulocytes"),
            Column("vaf_calr", "float64", "-", "mutant over all copies of CALR in granulocytes, both types"),
            Column("vaf_driver", "float64", "-", "of the gene that led on day 0, or leads now if none did"),
        ),
    ),
    "antigen": (
        "",
        (Column("antigen_mean_molecules", "float64", "molecules", "mean density of the cells that carry the antigen"),),
    ),
    "activity": (
        "genotype",
        (Column("activity_{}", "float64", "-", "JAK/STAT activity relative to the untreated, mean of the step"),),
    ),
    "persistence": ("mutant", (Column("persistence_{}", "float64", "-", "JAK/STAT persistence under a type I drug"),)),
    "scar": (
        "",
        (
            Column("fibrosis_mean", "float64", "-", "mean ECM of the last field update, 0 to 1"),
            Column("mf_grade", "int64", "MF grade", "highest grade on 30 % of the marrow or more"),
        ),
    ),
    "car_t": (
        "",
        (
            Column("car_t_searching", "float64", "cells", "CAR T cells that neither hold a target nor are memory"),
            Column("car_t_engaged", "float64", "cells", "CAR T cells engaged now (niche scale: in the last day)"),
            Column("car_t_exhausted", "float64", "cells", "CAR T cells that are more than half exhausted"),
            Column("car_t_memory", "float64", "cells", "memory CAR T cells"),
            Column("car_t_total", "float64", "cells", "CAR T cells in the marrow"),
            Column("kills", "int64", "cells", "cells of the lattice killed by CAR T cells since day 0"),
            Column("healthy_killed", "int64", "cells", "of them, cells without a JAK2 or CALR mutation"),
            Column("crs_index", "float64", "1e-4/day", "kills per marrow cell and day x 1e4, smoothed over 2 days"),
        ),
    ),
    "concentration": ("drug", (Column("concentration_{}", "float64", "nM", "plasma concentration of the drug"),)),
    "blood": (
        "",
        (
            Column("platelets_per_nl", "float64", "1/nl", "platelets"),
            Column("hematocrit", "float64", "-", "haematocrit"),
            Column("hemoglobin_g_per_l", "float64", "g/l", "haemoglobin"),
            Column("wbc_per_nl", "float64", "1/nl", "white cells"),
        ),
    ),
    "spleen": (
        "",
        (
            Column("spleen_ml", "float64", "ml", "volume of the spleen"),
            Column("symptom_score", "float64", "score", "symptoms, 0 without any"),
        ),
    ),
    "progression": (
        "",
        (
            Column("blast_percent", "float64", "%", "transformed cells in the progenitor output"),
            Column("phase", "string", "-", "chronic, accelerated or blast", codes=PHASES),
        ),
    ),
    "immune": (
        "",
        (
            Column("suppression_mean", "float64", "-", "suppressive myeloid field M, mean of the marrow"),
            Column("t_cell_pressure_per_year", "float64", "1/year", "hazard of mutant cells by endogenous T cells"),
            Column(
                "t_cell_quality", "float64", "-", "quality Q of endogenous T cells that meet an average cell, 0 to 1"
            ),
        ),
    ),
    "pd_l1": ("mutant", (Column("pd_l1_{}", "float64", "-", "PD-L1 over that of the wild type"),)),
    "mean_pd_l1": (
        "",
        (
            Column("granulocyte_pd_l1", "float64", "-", "PD-L1 over that of the wild type, mean of granulocytes"),
            Column("megakaryocyte_pd_l1", "float64", "-", "PD-L1 over that of the wild type, mean of megakaryocytes"),
        ),
    ),
}
_SHARES = ("fraction_", "vaf_", "persistence_", "fibrosis_mean", "hematocrit")


def is_share(column: str) -> bool:
    """Whether a column of the trajectory lies between 0 and 1."""
    return column.startswith(_SHARES)


# the tables beside the trajectory
TABLES: dict[str, tuple[Column, ...]] = {
    "clones": (
        _RUN_ID,
        _REPLICATE,
        _DAY,
        Column("clone", "int64", "-", "number of the clone; those of the file come first"),
        Column("name", "string", "-", "name in the file, or genotype#number"),
        Column("cells", "int64", "cells", "cells of the clone"),
        Column("genotype", "string", "-", "genotype with its background drivers"),
        Column("parent", "int64", "-", "clone from which it arose, 0 for those of the file"),
        Column("born_day", "float64", "day", "when it arose"),
    ),
    "events": (
        _RUN_ID,
        _REPLICATE,
        _DAY,
        Column(
            "kind",
            "string",
            "-",
            "clone_born, clone_lost, treatment_start, treatment_stop, dose_change, dose, phase, response_lost or death",
        ),
        Column("name", "string", "-", "the clone, the treatment and its course, or the phase"),
        Column("clone", "int64", "-", "number of the clone; null if the event is none of a clone"),
        Column("site", "int64", "-", "site of a clone's first cell: (z height + y) width + x; null if there is none"),
        Column(
            "value",
            "float64",
            "by kind",
            "dose: CAR T cells infused; of a treatment that starts, stops or changes: mean nM, or the relative dose",
        ),
    ),
    "snapshots": (
        Column("run_id", "category", "-", _RUN_ID.meaning),
        _REPLICATE,
        _DAY,
        Column("x", "int32", "sites", "place along the first length of marrow.shape, from 0"),
        Column("y", "int32", "sites", "place along the second length"),
        Column("z", "int32", "sites", "place along the third length", "depth"),
        Column("genotype", "category", "-", "genotype with its background drivers; car_t for a CAR T cell"),
        Column("clone", "int64", "-", "number of the clone, 0 for a CAR T cell"),
        Column("antigen", "float32", "molecules", "density of the antigen, 0 without it"),
        Column("fibrosis", "float32", "-", "ECM of the block of 4 sites a side around the site, 0 to 1"),
        Column("layer", "category", "-", "cell, or car_t for a CAR T cell, which may share its site with a cell"),
    ),
    "summary": (
        _RUN_ID,
        _REPLICATE,
        _SEED,
        Column("end_day", "float64", "day", "when the run ended"),
        Column("end_reason", "string", "-", "duration, fixation, extinction, eradication or death"),
        Column("fixed_clone", "string", "-", "the clone that is left, after fixation; else null"),
        Column("vaf_driver_start", "float64", "-", "vaf_driver on day 0"),
        Column("vaf_driver_end", "float64", "-", "vaf_driver at the end"),
        Column("vaf_driver_min", "float64", "-", "lowest vaf_driver of all recorded days"),
        Column("vaf_below_1pct_day", "float64", "day", "first day of vaf_driver below 1 % after 1 % or more; or null"),
        Column("eradicated", "bool", "-", "whether no JAK2 or CALR mutant is left after there was one"),
        Column("mf_grade_start", "int64", "MF grade", "mf_grade on day 0", "scar"),
        Column("mf_grade_end", "int64", "MF grade", "mf_grade at the end", "scar"),
        Column("svr35_day", "float64", "day", "first day of a spleen smaller by 35 % or more; or null", "spleen"),
        Column("spleen_best_relative_change", "float64", "-", "lowest spleen over that of day 0, less 1", "spleen"),
        Column("phase_end", "string", "-", "phase at the end", "progression"),
        Column("death_day", "float64", "day", "when the patient died; null if alive", "progression"),
        Column("car_t_peak", "float64", "cells", "highest car_t_total of all recorded days", "car_t"),
        Column("car_t_peak_day", "float64", "day", "first day of that peak; null without CAR T cells", "car_t"),
        Column("kills", "int64", "cells", "cells of the lattice killed by CAR T cells", "car_t"),
        Column("healthy_min_fraction", "float64", "-", "lowest share of all sites with wild-type cells"),
    ),
}


_ARM = Column("arm", "string", "-", "the arm")
_OF_ARM = replace(_ARM, meaning="the arm; null for the file itself")
_PARAMETER = Column("parameter", "string", "-", "path of the parameter")
_PATIENT = Column("patient", "int64", "-", "number of the patient, the same in all arms; of a comparison the replicate")
_ENDPOINT = Column("endpoint", "string", "-", "name of the endpoint")
_ASKED_DAY = Column("day", "float64", "day", "the day asked for; null for the last day of each run")
_VERSUS = Column("versus", "string", "-", "the arm compared with; null for a value of one arm")
_STATISTIC = Column("statistic", "string", "-", "what is made of the patients' values")
_CONTRAST = Column("contrast", "string", "-", "difference, ratio or hazard_ratio; null for a value of one arm")
_NUMBER = Column("n", "int64", "-", "patients, or pairs of patients, with a value")
_P_VALUE = Column("p_value", "float64", "-", "of the hypothesis that there is no difference; null if not known")
_DESIGN = Column("design", "string", "-", "paired: every patient is in all arms; independent: each is in one")
# trajectory and summary of a study have them after run_id
STUDY_IDENTITY = (_ARM, _PATIENT)
# the tables of a study, beside trajectory and summary
STUDY_TABLES: dict[str, tuple[Column, ...]] = {
    "plan": (
        Column("run_id", "string", "-", "the run"),
        Column("number", "int64", "-", "its place in the order of the plan, from 0"),
        Column("arm", "string", "-", "the arm; null for the file itself"),
        Column("patient", "int64", "-", "number of the patient of a trial, else of the point"),
        _REPLICATE,
        Column("seed", "int64", "-", "seed of the run: `run --seed` with it repeats it"),
        Column("key", "string", "-", "digest of all that the run depends on; what has one key need not be run twice"),
        Column("shard", "int32", "-", "number of the part in which its rows are written"),
        Column("parameters", "string", "-", "what its point or patient sets, as JSON; each path is a column, too"),
    ),
    "endpoints": (
        _ARM,
        _PATIENT,
        _ENDPOINT,
        _DAY,
        Column("base", "float64", "by column", "value on the day from which changes count; null of a yes or no"),
        Column("value", "float64", "by column", "value on the day, null after death; 1 or 0 of a yes or no"),
        Column("change", "float64", "by column", "value minus base"),
        Column("relative_change", "float64", "-", "value over base, minus 1; null if base is 0"),
    ),
    "survival": (
        _ARM,
        _PATIENT,
        _ENDPOINT,
        Column("time_days", "float64", "day", "time to the event, or as long as the patient was watched without it"),
        Column("event", "bool", "-", "whether the time is that of the event (1 - CNSR)"),
        Column("died", "bool", "-", "whether death came before the event and ended the time"),
        Column("dropped_out", "bool", "-", "whether the patient left before the event and ended the time"),
    ),
    "comparison": (
        _ENDPOINT,
        _ASKED_DAY,
        _ARM,
        _VERSUS,
        _STATISTIC,
        _CONTRAST,
        Column("estimate", "float64", "by endpoint", "the statistic, or its contrast"),
        Column("low", "float64", "by endpoint", "lower limit of its 95 % interval; null if not known"),
        Column("high", "float64", "by endpoint", "upper limit"),
        _NUMBER,
        _P_VALUE,
        _DESIGN,
    ),
    "claims": (
        Column("claim", "string", "-", "name of the claim"),
        Column("arm", "string", "-", "the arm; null for the file itself"),
        _VERSUS,
        _ENDPOINT,
        _ASKED_DAY,
        _STATISTIC,
        Column("with", "string", "-", "the column of a correlation"),
        _CONTRAST,
        Column("value", "float64", "by endpoint", "what came out; null if it is not known"),
        Column("value_low", "float64", "by endpoint", "lower limit of its 95 % interval"),
        Column("value_high", "float64", "by endpoint", "upper limit"),
        _NUMBER,
        _P_VALUE,
        Column("low", "float64", "by endpoint", "lowest value with which the claim holds; null if there is no limit"),
        Column("high", "float64", "by endpoint", "highest value with which it holds"),
        Column("held", "bool", "-", "whether low <= value <= high; a value that is not known never holds"),
        Column("published", "float64", "by endpoint", "the value that was published"),
        Column("unit", "string", "-", "its unit"),
        Column("source", "string", "-", "where the claim comes from"),
        Column("figure", "string", "-", "the published figure that it belongs to"),
        Column("role", "string", "-", "fit, test, rival, order or unverified"),
        Column("weight", "float64", "-", "its weight among others"),
        replace(_DESIGN, meaning=f"{_DESIGN.meaning}; null for a value of one arm"),
    ),
    "km": (
        _ARM,
        _ENDPOINT,
        Column("day", "float64", "day", "the day"),
        Column("at_risk", "int64", "-", "patients without the event who are watched on the day"),
        Column("events", "int64", "-", "patients with the event by the day"),
        Column("died", "int64", "-", "patients who died by the day without the event, where it is not death"),
        Column("censored", "int64", "-", "patients who were watched until before the day, and had neither"),
        Column("survival", "float64", "-", "share without the event (Kaplan-Meier)"),
        Column("survival_low", "float64", "-", "lower limit of its 95 % interval"),
        Column("survival_high", "float64", "-", "upper limit"),
        Column("incidence", "float64", "-", "share with the event, death competing (Aalen-Johansen)"),
        Column("incidence_low", "float64", "-", "lower limit of its 95 % interval"),
        Column("incidence_high", "float64", "-", "upper limit"),
    ),
    "flow": (
        _ARM,
        Column("day", "float64", "day", "the day"),
        Column("enrolled", "int64", "-", "patients of the study"),
        Column("allocated", "int64", "-", "patients of the arm: the sum of the next five"),
        Column("failed", "int64", "-", "patients whose run failed"),
        Column("died", "int64", "-", "patients who died by the day while they were watched"),
        Column("dropped_out", "int64", "-", "patients who left before the day, alive"),
        Column("ended", "int64", "-", "patients whose run ended before the day, by a `stop`"),
        Column("evaluable", "int64", "-", "patients alive and watched on the day"),
        Column("progressed", "int64", "-", "of all, those with progression by the day; null if it is not known"),
        Column("analysed", "int64", "-", "patients with a value, or a yes or no, of any endpoint of the study"),
        _DESIGN,
    ),
    "power": (
        _ENDPOINT,
        replace(_ASKED_DAY, meaning="the day asked for; null for the time to the event"),
        _ARM,
        _VERSUS,
        _DESIGN,
        Column("test", "string", "-", "the test that is repeated"),
        Column("alpha", "float64", "-", "its two-sided level"),
        Column("size", "int64", "-", "patients of each arm; of twins pairs"),
        Column("repeats", "int64", "-", "trials of that size that were drawn from the large one"),
        Column("power", "float64", "-", "share of them in which the test is significant; null where all are alike"),
        Column("low", "float64", "-", "lower limit of its 95 % interval for the number of repeats (Wilson)"),
        Column("high", "float64", "-", "upper limit"),
        Column(
            "trial_low", "float64", "-", "lowest power that the large trial, being a sample, leaves possible (95 %)"
        ),
        Column("trial_high", "float64", "-", "highest"),
        Column("patients", "int64", "-", "patients of the arm in the large trial, or pairs"),
        Column("patients_versus", "int64", "-", "those of the arm compared with, or the same pairs"),
        Column(
            "patients_needed",
            "int64",
            "-",
            "how many it needs in each arm for trial_low and trial_high to be 0.2 apart, if the power is right; "
            "null where all are alike",
        ),
        Column("answered", "bool", "-", "whether it has as many; of arms that differ in size by the harmonic mean"),
    ),
    "indices": (
        _OF_ARM,
        _ENDPOINT,
        _ASKED_DAY,
        Column("method", "string", "-", "sobol, morris or prcc"),
        _PARAMETER,
        Column("source", "string", "-", "where its value comes from, or assumed; null for what the file chooses"),
        Column("measure", "string", "-", "total, first (Sobol), mu_star, sigma (Morris) or prcc"),
        Column("index", "float64", "by measure", "the index of the means of the replicates"),
        Column("low", "float64", "by measure", "lower limit of its 95 % interval; null if not known"),
        Column("high", "float64", "by measure", "upper limit"),
        Column("expected", "float64", "by measure", "what it is on average where the parameter does nothing"),
        Column(
            "noise", "float64", "by measure", "where no parameter does anything, all stay below it in 95 % of tables"
        ),
        Column("verdict", "string", "-", "matters, noise (it cannot be told from it) or unknown (one replicate)"),
        Column("rank", "int64", "-", "1 for the parameter with the largest total, mu_star or absolute prcc"),
    ),
    "noise": (
        _OF_ARM,
        _ENDPOINT,
        _ASKED_DAY,
        Column("points", "int64", "-", "points of which every replicate has a value"),
        Column("left_out", "int64", "-", "points without, and those that a design makes together with them"),
        Column("replicates", "int64", "-", "runs of each point"),
        Column("parameters", "float64", "by endpoint", "variance that the parameters make"),
        Column("seeds", "float64", "by endpoint", "variance that chance makes in single runs; null with one replicate"),
        Column("share", "float64", "-", "part of the variance of single runs that is chance"),
        Column("low", "float64", "-", "lower limit of its 95 % interval"),
        Column("high", "float64", "-", "upper limit"),
        Column("share_of_mean", "float64", "-", "part of the variance between means of replicates that is chance"),
        Column("p_value", "float64", "-", "of the hypothesis that the parameters do nothing (F test)"),
    ),
    "estimate": (
        _PARAMETER,
        Column("value", "float64", "by parameter", "median of the posterior, or the estimate"),
        Column("low", "float64", "by parameter", "lower limit of its 95 % interval, or of its profile"),
        Column("high", "float64", "by parameter", "upper limit"),
        Column("prior_value", "float64", "by parameter", "median of the prior; null beside an estimate"),
        Column("prior_low", "float64", "by parameter", "lower limit of its 95 % interval"),
        Column("prior_high", "float64", "by parameter", "upper limit"),
        Column("left_of_prior", "float64", "-", "part of the prior that the interval covers"),
    ),
    "posterior": (
        Column("particle", "int64", "-", "number of the particle, whose values stand in a column per path"),
        Column("weight", "float64", "-", "its weight; the sum of all is 1"),
    ),
    "predictions": (
        Column("target", "string", "-", "name of the target"),
        Column("role", "string", "-", "fit, or what else the target is for"),
        Column("published", "float64", "by target", "the value to aim at"),
        Column("low", "float64", "by target", "lower edge of the band; null if there is none"),
        Column("high", "float64", "by target", "upper edge"),
        Column("predicted", "float64", "by target", "median of points of the posterior, simulated with new seeds"),
        Column("predicted_low", "float64", "by target", "lower limit of 95 % of them"),
        Column("predicted_high", "float64", "by target", "upper limit"),
        Column("held", "bool", "-", "whether the median lies in the band"),
    ),
    "generations": (
        Column("generation", "int64", "-", "number of the generation; 0 is the prior"),
        Column("epsilon", "float64", "-", "largest distance that was accepted, in half bands; null for the prior"),
        Column("points", "int64", "-", "points that were simulated"),
        Column("accepted", "int64", "-", "particles that were kept"),
    ),
}


@dataclass(frozen=True)
class Layout:
    """The columns of a run."""

    columns: tuple[Column, ...]  # of the census, in order
    places: Places

    @property
    def table(self) -> tuple[Column, ...]:
        """Columns of the trajectory: identity, census, alive."""
        return (*IDENTITY, *self.columns, ALIVE)

    @property
    def groups(self) -> set[str]:
        """The groups that the run has."""
        return {group for group in GROUPS if getattr(self.places, group) >= 0}


def layout_of(names: Mapping[str, Iterable[str]], groups: Iterable[str]) -> Layout:
    """Lay out the census; the same layout, once made, for the same names and groups.

    Parameters
    ----------
    names : dict
        Names for ``clone``, ``genotype``, ``mutant`` and ``drug``.
    groups : iterable of str
        The groups that the scenario has.
    """
    return _layout(tuple((per, tuple(said)) for per, said in names.items()), frozenset(groups))


@lru_cache(maxsize=64)
def _layout(named: tuple[tuple[str, tuple[str, ...]], ...], present: frozenset[str]) -> Layout:
    names = dict(named)
    columns: list[Column] = []
    places: dict[str, int] = {}
    for group, (per, declared) in GROUPS.items():
        if group not in present:
            places[group] = -1
            continue
        places[group] = len(columns)
        for column in declared:
            for name in names[per] if per else ("",):
                columns.append(replace(column, name=column.name.format(name)))
    return Layout(tuple(columns), Places(**places, width=len(columns)))


def columns_of(table: str, groups: Collection[str]) -> tuple[Column, ...]:
    """The columns of a table beside the trajectory, of a run that has these groups."""
    return tuple(column for column in TABLES[table] if not column.group or column.group in groups)


def describe(table: str = "trajectory") -> list[Column]:
    """Every column that a table can have, with a placeholder for what it stands for."""
    if table != "trajectory":
        return list(TABLES[table])
    of_group = [
        Column(column.name.format(f"<{per}>"), column.kind, column.unit, column.meaning, group)
        for group, (per, declared) in GROUPS.items()
        for column in declared
    ]
    return [*IDENTITY, *of_group, ALIVE]
