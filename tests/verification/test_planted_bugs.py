"""Bugs planted into the kernel, to show that the comparisons with the twin and with one thread catch them.

The changed source is interpreted, not compiled; what it imports stays compiled.
"""

import inspect
import re
from dataclasses import replace

import pytest
from verification.kernel_comparison import (
    DAY,
    EVERYTHING,
    FILLED,
    RUNG,
    SETUPS,
    STEPS,
    compare_with_twin,
    differing,
)
from verification.kernel_marrow import Setup, build

from mpn_abm.mechanisms.hematopoiesis import death_birth, events, hazards, stripes

DENSE = Setup(**(EVERYTHING | {"shape": (33, 30), "dt": 2.0, "clones": 20_000}))
FREE = replace(DENSE, mutation=((0.0,) * 3,) * 6)


def with_change(module, old="", new=""):
    """The functions of a module whose source has one passage exchanged, left to the interpreter."""
    text = inspect.getsource(module)
    assert not old or text.count(old) == 1, f"{module.__name__} has changed: plant this bug anew"
    text = text.replace(old, new)
    decorators = re.search(r"^from mpn_abm\.kernels\.compiler import (.*)$", text, re.MULTILINE)
    text = text.replace(decorators[0], "")
    changed = {"__name__": "changed"} | dict.fromkeys(decorators[1].split(", "), lambda function: function)
    exec(compile(text, f"changed {module.__name__}", "exec"), changed)
    changed["prefetch"] = lambda *_: None
    return changed


def striped_difference(setup, changed, steps=6, count=5):
    """Arrays in which stripes run by changed source differ from the serial run."""
    serial, striped = build(setup), build(setup)
    serial.run(0, steps)
    striped.run_striped(0, steps, count, changed["run_step_striped"])
    return differing(serial, striped)


@pytest.mark.parametrize("setup", [DENSE, FREE], ids=["mutation", "no mutation"])
def test_interpreted_stripes_give_the_bits_of_one_thread(setup):
    """The control of the planted bugs: without a change the comparison holds."""
    assert striped_difference(setup, with_change(stripes)) == []


def test_stripes_may_run_in_any_order():
    """Catches a stripe that relies on another's being done, which one thread would hide."""
    changed = with_change(stripes)
    changed["prange"] = lambda n: reversed(range(n))
    assert striped_difference(DENSE, changed) == []


STRIPE_BUGS = {
    "the far side of a crossing candidate is not marked": (
        FREE,
        "cell[s] |= MARK\n                continue",
        "continue",
    ),
    "a put-off candidate does not mark its target": (
        FREE,
        "if int64(t) >= low and int64(t) < high:\n                cell[t] |= MARK",
        "pass",
    ),
    "a put-off candidate does not mark its source": (
        FREE,
        "cell[s] |= MARK\n            if int64(t) >= low",
        "if int64(t) >= low",
    ),
    "marks are read at the source alone": (FREE, "((cell[s] | cell[t]) & MARK)", "(cell[s] & MARK)"),
    "marks are not cleared": (FREE, "cell[here[0, j]] &= ~MARK", "pass"),
    "what was put off runs by stripe": (
        FREE,
        "put_off[k, NUMBER, at[k]] < put_off[best, NUMBER, at[best]]",
        "False",
    ),
    "clone ids are given inside a stripe": (
        DENSE,
        "if action >= lowest_mutation:\n                kind = CROSSING",
        "pass",
    ),
    "the births of a stripe are not added": (FREE, "counters.births[g] += counts[k, 1, g]", "pass"),
    "the clones of a stripe are not added": (FREE, "counters.clone_cells[clone] += clones[k, clone]", "pass"),
    "the antigen counts of a stripe are not added": (
        FREE,
        "counters.antigen_cells[row, byte] += antigen[k, row, byte]",
        "pass",
    ),
}


@pytest.mark.parametrize("bug", STRIPE_BUGS)
def test_the_comparison_of_stripes_catches(bug):
    """On one thread, so that a race is not needed for the bug to show."""
    setup, old, new = STRIPE_BUGS[bug]
    assert striped_difference(setup, with_change(stripes, old, new)) != []


def by_hand(changed):
    """Steps of a set-up with the step of its rule taken from changed source."""

    def execute(state, rules, lattice, *rest):
        if "run_step_death_birth" in changed:
            changed["run_step_death_birth"](state, rules, lattice, DAY, *rest)
        else:
            changed["run_step"](state, rules, lattice, *rest)

    return lambda kernel, step: kernel.run_by_hand(step, 1, execute)


@pytest.mark.parametrize(
    ("module", "setup"),
    [
        (events, SETUPS["torus"]),
        (events, SETUPS["everything in a volume"]),
        (death_birth, FILLED["reflecting volume"]),
    ],
    ids=["torus", "volume", "death_birth"],
)
def test_interpreted_steps_are_those_of_the_twin(module, setup):
    """The control of the bugs planted into the events."""
    compare_with_twin(setup, 6, by_hand(with_change(module)))


EVENT_BUGS = {
    "the wrong word displaces": ("everything", "displacing and uint64(f1) >=", "displacing and uint64(f3) >="),
    "a daughter displaces before she lodges in the scar of her mother": (
        "scar",
        "e = scar[target_blocks[j]] if scarred else 0",
        "e = scar[source_blocks[j]] if scarred else 0",
    ),
    "scar does not hold back division": (
        "scar",
        "b = division[g] - division_scar[g] * uint64(scar[source_blocks[j]])",
        "b = division[g]",
    ),
    "scar turns division into loss": ("scar", "end = b + loss[g]", "end = division[g] + loss[g]"),
    "a daughter has her mother's antigen": (
        "torus",
        "daughter = (word & ~ANTIGEN) | (byte << ANTIGEN_SHIFT)",
        "daughter = word",
    ),
    "a second mutation draws the antigen anew": ("torus", "    elif new_class > 0:", "    if new_class > 0:"),
    "kinds of mutation are counted from below": (
        "mutation alone",
        "for k in range(mutation.shape[1]):",
        "for k in range(mutation.shape[1] - 1, -1, -1):",
    ),
    "a lost cell leaves its clone id behind": ("torus", "cell[s] = uint64(0)", "cell[s] = word & ~GENOTYPE"),
    "the founder of a clone is its parent": (
        "torus",
        "facts[FOUNDER] = clone_table[parent, FOUNDER]",
        "facts[FOUNDER] = parent",
    ),
    "a division into the mother's own site counts": ("reflecting", "if t == s:", "if False:"),
    "the occupant stays in the block count": (
        "torus",
        "source[base[h], tb] -= source_weight[h]",
        "pass",
    ),
}  # fmt: skip


FILLING_BUGS = {
    "a lost cell stays until its place is taken": ("scar", "cell[s] = uint64(0)", "pass"),
    "the first cell drawn is the parent": (
        "torus",
        "if uint64(w2) < marks.division[g] - marks.division_scar[g] * uint64(scar[block_of(h, lattice)]):",
        "if marks.division[g] > 0:",
    ),
    "scar does not hold back a parent": (
        "scar",
        "marks.division[g] - marks.division_scar[g] * uint64(scar[block_of(h, lattice)])",
        "marks.division[g]",
    ),
    "scar where the daughter lodges counts for the parent": (
        "scar",
        "scar[block_of(h, lattice)]",
        "scar[block_of(s, lattice)]",
    ),
    "a daughter lodges in scar as elsewhere": ("scar", "if e != 0 and uint64(f3) >= rules.lodge[e]:", "if False:"),
    "empty sites are offered by every candidate": ("scar", "elif action >= filling:", "elif False:"),
    "the draws of a parent stop early": ("nearly empty", "MOST_OFFERS = 64", "MOST_OFFERS = 32"),
}


@pytest.mark.parametrize("bug", EVENT_BUGS | FILLING_BUGS)
def test_the_comparison_with_the_twin_catches(bug):
    if bug in EVENT_BUGS:
        (name, old, new), module, group = EVENT_BUGS[bug], events, SETUPS
    else:
        (name, old, new), module, group = FILLING_BUGS[bug], death_birth, FILLED
    with pytest.raises(AssertionError, match="after step"):
        compare_with_twin(group[name], 12, by_hand(with_change(module, old, new)))


HAZARD_BUGS = {
    "birth and loss are not capped and wrap to 0": (
        RUNG,
        "marks.loss[g] = min(threshold(d / rho), room - division)",
        "marks.loss[g] = threshold(d / rho)",
    ),
    "negative fitness slows division instead of adding loss": (
        SETUPS["torus"],
        "loss = (rules.loss_rate + max(0.0, -s)) * min",
        "loss = rules.loss_rate * min",
    ),
    "a genotype acts within the step in which it appears": (
        SETUPS["newcomers"],
        "if count[g] == 0:\n            if marks",
        "if False:\n            if marks",
    ),
    "a genotype that died out keeps its thresholds": (
        SETUPS["few sites, where genotypes come and go"],
        "                clear_marks(g, marks)\n            continue",
        "                pass\n            continue",
    ),
    "mutation keeps the threshold of another rate of the list": (
        SETUPS["everything"],
        "if marks.known[g] == rho * boost:",
        "if marks.known[g] != 0.0:",
    ),
    "the rate of the list stays off the ladder": (SETUPS["torus"], "rho = ladder(highest)", "rho = highest"),
}


def by_hazards(changed):
    thresholds = changed["set_thresholds"]
    return lambda kernel, step: kernel.run_by_hand(step, 1, events.run_step, thresholds)


@pytest.mark.parametrize(
    "setup",
    [RUNG, SETUPS["torus"], SETUPS["newcomers"], SETUPS["everything"]],
    ids=["rung", "torus", "newcomers", "everything"],
)
def test_interpreted_hazards_are_those_of_the_twin(setup):
    """The control of the bugs planted into the hazards."""
    compare_with_twin(setup, STEPS, by_hazards(with_change(hazards)))


@pytest.mark.parametrize("bug", HAZARD_BUGS)
def test_the_comparison_of_hazards_with_the_twin_catches(bug):
    setup, old, new = HAZARD_BUGS[bug]
    with pytest.raises(AssertionError, match="after step"):
        compare_with_twin(setup, STEPS, by_hazards(with_change(hazards, old, new)))
