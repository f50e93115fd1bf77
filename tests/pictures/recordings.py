"""Small runs and studies that the pictures are drawn from, made once."""

import json
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import mpn_abm

OFF = {"enabled": False}


@cache
def niche():
    """A CALR clone under ruxolitinib and CAR T cells with snapshots, ten weeks."""
    return mpn_abm.run(mpn_abm.load(NICHE))


@cache
def replicated():
    """The same, eight runs without snapshots."""
    return mpn_abm.run(mpn_abm.load({**NICHE, "replicates": 8, "output": {"snapshots": False}}))


@cache
def tissue():
    """CAR T cells in a piece of tissue with depth, four hours."""
    return mpn_abm.run(mpn_abm.load(TISSUE))


@cache
def arms():
    """Twelve patients in accelerated phase, with and without a transplant, four years."""
    return mpn_abm.compare(ARMS)


def written(result, folder):
    """A result in a folder of its own."""
    result.write(folder)
    return Path(folder)


NICHE = {
    "schema": "mpn-abm/1",
    "name": "niche",
    "question": "Do T cells clear the clone?",
    "seed": 5,
    "time": {"duration_weeks": 10, "record_every_days": 7, "snapshot_every_days": 14},
    "marrow": {"shape": [24, 20], "hsc_pool_cells": 1_000_000},
    "clones": {
        "healthy": {"genotype": "wild_type"},
        "calr": {"genotype": "CALR_TYPE1", "fraction": 0.4, "pattern": "patches", "patches": 2},
    },
    "fibrosis": {"initial": {"mf_grade": 2, "patches": 2, "cover_fraction": 0.4}},
    "hematopoiesis": {"loss_rate_per_year": 2.0},
    "car_t": {"cells_per_agent": 5.0e6, "minimum_agents": 5},
    "treatments": {
        "car_t": {"dose_cells": 5.0e8, "day": 21},
        "ruxolitinib": {"dose_mg": 15, "start_day": 7, "stop_day": 42},
    },
    "expect": {"falls": {"endpoint": "vaf_relative_change", "high": -0.1, "source": "a paper"}},
}
TISSUE = {
    "schema": "mpn-abm/1",
    "name": "tissue",
    "seed": 9,
    "time": {"duration_hours": 4, "record_every_minutes": 30, "snapshot_every_hours": 1},
    "marrow": {"scale": "tissue", "shape": [16, 14, 12], "boundary": "reflecting"},
    "clones": {
        "healthy": {"genotype": "wild_type", "fraction": 0.4},
        "calr": {"genotype": "CALR_TYPE1", "fraction": 0.4},
    },
    "treatments": {"car_t": {"effector_to_target": 0.3, "entry": "faces"}},
}
ARMS = {
    "schema": "mpn-abm/1",
    "name": "two_arms",
    "question": "Does a transplant help?",
    "seed": 2,
    "replicates": 12,
    "time": {"duration_years": 4, "step_days": 7, "record_every_weeks": 12},
    "marrow": {"shape": [12, 12]},
    "patient": {"age_years": 70},
    "clones": {
        "healthy": {"genotype": "wild_type"},
        "jak2": {"genotype": "JAK2_V617F", "fraction": 0.5},
        "bad": {"genotype": "JAK2_V617F", "flags": ["transformed"], "fraction": 0.1},
    },
    "fibrosis": {"initial": {"mf_grade": 2}},
    "arms": {"none": {}, "transplant": {"treatments.transplant": {"day": 30, "dose_relative": 1}}},
    "expect": {
        "lives": {"arm": "transplant", "versus": "none", "contrast": "difference", "endpoint": "overall_survival",
                  "statistic": "survival", "at_year": 3, "low": -0.5, "source": "nobody"},
        "grows": {"arm": "none", "endpoint": "vaf_driver", "at_week": 12, "low": 0.99},
    },
}  # fmt: skip


@cache
def lifetime():
    """Clones that arise from one another by background drivers, thirty years of a fast marrow."""
    return mpn_abm.run(mpn_abm.load(LIFETIME))


def sweep(folder):
    """A sweep of two parameters in the tables of a study: nine points, two replicates each."""
    points = [
        {"antigen.density_molecules": a, "car_t.homing": h} for a in (100.0, 500.0, 2000.0) for h in (0.03, 0.1, 0.3)
    ]
    pieces, plan = [], []
    for number, point in enumerate(points):
        result = mpn_abm.run(mpn_abm.load(POINT, point), replicates=2)
        table = result.tables["summary"]
        table = table.add_column(1, "arm", pa.nulls(2, pa.string())).add_column(2, "patient", pa.array([number] * 2))
        for k, (path, value) in enumerate(point.items()):
            table = table.add_column(table.column_names.index("seed") + 1 + k, path, pa.array([value] * 2))
        pieces.append(table)
        plan += [{"run_id": f"{number:05d}-{k:03d}", "arm": None, "patient": number, **point} for k in range(2)]
    (folder / "summary").mkdir(parents=True)
    pq.write_table(pa.concat_tables(pieces), folder / "summary" / "part-00000.parquet")
    kinds = {"run_id": pa.string(), "arm": pa.string(), "patient": pa.int64()} | dict.fromkeys(points[0], pa.float64())
    pq.write_table(pa.Table.from_pylist(plan, pa.schema(kinds)), folder / "plan.parquet")
    (folder / "manifest.json").write_text(json.dumps({"name": "depth", "question": "How deep?", "kind": "sweep"}))
    return folder


def trial(folder):
    """A trial of a dangerous disease in two arms of independent patients who count unequally, planned and claimed."""
    file = folder.parent / "patients.csv"
    rows = [f"{0.1 + 0.02 * k:.2f},{1 + k % 3}" for k in range(20)]
    file.write_text("\n".join(["clones.jak2.vaf,weight", *rows]) + "\n")
    mpn_abm.trial({**TRIAL, "trial": {**TRIAL["trial"], "patients_file": str(file)}}, out=folder)
    return folder


TRIAL = {
    "schema": "mpn-abm/1",
    "name": "small_trial",
    "question": "Does the drug relieve symptoms?",
    "scenario": {
        "name": "under_the_trial",
        "seed": 3,
        "time": {"duration_weeks": 48, "step_days": 7, "record_every_weeks": 4},
        "marrow": {"shape": [12, 12]},
        "clones": {"healthy": {"genotype": "wild_type"}, "jak2": {"genotype": "JAK2_V617F", "vaf": 0.3}},
        "fibrosis": {"initial": {"mf_grade": 2}},
        "progression": {"background_death_rate_per_year": 1.0},
    },
    "trial": {
        "seed": 4,
        "dropout_per_year": 0.3,
        "allocation": {"placebo": 1, "drug": 1},
        "arms": {"placebo": {}, "drug": {"treatments.ruxolitinib": {"dose_mg": 20, "start_day": 0}}},
        "endpoints": ["tss50", "overall_survival"],
        "at_weeks": [24, 48],
        "power": {"endpoint": "tss50", "at_week": 24, "arms": ["placebo", "drug"], "sizes": [5, 10, 40], "repeats": 50},
    },
    "output": {"trajectory": "days"},
    "expect": {"feels_better": {"arm": "drug", "endpoint": "tss50", "at_week": 24, "low": 0.2, "source": "a paper"}},
}
LIFETIME = {
    "schema": "mpn-abm/1",
    "name": "lifetime",
    "seed": 4,
    "time": {"duration_years": 30, "step_days": 7, "record_every_days": 364},
    "marrow": {"shape": [20, 20]},
    "clones": {"healthy": {"genotype": "wild_type"}, "jak2": {"genotype": "JAK2_V617F", "fraction": 0.1}},
    **dict.fromkeys(("fibrosis", "antigen", "blood", "spleen", "progression", "immune"), OFF),
}
POINT = {
    "schema": "mpn-abm/1",
    "name": "depth",
    "time": {"duration_weeks": 12},
    "marrow": {"shape": [16, 16], "hsc_pool_cells": 1_000_000},
    "clones": {"healthy": {"genotype": "wild_type"}, "calr": {"genotype": "CALR_TYPE1", "fraction": 0.4}},
    "car_t": {"cells_per_agent": 5.0e6, "minimum_agents": 5},
    "treatments": {"car_t": {"dose_cells": 5.0e8, "day": 7}},
}
