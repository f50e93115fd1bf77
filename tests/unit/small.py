"""Small scenarios for the tests of what surrounds the kernels; they all run in well under a second."""

import mpn_abm

OFF = {"enabled": False}
TWO = {"healthy": {"genotype": "wild_type"}, "mutant": {"genotype": "JAK2_V617F", "fraction": 0.25}}


def bare(**blocks):
    """Two clones of a Moran process on 8 x 8 sites, four weeks, weekly rows."""
    return {
        "schema": "mpn-abm/1",
        "name": "bare",
        "seed": 3,
        "time": {"duration_days": 28},
        "marrow": {"shape": [8, 8]},
        "clones": TWO,
        **dict.fromkeys(("mutation", "fibrosis", "antigen", "blood", "spleen", "progression", "immune"), OFF),
        **blocks,
    }


def niche(**blocks):
    """A CALR clone in scar under ruxolitinib and CAR T cells, with mutation, on 16 x 12 sites."""
    return {
        "schema": "mpn-abm/1",
        "name": "niche",
        "seed": 5,
        "time": {"duration_days": 42, "snapshot_every_days": 21},
        "marrow": {"shape": [16, 12], "hsc_pool_cells": 10_000_000},
        "clones": {
            "healthy": {"genotype": "wild_type"},
            "calr": {"genotype": "CALR_TYPE1", "fraction": 0.4, "pattern": "patches", "patches": 2},
        },
        "fibrosis": {"initial": {"mf_grade": 2}},
        "hematopoiesis": {"loss_rate_per_year": 2.0},
        "car_t": {"cells_per_agent": 5.0e6, "minimum_agents": 5},
        "treatments": {
            "car_t": {"dose_cells": 5.0e8, "day": 7},
            "ruxolitinib": {"dose_mg": 15, "start_day": 3, "stop_day": 30},
        },
        **blocks,
    }


def tissue(**blocks):
    """CAR T cells that enter a marrow of 8 x 7 x 6 sites by its faces, two hours."""
    return {
        "schema": "mpn-abm/1",
        "name": "tissue",
        "seed": 9,
        "time": {"duration_hours": 2, "record_every_minutes": 30},
        "marrow": {"scale": "tissue", "shape": [8, 7, 6], "boundary": "reflecting"},
        "clones": {
            "healthy": {"genotype": "wild_type", "fraction": 0.4},
            "calr": {"genotype": "CALR_TYPE1", "fraction": 0.4},
        },
        "treatments": {"car_t": {"effector_to_target": 0.3, "entry": "faces"}},
        **blocks,
    }


def run(content, **options):
    """Run a scenario from a mapping."""
    return mpn_abm.run(mpn_abm.load(content), **options)


def same(one, other):
    """Whether two tables say the same, but for the name of the run."""
    return one.drop_columns("run_id").equals(other.drop_columns("run_id"))
