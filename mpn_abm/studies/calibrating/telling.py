"""What a calibration says when it is done."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

from mpn_abm.studies.calibrating.floor import Floor
from mpn_abm.words import counted

if TYPE_CHECKING:
    from mpn_abm.studies.calibration import Calibration

WHY = {
    "noise_floor": "stopped at the noise floor: a smaller threshold would fit chance",
    "generations": "stopped after the generations that were asked for, before the noise floor",
    "max_runs": "stopped as max_runs was used up",
    "acceptance": "stopped as less than one point in a hundred was accepted",
    "no_progress": "stopped as the particles came no closer",
}
HEAD = ("parameter", "estimate", "95 % interval", "before", "left of prior")
PREDICTED_HEAD = ("target", "role", "published", "band", "predicted", "95 % interval", "verdict")


def lines(found: Calibration) -> list[str]:
    """Where it ended and why, the noise floor, and warnings; the tables stand beside it."""
    new = f"{counted(found.simulated, 'point')} simulated now, {counted(found.runs, 'run')} in all"
    if found.generations is not None:
        last = found.generations.iloc[-1]
        sizes = counted(len(found.generations), "generation"), counted(int(last["accepted"]), "particle")
        told = [f"ABC-SMC: {' of '.join(sizes)}; {new}"]
        if not isnan(last["epsilon"]):
            told.append(f"threshold {last['epsilon']:.3g} half bands, noise floor {found.floor.noise:.3g}")
        told.append(WHY[found.stopped])
    else:
        told = [f"optuna: {new}", _of_the_floor(found.floor)]
    missed = found.predictions.loc[(found.predictions["role"] == "fit") & ~found.predictions["held"], "target"].tolist()
    if missed:
        told.append(f"fitted and still out of the band: {', '.join(missed)}")
    return [*told, *(f"warning: {warning}" for warning in found.warnings)]


def rows(found: Calibration) -> list[tuple[str, ...]]:
    """The parameters as texts, under `HEAD`."""
    return [
        (
            row["parameter"], _short(row["value"]), _interval(row["low"], row["high"]),
            _interval(row["prior_low"], row["prior_high"]) if "prior_low" in row else "",
            f"{100 * row['left_of_prior']:.0f} %",
        )
        for row in found.parameters.to_dict("records")
    ]  # fmt: skip


def predicted_rows(found: Calibration) -> list[tuple[str, ...]]:
    """The targets as texts, under `PREDICTED_HEAD`."""
    return [
        (
            row["target"], row["role"], _short(row["published"]), _interval(row["low"], row["high"]),
            _short(row["predicted"]), _interval(row["predicted_low"], row["predicted_high"]),
            "held" if row["held"] else "NOT HELD",
        )
        for row in found.predictions.to_dict("records")
    ]  # fmt: skip


def _of_the_floor(floor: Floor) -> str:
    told = f"distance {floor.distance:.3g} half bands, {floor.spread:.2g} more or less with other seeds"
    return f"{told}; the model is {floor.noise:.3g} from its own repeats (noise floor)"


def _interval(low: Any, high: Any) -> str:
    there = [not (isinstance(end, float) and isnan(end)) for end in (low, high)]
    if all(there):
        return f"{_short(low)} to {_short(high)}"
    return f"at least {_short(low)}" if there[0] else f"at most {_short(high)}" if there[1] else ""


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, (int, float)) else str(value)
