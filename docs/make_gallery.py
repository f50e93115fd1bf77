"""Draw the gallery: a picture for each scenario that is shipped, and the picture at the top of the README.

    python docs/make_gallery.py            all of it, about a minute
    python docs/make_gallery.py NAME...    these scenarios, such as therapy/calr_car_t, or README

Writes docs/gallery.md and docs/pictures/gallery/*.png. The runs are smaller than the scenarios say, so that the page
is made in a minute: the commands on it are those that were carried out. Needs the extra `plot`.
"""

from __future__ import annotations

import io
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mpn_abm.pictures.catalogue import draw
from mpn_abm.pictures.labels import time_unit
from mpn_abm.pictures.maps import draw_small, legend_of
from mpn_abm.pictures.marrow import Marrow
from mpn_abm.pictures.panels import Panel, panels_of_run
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.runs import palette_of, trajectory_of
from mpn_abm.pictures.style import Picture, drawing, legend_below, new_figure
from mpn_abm.pictures.timeseries import draw_panel
from mpn_abm.scenario.examples import example_files
from mpn_abm.scenario.scenario import load
from mpn_abm.simulate import run
from mpn_abm.studies.comparison import compare

DOCS = Path(__file__).resolve().parent
PICTURES = DOCS / "pictures" / "gallery"
TOP = DOCS / "pictures" / "calr_car_t.png"
PAGE = DOCS / "gallery.md"
DPI, COLOURS = 95, 160
TOP_DAYS = (0, 315, 378, 441, 1827)
# snapshots do not change a run; 63 days lie between two of them, so that one falls on the peak of the T cells
SNAPSHOT_EVERY = 63
GROUPS = {
    "baseline": "Disease without treatment",
    "therapy": "Treatments",
    "tissue": "Single T cells in tissue",
    "verification": "The simulator against theory",
}
NICHE = {"marrow.shape": "[64, 64]"}
SMALL = {"marrow.shape": "[48, 48]"}
CUBE = {"marrow.shape": "[32, 32, 32]"}


@dataclass(frozen=True)
class Plan:
    """How a scenario is run and drawn."""

    kind: str
    options: dict[str, Any] = field(default_factory=dict)
    sets: dict[str, str] = field(default_factory=dict)
    replicates: int | None = None
    compared: bool = False


def courses(*columns: str, **more: Any) -> Plan:
    """Courses of a few columns."""
    return Plan("timeseries", {"columns": list(columns)} if columns else {}, **more)


PLANS: dict[str, Plan] = {
    "baseline/calr_et": courses("vaf_calr", "platelets_per_nl", "fibrosis_mean", sets=SMALL, replicates=24),
    "baseline/calr_mf": Plan("maps", {"days": [0, 1461, 3652]}, {"marrow.shape": "[128, 128]"}),
    "baseline/healthy_lifetime": Plan("muller", sets=NICHE),
    "baseline/jak2_and_calr_compete": Plan("muller", sets=NICHE),
    "baseline/jak2_et": courses("vaf_jak2", "platelets_per_nl", "fibrosis_mean", sets=SMALL, replicates=24),
    "baseline/jak2_lifetime": Plan("lineage", sets=NICHE),
    "baseline/jak2_pv": courses("vaf_jak2", "hematocrit", "spleen_ml", sets=SMALL, replicates=24),
    "baseline/mf_patient": courses(sets=NICHE),
    "baseline/untreated_progression": Plan("kaplan_meier", sets={"marrow.shape": "[24, 24]"}, replicates=60,
                                           compared=True),
    "therapy/accelerated_car_t": courses("vaf_calr", "car_t_total", sets=NICHE, replicates=8, compared=True),
    "therapy/accelerated_car_t_eltrombopag": courses("vaf_calr", "car_t_total", sets=NICHE, replicates=8,
                                                     compared=True),
    "therapy/anti_calr_antibody": courses("vaf_calr", "activity_CALR_TYPE1", sets=NICHE, replicates=8, compared=True),
    "therapy/calr_car_t": Plan("map", {"day": 441}, {"marrow.shape": "[128, 128]", "time.snapshot_every_days": "63"}),
    "therapy/car_t_on_jak2_clone": courses(sets=NICHE),
    "therapy/car_t_pd1": courses("vaf_calr", "car_t_total", sets=NICHE, replicates=8, compared=True),
    "therapy/car_t_with_ruxolitinib": courses("vaf_calr", "car_t_total", sets=NICHE, replicates=8, compared=True),
    "therapy/interferon": courses("vaf_jak2", "hematocrit", sets=NICHE, replicates=8, compared=True),
    "therapy/jaki_hsp90i": courses("vaf_jak2", "spleen_ml", sets=SMALL, replicates=12, compared=True),
    "therapy/jaki_pd1": courses("vaf_jak2", "suppression_mean", "spleen_ml", sets=SMALL, replicates=12, compared=True),
    "therapy/pembrolizumab_alone": Plan("waterfall", {"endpoint": "vaf_driver"}, SMALL, 20, True),
    "therapy/ruxolitinib_persistence": courses("activity_JAK2_V617F", "persistence_JAK2_V617F", "spleen_ml",
                                               sets=SMALL),
    "therapy/transplant": Plan("kaplan_meier", {"endpoint": "overall_survival"}, {"marrow.shape": "[24, 24]"}, 60,
                               True),
    "therapy/type2_inhibitor": courses("vaf_jak2", "activity_JAK2_V617F", sets=SMALL, replicates=8, compared=True),
    "therapy/withdrawal_and_retreatment": courses("persistence_JAK2_V617F", "spleen_ml", "vaf_jak2", sets=SMALL,
                                                  replicates=8, compared=True),
    "tissue/killing_assay_effector_target": courses("cells_target", "kills", compared=True),
    "tissue/organoid_fibrotic_vs_not": Plan("map", sets={**CUBE, "time.duration_hours": "24",
                                                         "time.snapshot_every_hours": "24"}),
    "tissue/xenograft_survival": Plan("kaplan_meier", {"endpoint": "overall_survival"},
                                      {"marrow.shape": "[16, 16, 16]"}, 10, True),
    "verification/diffusion": Plan("map", sets={"time.snapshot_every_hours": "48"}),
    "verification/logistic_growth": courses(sets=NICHE),
    "verification/moran_torus": courses("fraction_mutant", replicates=4,
                                        sets={"time.record_every_years": "2", "seed": "2"}),
    "verification/moran_well_mixed": courses("fraction_mutant", replicates=4,
                                             sets={"time.record_every_years": "2", "seed": "56"}),
    "verification/neutral_drift": courses("fraction_one", sets={"time.record_every_years": "2"}, replicates=40),
    "verification/single_dose_pk": courses("concentration_ruxolitinib"),
    "verification/walker_msd": Plan("maps", {"days": [0, 0.125, 0.25]}, {"marrow.shape": "[96, 96]"}),
}  # fmt: skip


def recording_of(name: str, plan: Plan) -> Recording:
    """Run a scenario as planned."""
    sets = [f"{path}={value}" for path, value in plan.sets.items()]
    options = {} if plan.replicates is None else {"replicates": plan.replicates}
    scenario = load(example_files()[name], sets=sets, options=options)
    return Recording(compare(scenario) if plan.compared else run(scenario))


def commands(name: str, plan: Plan) -> list[str]:
    """What somebody types for the same picture."""
    out = f"runs/{name.rpartition('/')[2]}"
    words = ["mpn-abm", "compare" if plan.compared else "run", f"scenarios/{name}.yaml", "--out", out]
    words += [f"--set {path}={value.replace(' ', '')}" for path, value in plan.sets.items()]
    words += [] if plan.replicates is None else [f"--replicates {plan.replicates}"]
    drawn = ["mpn-abm plot", plan.kind, out, "-o", f"{name.rpartition('/')[2]}.png"]
    for option, value in plan.options.items():
        drawn.append(f"--{option} {','.join(map(str, value)) if isinstance(value, list) else value}")
    return [" ".join(words), " ".join(drawn)]


def small_png(picture: Picture, dpi: int = DPI, colours: int = COLOURS) -> bytes:
    """A PNG of few colours."""
    from PIL import Image

    image = Image.open(io.BytesIO(picture.data("png", dpi))).convert("RGB")
    buffer = io.BytesIO()
    image.quantize(colours, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        buffer, "PNG", optimize=True
    )
    return buffer.getvalue()


def file_of(name: str) -> Path:
    """Where the picture of a scenario lies."""
    return PICTURES / f"{name.replace('/', '-')}.png"


def top_picture(shape: tuple[int, ...] | None = None) -> Picture:
    """Maps of the main job above, courses beneath; a smaller marrow is for tests."""
    overrides: dict[str, Any] = {"time.snapshot_every_days": SNAPSHOT_EVERY}
    if shape:
        overrides["marrow.shape"] = list(shape)
    result = run(load(example_files()["therapy/calr_car_t"], overrides))
    with tempfile.TemporaryDirectory() as folder, drawing():
        result.write(folder, overwrite=True)
        recording = Recording(folder)
        figure = new_figure(11.0, 5.3)
        above, below = figure.subfigures(2, 1, height_ratios=(2.9, 2.0))
        marrow = Marrow(recording, 0)
        snapshots = draw_small(above, marrow, TOP_DAYS, len(TOP_DAYS), 1)
        legend_below(above, legend_of(marrow, snapshots, recording))
        _courses_beneath(below, recording)
        return Picture(figure, "Five maps of the marrow over five years, above the courses of VAF, T cells and scar")


def _courses_beneath(figure: Any, recording: Recording) -> None:
    rows = trajectory_of(recording, None, None)
    unit = time_unit(float(rows["day"].max()))
    wanted = ("variant allele fraction", "CAR T cells in the marrow", "scar")
    panels: list[Panel] = [
        replace(panel, lines=panel.lines[:1])
        for panel in panels_of_run(rows, recording.unit, palette_of(recording))
        if panel.title in wanted
    ]
    treatments = {"ruxolitinib": (0.0, 300.0), "CAR T cells": (365.0, 365.0)}
    for axis, panel in zip(figure.subplots(1, len(panels)), panels, strict=True):
        draw_panel(axis, panel, rows, unit)
        for start, stop in treatments.values():
            axis.axvspan(start / unit.days, max(stop, start + 6) / unit.days, color="#5b7fa3", alpha=0.18, linewidth=0)
        axis.set_xlim(0, rows["day"].max() / unit.days)
        axis.set_xlabel(unit.label)
    figure.supxlabel("shaded: ruxolitinib for 300 days, and the infusion of CAR T cells on day 365", fontsize=7.5)


def page() -> str:
    """The text of the gallery."""
    lines = [
        "# Gallery", "",
        "Every scenario that comes with the program, with its question, a picture, and the commands that draw it.",
        "The runs are smaller than the scenarios say, so that each takes seconds; without `--set` and `--replicates`",
        "they are whole. [make_gallery.py](make_gallery.py) makes this page, and the [guide](guides/pictures.md) shows",
        "what else can be drawn.", "",
    ]  # fmt: skip
    for group, heading in GROUPS.items():
        lines += [f"## {heading}", ""]
        for name in (one for one in PLANS if one.partition("/")[0] == group):
            file = example_files()[name]
            question = load(file).spec.question
            picture = file_of(name).relative_to(DOCS).as_posix()
            lines += [
                f"### {name.partition('/')[2]}", "", question, "",
                f"![{PLANS[name].kind} of {name}]({picture})", "",
                "```sh", *commands(name, PLANS[name]), "```", "",
            ]  # fmt: skip
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Draw what is asked for, and write the page."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    asked = sys.argv[1:] or [*PLANS, "README"]
    for name in asked:
        if name == "README":
            TOP.write_bytes(small_png(top_picture(), dpi=105, colours=256))
            print(f"{TOP.name}: {TOP.stat().st_size / 1024:.0f} kB", flush=True)
            continue
        plan = PLANS[name]
        picture = draw(plan.kind, recording_of(name, plan), **plan.options, title="")
        file_of(name).write_bytes(small_png(picture))
        print(f"{name}: {file_of(name).stat().st_size / 1024:.0f} kB", flush=True)
    PAGE.write_text(page())
    print(f"{sum(file.stat().st_size for file in PICTURES.glob('*.png')) / 1024:.0f} kB of pictures")


if __name__ == "__main__":
    main()
