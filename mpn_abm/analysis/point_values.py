"""What `estimates.estimate` says, without the interval, which may take a bootstrap: for many small samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from mpn_abm.analysis import statistics
from mpn_abm.analysis.curves import of_all
from mpn_abm.analysis.endpoints import Own, times_to, values_on
from mpn_abm.analysis.estimates import TIMED, Question, curve_of, estimate, values_of
from mpn_abm.analysis.pairing import PAIRED, design_between
from mpn_abm.analysis.patients import Patients
from mpn_abm.analysis.samples import function_of, known
from mpn_abm.scenario.claims import CORRELATIONS


def value_of(question: Question, own: Own, one: Patients, other: Patients | None = None) -> float:
    """The answer in one arm, or of the first against the second; NaN where it is not known.

    As in `estimates.estimate`, arms that hold the same patients are compared by those who have a value in both.
    """
    if question.contrast is None or other is None:
        return _alone(question, own, one)
    if question.contrast == "hazard_ratio":
        return estimate(question, own, one, other).value
    if question.statistic in (*TIMED, *CORRELATIONS):
        mine, theirs = (_alone(replace(question, contrast=None), own, patients) for patients in (one, other))
    else:
        first, second = values_of(question, own, one), values_of(question, own, other)
        if design_between(first.index, second.index) == PAIRED:
            both = pd.concat([first, second], axis=1, join="inner").dropna()
            first, second = both.iloc[:, 0], both.iloc[:, 1]
        mine, theirs = (_of_values(values, question.statistic) for values in (first, second))
    return statistics.over(mine, theirs) if question.contrast == "ratio" else mine - theirs


def _alone(question: Question, own: Own, patients: Patients) -> float:
    if question.statistic in CORRELATIONS:
        assert question.beside is not None
        beside = values_on(patients, question.beside, {}, question.day)
        both = pd.concat([values_on(patients, question.endpoint, own, question.day), beside], axis=1).dropna()
        return statistics.coefficient(both.to_numpy(float), question.statistic)
    if question.statistic in TIMED:
        times = times_to(patients, question.endpoint, own, question.day)
        return float(of_all(times, curve_of(question))) if len(times) else np.nan
    return _of_values(values_of(question, own, patients), question.statistic)


def _of_values(values: pd.Series, statistic: str) -> float:
    sample = known(values, None)
    return float(function_of(statistic)(*sample)) if len(sample.values) else np.nan
