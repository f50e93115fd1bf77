"""Of any study: names are unique, keys change exactly when parameters, arm or seed do, and plans are repeatable."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from studies.small_studies import ARMS, VAF, base, load, sweep, trial

from mpn_abm.studies.plan import plan_of

SOME = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
levels = st.lists(st.floats(0.01, 0.49).map(lambda value: round(value, 3)), min_size=1, max_size=5, unique=True)
factors = st.lists(st.sampled_from([0.5, 1, 2.0, 4]), min_size=1, max_size=3, unique=True)


def assert_it_is_a_plan(plan):
    """Names, numbers and keys; a run is told by its point, arm and seed."""
    assert plan["run_id"].is_unique
    assert plan["number"].tolist() == list(range(len(plan)))
    told = plan[["parameters", "arm", "seed"]].astype(object).where(plan.notna(), "")
    assert (plan["key"].groupby([told[name] for name in told]).nunique() == 1).all()
    assert plan["key"].nunique() == len(told.drop_duplicates())
    assert set(plan["shard"].diff().dropna()) <= {0, 1}
    assert plan["key"].str.fullmatch("[0-9a-f]{16}").all()


@SOME
@given(levels=levels, factors=factors, replicates=st.integers(1, 4), arms=st.booleans())
def test_a_plan_of_a_sweep(levels, factors, replicates, arms):
    scenario = base(arms=ARMS) if arms else base()
    content = sweep({VAF: levels, "patient.fitness": factors}, scenario, replicates=replicates)
    plan = plan_of(load(content, trusted=True))
    assert_it_is_a_plan(plan)
    assert len(plan) == len(levels) * len(factors) * replicates * (2 if arms else 1)
    assert plan["key"].is_unique
    assert plan_of(load(content, trusted=True)).equals(plan)


@SOME
@given(patients=st.integers(1, 30), seed=st.integers(0, 2**53 - 1), further=st.integers(0, 20))
def test_a_plan_of_a_trial(patients, seed, further):
    cohort = {VAF: {"distribution": "beta", "a": 2, "b": 5, "high": 0.45}}
    few, many = (
        plan_of(load(trial(cohort=cohort, patients=number, seed=seed), trusted=True))
        for number in (patients, patients + further)
    )
    assert_it_is_a_plan(many)
    assert (many.groupby("patient")[["seed", VAF]].nunique() == 1).all(axis=None)
    assert many.head(len(few)).drop(columns="shard").equals(few.drop(columns="shard"))
