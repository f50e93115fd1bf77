"""One patient to whom everything happens: every mechanism and every kind of drug acts, and some die on the way."""

from verification.runs import OFF

# all of MARROW_ALONE switched on again
EVERYTHING = {
    "time": {"duration_days": 360, "record_every_days": 6, "snapshot_every_days": 120}, "seed": 21,
    "marrow": {"shape": [40, 33], "hsc_pool_cells": 20_000},
    "patient": {"disease": "PMF", "age_years": 70},
    "clones": {
        "healthy": {"genotype": "wild_type"},
        "jak2": {"genotype": "JAK2_V617F", "flags": ["TET2"], "fraction": 0.3, "pattern": "patches", "patches": 3},
        "calr": {"genotype": "CALR_TYPE1", "fraction": 0.25, "pattern": "disc"},
        "blasts": {"genotype": "CALR_TYPE2", "flags": ["transformed"], "cells": 40},
        "late": {"genotype": "CALR_TYPE2", "flags": ["ASXL1"], "cells": 90, "day": 31},
    },
    "hematopoiesis": {"loss_rate_per_year": 0.5, "displacement": 0.7, "division_rate_per_year": 3},
    "mutation": {
        "jak2_rate_per_year": 1e-3, "calr_rate_per_year": 1e-3, "driver_rate_per_year": 1e-3,
        "loss_of_heterozygosity_rate_per_year": 1e-3, "antigen_low_rate_per_year": 1e-3,
    },
    "fibrosis": {"initial": {"mf_grade": 2, "patches": 4, "cover_fraction": 0.4}},
    "immune": {"surveillance_rate_per_year": 5}, "blood": {}, "spleen": {},
    "progression": {"transformation_rate_per_year": 2e-4, "background_death_rate_per_year": 0.3},
    "jak_stat": {"response_loss_rate_per_year": 3}, "car_t": {"max_divisions": 8},
    "drugs": {
        "probe": {
            "kind": "modifier", "usual_concentration_nM": 100,
            "effects": {
                "homing": {"factor": "homing", "direction": "increases", "half_max_nM": 100},
                "killing": {"factor": "killing", "direction": "increases", "half_max_nM": 100},
                "antigen": {
                    "factor": "antigen", "direction": "decreases", "half_max_nM": 400, "genotype": "CALR_TYPE2",
                },
                "scar": {"factor": "scar_deposition", "direction": "decreases", "half_max_nM": 100},
                "division": {"factor": "division", "direction": "decreases", "half_max_nM": 900},
                "loss": {"factor": "loss", "direction": "decreases", "half_max_nM": 100},
            },
        }
    },
    "treatments": {
        "ruxolitinib": {"dose_mg": 20, "start_day": 10, "stop_day": 150},
        "chz868": {"dose_relative": 1, "start_day": 155},
        "pu_h71": {"dose_relative": 0.5, "start_day": 40, "stop_day": 90}, "anti_calr": {"dose_relative": 1},
        "interferon": {"dose_relative": 0.5, "start_day": 20}, "eltrombopag": {"dose_mg": 50, "start_day": 60},
        "pembrolizumab": {"dose_mg": 200, "start_day": 25}, "probe": {"dose_relative": 1, "start_day": 55},
        "car_t": {"dose_cells": 1e8, "day": 66, "every_days": 50, "doses": 2},
        "transplant": {"dose_relative": 1, "at_days": [160, 290]},
    },
}  # fmt: skip
# at tissue scale nobody is transplanted, and an animal is put down
IN_TISSUE = {
    "time": {"duration_days": 4, "record_every_hours": 6, "snapshot_every_days": 2}, "seed": 21,
    "marrow": {"scale": "tissue", "shape": [14, 12, 13], "boundary": "reflecting"},
    "clones": {
        "healthy": {"genotype": "wild_type", "fraction": 0.3}, "calr": {"genotype": "CALR_TYPE1", "fraction": 0.2},
        "jak2": {"genotype": "JAK2_V617F", "fraction": 0.1},
        "late": {"genotype": "CALR_TYPE2", "cells": 100, "day": 2},
        "flood": {"genotype": "CALR_TYPE2", "cells": 900, "day": 3.5},
    },
    "hematopoiesis": {"division_rate_per_year": 150, "loss_rate_per_year": 50}, "fibrosis": OFF,
    "mutation": {"driver_rate_per_year": 1, "antigen_low_rate_per_year": 1}, "antigen": {"density_molecules": 5000},
    "immune": {"surveillance_rate_per_year": 200}, "progression": {"humane_endpoint": 0.35},
    "treatments": {
        "car_t": {"effector_to_target": 0.3, "entry": "faces"}, "ruxolitinib": {"dose_mg": 20, "start_day": 0.5},
        "eltrombopag": {"dose_mg": 50, "start_day": 1}, "nivolumab": {"dose_mg": 240},
        "interferon": {"dose_relative": 1},
    },
}  # fmt: skip
MARROWS = {
    "niche": EVERYTHING,
    "death_birth": EVERYTHING | {"hematopoiesis": {**EVERYTHING["hematopoiesis"], "update": "death_birth"}},
    "volume": EVERYTHING | {"marrow": {"shape": [13, 10, 11], "hsc_pool_cells": 20_000, "boundary": "reflecting"}},
    "tissue": IN_TISSUE,
}
