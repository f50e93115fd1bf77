"""Trials made up by hand or drawn from a seeded generator: trajectories, summaries and plans of their arms."""

import numpy as np
import pandas as pd

from mpn_abm.analysis.trial import arms_of

WEEKS = np.arange(0.0, 337.0, 28.0)


def drawn(number, effect, seed, *, twins=True, death_per_day=0.001, dropout_per_day=0.0, weights=None):
    """Two arms, control and drug; in the drug's the spleen shrinks by `effect` of its size in the end.

    Returns trajectory, summary and plan; twins have the same dispositions and days of leaving in both arms.
    """
    rng = np.random.default_rng(seed)
    tables = {"trajectory": [], "summary": [], "plan": []}
    shared = _dispositions(rng, number, death_per_day, dropout_per_day)
    for k, arm in enumerate(("control", "drug")):
        size, speed, death, left = shared if twins else _dispositions(rng, number, death_per_day, dropout_per_day)
        death = death * (1.6 if k else 1.0)
        names = np.arange(number) + (0 if twins else k * number)
        change = -k * effect * WEEKS / WEEKS[-1] * speed[:, None] + rng.normal(0.0, 0.05, (number, len(WEEKS)))
        spleen = size[:, None] * (1.0 + np.where(WEEKS > 0.0, change, 0.0))
        alive = death[:, None] > WEEKS
        rows = {
            "arm": arm,
            "patient": np.repeat(names, len(WEEKS)),
            "day": np.tile(WEEKS, number),
            "spleen_ml": np.where(alive, spleen, np.nan).ravel(),
            "alive": alive.ravel(),
        }
        tables["trajectory"].append(pd.DataFrame(rows))
        day = np.where(death <= WEEKS[-1], death, np.nan)
        tables["summary"].append(pd.DataFrame({"arm": arm, "patient": names, "death_day": day}))
        plan = {"run_id": [f"{arm}-{name}" for name in names], "arm": arm, "patient": names, "dropout_day": left}
        tables["plan"].append(pd.DataFrame(plan | ({} if weights is None else {"weight": weights})))
    return tuple(pd.concat(pieces, ignore_index=True) for pieces in tables.values())


def arms(*of_drawn, **options):
    """The patients of the arms of `drawn`."""
    return arms_of(*drawn(*of_drawn, **options))


def _dispositions(rng, number, death_per_day, dropout_per_day):
    size, speed = rng.uniform(800.0, 2000.0, number), rng.uniform(0.3, 1.7, number)
    death = rng.exponential(1.0 / death_per_day, number)
    left = rng.exponential(1.0 / dropout_per_day, number) if dropout_per_day else np.full(number, np.nan)
    return size, speed, death, left


def times(*told, first=0, **more):
    """Times from (days, what ended them): e event, d death, c still watched."""
    days, ends = zip(*told, strict=True)
    table = {"time_days": np.array(days, float), "event": [e == "e" for e in ends], "died": [e == "d" for e in ends]}
    return pd.DataFrame(table | more, index=range(first, first + len(days)))
