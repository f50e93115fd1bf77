"""One generation of ABC-SMC, its points simulated in batches.

pyabc's own samplers simulate a point at a time or fork. This one asks pyabc for as many points as it probably takes,
has them simulated together, and lets pyabc judge them in the order in which they were drawn, until enough are
accepted: the rest of a batch is dropped, or quick points would be preferred.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil
from typing import Any

import numpy as np

from mpn_abm.analysis.extras import extra
from mpn_abm.studies.calibrating.evaluated import Evaluations
from mpn_abm.studies.calibrating.floor import seen
from mpn_abm.studies.calibrating.history import History, quiet
from mpn_abm.studies.calibrating.priors import Priors, point_of
from mpn_abm.studies.calibrating.seeds import seed_of
from mpn_abm.studies.calibrating.targets import Target, distance

LEAST_ACCEPTED = 0.01
LARGEST_BATCH = 4
"""In populations."""
ASKED = ("t", "m", "p", "model_prior", "parameter_priors", "model_perturbation_kernel", "transitions")
TOLD = ("t", "summary_statistics", "distance_function", "eps", "acceptor", "x_0", "weight_function", "proposal_id")


class TooFewAccepted(Exception):
    """Less than one point in a hundred was close enough."""


def generation(
    history: History,
    evaluations: Evaluations,
    priors: Priors,
    targets: Sequence[Target],
    *,
    epsilon: float,
    seed: int,
    population: int,
) -> None:
    """Add the next generation to the history.

    Its random stream depends on the seed and its number, its kernels on what the file holds of the one before.
    """
    pyabc, t = history.pyabc, history.number

    def simulated(proposals: Sequence[Any], first: int) -> list[dict[str, float]]:
        seeds = [seed_of(seed, "particle", t, first + k) for k in range(len(proposals))]
        units = [[theta[path] for path in history.paths] for _, theta in proposals]
        found = evaluations.of([point_of(priors, unit, each) for unit, each in zip(units, seeds, strict=True)])
        return [seen(targets, values, each) for values, each in zip(found, seeds, strict=True)]

    chain = pyabc.ABCSMC(
        lambda parameters: {},
        pyabc.Distribution(**{path: pyabc.RV("uniform", 0.0, 1.0) for path in history.paths}),
        lambda values, _: distance(targets, values),
        population_size=population,
        eps=pyabc.ConstantEpsilon(epsilon),
        sampler=_sampler(pyabc, simulated),
    )
    with quiet(), _drawing(seed_of(seed, "generation", t)):
        if t == 0:
            chain.new(history.url, {target.name: target.centre for target in targets})
        else:
            chain.load(history.url, 1)
        chain.run(max_nr_populations=1)
    history.read_again()


def _sampler(pyabc: Any, simulated: Any) -> Any:
    functions = extra("pyabc.inference_util", "calibrate")
    models = extra("pyabc.model", "calibrate")

    class Batches(pyabc.sampler.Sampler):  # type: ignore[misc]
        """Draws, has simulated, and judges."""

        def sample_until_n_accepted(self, n: int, simulate_one: Any, t: int, **_: Any) -> Any:
            asked = {name: simulate_one.keywords[name] for name in ASKED}
            told = {name: simulate_one.keywords[name] for name in TOLD}
            sample, drawn = self._create_empty_sample(), 0
            while sample.n_accepted < n:
                if drawn * LEAST_ACCEPTED >= n:
                    raise TooFewAccepted
                size = _batch(n, drawn, sample.n_accepted)
                proposals = [functions.generate_valid_proposal(**asked) for _ in range(size)]
                for (model, theta), values in zip(proposals, simulated(proposals, drawn), strict=True):
                    found = [models.FunctionModel(lambda _, values=values: values)]
                    sample.append(functions.evaluate_proposal(model, theta, models=found, **told))
                    if sample.n_accepted == n:
                        break
                drawn += size
            self.nr_evaluations_ = drawn
            return sample

    return Batches()


def _batch(wanted: int, drawn: int, accepted: int) -> int:
    """How many points to draw next: as many as it takes at the rate so far, at first as many as are wanted."""
    if drawn == 0:
        return wanted
    rate = max(accepted / drawn, 1.0 / LARGEST_BATCH / wanted)
    return min(ceil((wanted - accepted) / rate), LARGEST_BATCH * wanted)


@contextmanager
def _drawing(seed: int) -> Iterator[None]:
    """Draw from NumPy's global stream, which pyabc uses, with a seed; afterwards it is as it was."""
    before = np.random.get_state()
    np.random.seed(seed % 2**32)
    try:
        yield
    finally:
        np.random.set_state(before)
