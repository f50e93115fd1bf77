"""Files of a live marrow: what a page offers to save."""

from __future__ import annotations

from io import BytesIO

import pyarrow as pa

from mpn_abm.dashboard.live import LiveMarrow
from mpn_abm.dashboard.painting import paint, png
from mpn_abm.files import TABLE_VERSION, parquet
from mpn_abm.recorder import Recorder
from mpn_abm.snapshot import Photographer

# a picture has at least this many pixels a side
SMALLEST = 948


def name_of(model: LiveMarrow, ending: str) -> str:
    """The name of a file, with the day."""
    return f"{model.experiment.scenario.spec.name}-day{model.day:.6g}{ending}"


def picture_of(model: LiveMarrow, layer: int = 0) -> bytes:
    """The marrow as PNG, a whole number of pixels a site."""
    with model.still:
        painted = paint(model, layer)
    return png(painted, -(-SMALLEST // max(painted.shape[:2])))


def state_of(model: LiveMarrow) -> bytes:
    """Every cell and T cell of this day as Parquet, the table ``snapshots`` of a run."""
    scenario = model.experiment.scenario
    recorder = Recorder(model.program, scenario.sha256[:16])
    photographer = Photographer(model.program, recorder.run_id, recorder.labels, recorder.groups)
    with model.still:
        pieces = list(photographer.pieces(model.batch.marrow(0), 0, model.day))
    about: dict[str, object] = {
        "program": "mpn_abm",
        "table_version": TABLE_VERSION,
        "scenario": scenario.spec.name,
        "scenario_sha256": scenario.sha256,
        "seed": scenario.spec.seed,
    }
    file = BytesIO()
    parquet(pa.concat_tables(pieces or [photographer.nothing()]), about, 1)(file)
    return file.getvalue()
