"""Draw how deep one infusion of CAR T cells goes over the ranges of the assumed parameters that set it.

    python docs/make_depth.py

A Latin hypercube over the ranges that the parameters declare: 256 patients of scenarios/therapy/calr_car_t.yaml on
96 x 96 niches without ruxolitinib, a year each, one seed. Needs matplotlib. Writes docs/pictures/car_t_depth.png and
prints how deep the clone fell, how often it was gone, and which parameters decide.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from scipy.stats import qmc, spearmanr

from mpn_abm.scenario.scenario import load
from mpn_abm.simulate import run

ROOT = Path(__file__).resolve().parent.parent
SCENARIO = ROOT / "scenarios" / "therapy" / "calr_car_t.yaml"
PICTURE = ROOT / "docs" / "pictures" / "car_t_depth.png"
SAMPLES, SEED, DAY = 256, 11, 90
# what nobody has measured and decides the depth, with the ranges that the parameters declare
RANGES = {
    "antigen.density_molecules": (100.0, 2000.0),
    "car_t.homing": (0.03, 0.3),
    "car_t.receptor_share": (0.01, 0.1),
    "car_t.attach_time_3d_minutes": (450.0, 700.0),
    "car_t.lysis_probability": (0.1, 0.6),
    "car_t.exhaustion_half": (10.0, 100.0),
    "car_t.exhaustion_decay_days": (5.0, 28.0),
    "car_t.relocation_rate_per_day": (0.1, 10.0),
}
FIXED = {
    "marrow.shape": [96, 96],
    "time.duration_days": 365,
    "time.record_every_days": 5,
    "treatments.ruxolitinib": None,
    "treatments.car_t.day": 0,
    "progression.enabled": False,
    "output": {"clones": False, "snapshots": False, "events": False},
    "arms": None,
    "expect": None,
}


def samples() -> list[dict[str, float]]:
    """Points of the hypercube as overrides; a range of a factor of ten or more evenly in its logarithm."""
    points = []
    for row in qmc.LatinHypercube(len(RANGES), rng=SEED).random(SAMPLES):
        point = {}
        for u, (path, (low, high)) in zip(row.tolist(), RANGES.items(), strict=True):
            point[path] = low * (high / low) ** u if high / low >= 9.99 else low + (high - low) * u
        points.append(point)
    return points


def depth(point: dict[str, float]) -> tuple[float, bool]:
    """What is left of the CALR clone on day 90 after the infusion, and whether no cell of it was left within a year."""
    rows = run(load(SCENARIO, overrides={**FIXED, **point})).trajectory.set_index("day")
    cells = rows["cells_calr"]
    return float(cells[DAY] / cells[0]), bool((cells == 0).any())


def main() -> None:
    """Measure, print, draw."""
    points = samples()
    left, gone = map(np.array, zip(*map(depth, points), strict=True))
    quartiles = np.quantile(1.0 - left, (0.25, 0.5, 0.75))
    print(f"{SAMPLES} patients: the clone falls by {quartiles[1]:.0%} by day {DAY} (quartiles {quartiles[0]:.0%}, "
          f"{quartiles[2]:.0%}); eradicated within a year in {gone.sum()} of {SAMPLES}")  # fmt: skip
    figure = Figure(figsize=(10.0, 5.2), layout="constrained")
    axes = figure.subplots(2, 4, sharey=True)
    for axis, (path, (low, high)) in zip(axes.flat, RANGES.items(), strict=True):
        values = np.array([point[path] for point in points])
        rank = spearmanr(values, 1.0 - left).statistic
        print(f"  {path:32} rank correlation with the fall {rank:+.2f}")
        axis.scatter(values[~gone], 1.0 - left[~gone], s=9, color="#5d3a9b", label="clone left")
        axis.scatter(values[gone], 1.0 - left[gone], s=16, color="#d55e00", marker="D", label="eradicated in a year")
        if high / low >= 9.99:
            axis.set_xscale("log")
            axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_xlabel(f"{path}\nrank correlation {rank:+.2f}", fontsize=8)
        axis.tick_params(labelsize=8)
    for axis in axes[:, 0]:
        axis.set_ylabel(f"fall of the clone by day {DAY}")
    axes.flat[0].legend(fontsize=7, loc="lower right")
    figure.suptitle(
        f"One infusion over the ranges of what nobody has measured: eradicated in {gone.sum()} of {SAMPLES}"
    )
    figure.savefig(PICTURE, dpi=110)


if __name__ == "__main__":
    main()
