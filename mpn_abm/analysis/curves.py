"""Product-limit curves of weighted patients, many at once: for weights, and for patients who are drawn again.

`weights` is float[samples, patients] with a row for each curve. Kaplan-Meier of patients without weights is scipy's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

Floats = np.ndarray


class Curves(NamedTuple):
    """What happens at each moment at which anybody is seen last."""

    moments: Floats  # float[moments]
    at_risk: Floats  # float[samples, moments]
    events: Floats
    deaths: Floats  # without the event before

    @property
    def free(self) -> Floats:
        """float[samples, moments]: share without the event after each moment (Kaplan-Meier)."""
        return np.asarray(np.cumprod(1.0 - _over(self.events, self.at_risk), axis=1))

    @property
    def incidence(self) -> Floats:
        """float[samples, moments]: share with the event, death competing (Aalen-Johansen)."""
        in_neither = np.cumprod(1.0 - _over(self.events + self.deaths, self.at_risk), axis=1)
        before = np.hstack([np.ones((len(in_neither), 1)), in_neither[:, :-1]])
        return np.asarray(np.cumsum(before * _over(self.events, self.at_risk), axis=1))


Statistic = Callable[[Curves], Floats]


def curves(times: pd.DataFrame, weights: Floats) -> Curves:
    """The curves of times (`time_days`, `event`, `died`), one for each row of weights."""
    time = times["time_days"].to_numpy(float)
    order = np.argsort(time, kind="stable")
    moments, first = np.unique(time[order], return_index=True)
    weights = weights[:, order]

    def summed(part: Floats) -> Floats:
        return np.asarray(np.add.reduceat(part, first, axis=1)) if len(first) else np.empty((len(part), 0))

    leaving = summed(weights)
    at_risk = leaving[:, ::-1].cumsum(axis=1)[:, ::-1]
    events, deaths = (times[name].to_numpy(bool)[order] for name in ("event", "died"))
    return Curves(moments, at_risk, summed(weights * events), summed(weights * deaths))


def free_on(day: float) -> Statistic:
    """Share without the event on a day."""
    return lambda found: _on(found.moments, found.free, day, 1.0)


def incidence_on(day: float) -> Statistic:
    """Share with the event by a day, death competing."""
    return lambda found: _on(found.moments, found.incidence, day, 0.0)


def half_time(found: Curves) -> Floats:
    """First day by which half had the event, NaN if it is not reached."""
    reached = found.free <= 0.5 + 1e-12
    days = found.moments[reached.argmax(axis=1)] if len(found.moments) else np.nan
    return np.asarray(np.where(reached.any(axis=1), days, np.nan))


def restricted_mean(day: float) -> Statistic:
    """Mean of the days without the event up to a day: the area under the curve."""

    def area(found: Curves) -> Floats:
        known = found.moments < day
        steps = np.diff(np.concatenate([[0.0], found.moments[known], [day]]))
        heights = np.hstack([np.ones((len(found.at_risk), 1)), found.free[:, known]])
        return np.asarray(heights @ steps)

    return area


def weights_of(times: pd.DataFrame) -> Floats | None:
    """float[patients]: the weights of patients, None where they have none."""
    return times["weight"].to_numpy(float) if "weight" in times else None


def of_all(times: pd.DataFrame, statistic: Statistic) -> float:
    """A statistic of the patients as they are."""
    weights = weights_of(times)
    return float(statistic(curves(times, (np.ones(len(times)) if weights is None else weights)[None, :]))[0])


def of_draws(times: pd.DataFrame, counts: Floats, statistic: Statistic) -> Floats:
    """float[samples]: a statistic where patients occur as often as int[samples, patients] says."""
    weights = weights_of(times)
    return statistic(curves(times, counts.astype(float) if weights is None else counts * weights))


def _on(moments: Floats, curve: Floats, day: float, start: float) -> Floats:
    last = int(np.searchsorted(moments, day, side="right")) - 1
    return np.full(len(curve), start) if last < 0 else curve[:, last]


def _over(part: Floats, at_risk: Floats) -> Floats:
    # in a sample whose patients have all left nothing happens any more
    return np.asarray(np.divide(part, at_risk, out=np.zeros_like(part), where=at_risk > 0.0))
