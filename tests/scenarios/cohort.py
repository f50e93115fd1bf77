"""Patients who differ, drawn by a seeded generator: the spreads of the model, as overrides of a scenario."""

import numpy as np
import pandas as pd
from verification.runs import of_library

import mpn_abm

SPREADS = {"fitness": 0.6, "inhibition_cost": 0.5, "interferon": 1.0, "scar_turnover": 1.2, "scar_drive": 1.2}


def patients(number, seed):
    """What sets each patient apart, by path; the same patients enter every arm."""
    rng = np.random.default_rng(seed)
    for k in range(number):
        drawn = {f"patient.{name}": float(np.exp(sd * rng.normal())) for name, sd in SPREADS.items()}
        yield {**drawn, "patient.occupancy_logodds": float(0.9 * rng.normal()), "seed": 1000 * seed + k}


def rows_of(name, number, seed, overrides):
    """The trajectories of a cohort in a scenario of the library, with `patient`."""
    frames = []
    for k, drawn in enumerate(patients(number, seed)):
        rows = mpn_abm.run(of_library(name, {"replicates": 1, **overrides, **drawn})).trajectory
        frames.append(rows.assign(patient=k))
    return pd.concat(frames, ignore_index=True)


def wilson(events, number, z=1.96):
    """95 % interval of a share."""
    share = events / number
    middle = (share + z * z / (2 * number)) / (1 + z * z / number)
    half = z / (1 + z * z / number) * np.sqrt(share * (1 - share) / number + z * z / (4 * number * number))
    return middle - half, middle + half
