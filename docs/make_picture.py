"""Draw the picture of the README from a run of scenarios/therapy/calr_car_t.yaml.

    python docs/make_picture.py

Needs matplotlib. Writes docs/pictures/calr_car_t.png.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colors
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MultipleLocator

from mpn_abm.scenario.scenario import load
from mpn_abm.simulate import Result, run

ROOT = Path(__file__).resolve().parent.parent
SCENARIO = ROOT / "scenarios" / "therapy" / "calr_car_t.yaml"
PICTURE = ROOT / "docs" / "pictures" / "calr_car_t.png"

# snapshots do not change a run; 63 days lie between two of them, so that one falls on the peak of the T cells
SNAPSHOT_EVERY = 63
DAYS = (0, 315, 378, 441, 1827)
TITLES = (
    "day 0\nscar and clone as placed",
    "day 315\nafter 300 days of ruxolitinib",
    "day 378\n13 days after CAR T cells",
    "day 441\n76 days after CAR T cells",
    "day 1827\nfive years",
)
# orange and purple, light and dark: told apart with every kind of colour vision
EMPTY, HEALTHY, CALR = "#ffffff", "#a6d5f2", "#d55e00"
T_CELL, SCAR, BAND = "#5d3a9b", "#000000", "#f0e442"
MF_2 = 1.5 / 3.5  # ECM from which a site has grade 2
DAYS_PER_YEAR = 365.25


def simulate(shape: tuple[int, ...] | None = None) -> Result:
    """The run behind the picture; a smaller marrow is for tests."""
    overrides: dict[str, Any] = {"time.snapshot_every_days": SNAPSHOT_EVERY}
    if shape:
        overrides["marrow.shape"] = list(shape)
    return run(load(SCENARIO, overrides=overrides))


def maps(snapshots: pd.DataFrame, day: float, shape: tuple[int, int]) -> dict[str, np.ndarray]:
    """What lives where on a day, as arrays [y, x]: 0 empty, 1 healthy, 2 CALR; ECM; T-cell agents."""
    width, height = shape
    rows = snapshots[snapshots["day"] == day]
    cells, agents = rows[rows["layer"] == "cell"], rows[rows["layer"] == "car_t"]
    kind = np.zeros((height, width))
    kind[cells["y"], cells["x"]] = np.where(cells["genotype"].astype(str).str.startswith("CALR"), 2, 1)
    # an empty site has no row: the scar of its block of 4 x 4 sites is that of its neighbours
    blocks = rows.groupby([rows["y"] // 4, rows["x"] // 4])["fibrosis"].first()
    ecm = np.full(((height + 3) // 4, (width + 3) // 4), np.nan)
    ecm[blocks.index.get_level_values(0), blocks.index.get_level_values(1)] = blocks.to_numpy()
    number = np.zeros((height, width))
    np.add.at(number, (agents["y"].to_numpy(), agents["x"].to_numpy()), 1)
    return {"kind": kind, "ecm": np.kron(ecm, np.ones((4, 4)))[:height, :width], "agents": number}


def draw(result: Result) -> Figure:
    """Maps above, time courses below."""
    spec = result.scenario.spec
    shape = spec.marrow.shape
    figure = Figure(figsize=(12.0, 8.6), layout="constrained", facecolor="white")
    above, below = figure.subfigures(2, 1, height_ratios=(5.3, 3.3), hspace=0.02)
    draw_maps(above, result.snapshots, shape, cells_per_agent(result))
    draw_courses(below, result.trajectory, spec.treatments)
    return figure


def cells_per_agent(result: Result) -> float:
    """T cells for which an agent of the maps stands."""
    events = result.events
    dose = events.loc[events["kind"] == "dose", "value"].iloc[0]
    return float(dose / round(dose / result.scenario.spec.car_t.cells_per_agent))


def draw_maps(figure: Any, snapshots: pd.DataFrame, shape: tuple[int, int], per_agent: float) -> None:
    """Two rows: the stem cells with the border of the scar, and the scar with the T cells."""
    axes = figure.subplots(2, len(DAYS), sharex=True, sharey=True)
    palette = colors.ListedColormap([EMPTY, HEALTHY, CALR])
    for column, (day, title) in enumerate(zip(DAYS, TITLES)):
        here = maps(snapshots, day, shape)
        cells, scar = axes[0, column], axes[1, column]
        cells.set_title(title, fontsize=10)
        cells.imshow(here["kind"], cmap=palette, vmin=0, vmax=2, interpolation="nearest", origin="lower")
        cells.contour(np.nan_to_num(here["ecm"]), levels=[MF_2], colors=SCAR, linewidths=0.7)
        shade = scar.imshow(here["ecm"], cmap="Greys", vmin=0, vmax=1.4, interpolation="nearest", origin="lower")
        there = np.ma.masked_equal(np.minimum(here["agents"], 1), 0)
        scar.imshow(there, cmap=colors.ListedColormap([T_CELL]), interpolation="nearest", origin="lower", alpha=0.75)
    for axis in axes.flat:
        axis.set_xticks([0, shape[0] // 2, shape[0]])
        axis.set_yticks([0, shape[1] // 2, shape[1]])
        axis.tick_params(labelsize=8, length=2)
    for axis in axes[1]:
        axis.set_xlabel("x (sites)", fontsize=9)
    for axis, shown in zip(axes[:, 0], ("stem cells", "scar and T cells")):
        axis.set_ylabel(f"{shown}\ny (sites)", fontsize=9)
    line = Line2D([], [], color=SCAR, linewidth=0.9, label="scar of grade MF-2 or more")
    handles = [
        Patch(facecolor=HEALTHY, label="healthy stem cell"),
        Patch(facecolor=CALR, label="CALR-mutant stem cell"),
        Patch(facecolor=EMPTY, edgecolor="#888888", label="empty niche"),
        line,
        Patch(facecolor=T_CELL, alpha=0.75, label=f"CAR T cells ({per_agent:.1e} a site or more)".replace("e+0", "e")),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=5, fontsize=9, frameon=False)
    bar = figure.colorbar(shade, ax=axes[1], shrink=0.8, pad=0.01, boundaries=np.linspace(0, 1, 101))
    bar.set_label("scar E (0 to 1)", fontsize=9)
    bar.set_ticks([0, 0.5, 1])
    bar.ax.tick_params(labelsize=8)


def draw_courses(figure: Any, trajectory: pd.DataFrame, treatments: dict[str, Any]) -> None:
    """CALR allele fraction, T cells and scar over the years."""
    years = trajectory["day"] / DAYS_PER_YEAR
    axes = figure.subplots(1, 3, sharex=True)
    drug, cells = treatments["ruxolitinib"], treatments["car_t"]
    for axis in axes:
        axis.axvspan(drug.start / DAYS_PER_YEAR, drug.stop / DAYS_PER_YEAR, color=BAND, alpha=0.45, linewidth=0)
        axis.axvline(cells.day / DAYS_PER_YEAR, color="#555555", linestyle="--", linewidth=1.0)
        axis.set_xlabel("time (years)", fontsize=9)
        axis.set_xlim(0, years.max())
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].plot(years, 100 * trajectory["vaf_calr"], color=CALR, linewidth=1.8)
    axes[0].set_ylabel("CALR allele fraction, VAF (%)", fontsize=9)
    axes[0].set_ylim(0, None)
    axes[0].yaxis.set_major_locator(MultipleLocator(5))
    seen = trajectory["car_t_total"].where(trajectory["car_t_total"] > 0)
    axes[1].semilogy(years, seen, color=T_CELL, linewidth=1.8)
    axes[1].set_ylabel("CAR T cells in the marrow (cells)", fontsize=9)
    axes[2].plot(years, trajectory["fibrosis_mean"], color=SCAR, linewidth=1.8)
    axes[2].set_ylabel("mean scar E (0 to 1)", fontsize=9)
    axes[2].set_ylim(0, None)
    band = Patch(facecolor=BAND, alpha=0.45, label=f"ruxolitinib {drug.dose_mg:g} mg twice daily")
    infused = f"CAR T cells, {cells.dose_cells:.0e} infused".replace("e+0", "e")
    line = Line2D([], [], color="#555555", linestyle="--", label=infused)
    figure.legend(handles=[band, line], loc="outside lower center", ncols=2, fontsize=9, frameon=False)


def main() -> None:
    """Run, draw, write."""
    PICTURE.parent.mkdir(exist_ok=True)
    figure = draw(simulate())
    figure.savefig(PICTURE, dpi=110, metadata={"Software": None})
    print(f"{PICTURE}: {PICTURE.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
