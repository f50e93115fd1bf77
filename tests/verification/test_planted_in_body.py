"""Bugs planted into the mechanisms of drugs, immunity, blood and death, to show that a second reader's equations and
the accounts of the cells catch them.

Each kernel is run from its source by the interpreter, as it is and changed, beside the same equations written out once
more from model.md in plain floats.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from verification.everything import EVERYTHING
from verification.runs import scenario
from verification.test_everything import Accounts
from verification.test_planted_bugs import with_change

from mpn_abm.batch import Batch
from mpn_abm.compile.program import compile_scenario
from mpn_abm.mechanisms import outcome, past, schedule
from mpn_abm.mechanisms.antigen import kernel as antigen
from mpn_abm.mechanisms.blood import kernel as blood
from mpn_abm.mechanisms.immune import kernel as immune
from mpn_abm.mechanisms.jak_stat import kernel as jak_stat
from mpn_abm.mechanisms.progression import kernel as progression
from mpn_abm.mechanisms.spleen import kernel as spleen
from mpn_abm.mechanisms.transplant import kernel as transplant
from mpn_abm.state import (
    ANTI_CALR,
    ANTIGEN_DENSITY,
    BLASTS,
    BLOCKADE,
    CHECKPOINT,
    ELTROMBOPAG,
    GRAFT,
    HSP90,
    JAK1,
    PHASE,
    RESPONSE_LOST_STEP,
    SPLEEN,
    STRAINS,
    SUPPRESSION,
    SYMPTOMS,
    T_CELL_JAK,
    T_DIVISION,
    T_KILLING,
    T_QUALITY,
    TALLIES,
    TRANSPLANT_STEP,
    TRANSPLANT_TREATMENT,
    TYPE_1,
    TYPE_2,
)

YEAR = 365.25
PROGRAM = compile_scenario(scenario(EVERYTHING).spec)
RULES, BASES = PROGRAM.rules, PROGRAM.cell_types.bases
GENES = [PROGRAM.spec.genotypes[base].gene for base in BASES]
MUTANT = np.array([gene != "none" for gene in GENES])


def mean_on_the_way(value, target, x):
    """Value reached and mean of a relaxation over x time constants."""
    left = np.exp(-x)
    return target + (value - target) * left, target + (value - target) * (1.0 - left) / x


def state(random):
    """A marrow's signal, immunity, body and tally with random content."""
    n = len(BASES)
    share = random.dirichlet(np.ones(n))
    medication = random.random(9)
    medication[[HSP90, ANTI_CALR]] *= 1.2
    signal = SimpleNamespace(
        medication=medication, factor=random.random((6, n)) + 0.5, activity=2.0 * random.random(n) + 0.2,
        persistence=random.random(n) * MUTANT, protein=random.random(n),
        response=random.random(2) * random.integers(2),
    )  # fmt: skip
    classes = RULES.antigen.molecules.shape[0]
    immunity = SimpleNamespace(
        strain=np.zeros(STRAINS), pd_l1=np.zeros(n), checkpoint=np.zeros(n), hazard=np.zeros(n),
        density=np.zeros(classes), lysis=np.zeros((classes, 256)), activation=np.zeros((classes, 256)),
        lysis_progenitor=np.zeros(classes), activation_progenitor=np.zeros(classes),
    )  # fmt: skip
    body = SimpleNamespace(
        share=share, output=np.zeros(n), blood=random.random((3, 3)), reading=random.random(4) * [900.0, 80.0, 1.0, 0.1]
    )
    tally = np.zeros(TALLIES, np.int64)
    tally[RESPONSE_LOST_STEP] = random.integers(2)
    return signal, immunity, body, tally


# The equations once more; each returns what the kernel should have written.


def signalling(changed, random):
    signal, _, _, tally = state(random)
    dt = random.choice([0.5, 1.0, 7.0])
    m = signal.medication
    counts = 0.3 if tally[RESPONSE_LOST_STEP] else 1.0
    if random.random() < 0.4:
        m[TYPE_1] = random.choice([0.0, 0.005])
    held, expected = m[TYPE_1] * counts, []
    for b, gene in enumerate(GENES):
        h = 0.2 if gene == "none" else 1.5
        _, j = mean_on_the_way(signal.protein[b], 1.0 / (1.0 + h * m[HSP90]), 0.33 * dt)
        if gene == "none":
            active = 1.0 - m[TYPE_1]
        elif held > 0.01:
            _, p = mean_on_the_way(signal.persistence[b], held, dt / 21.0)
            active = 1.0 - held + 0.45 * p
        else:
            _, p = mean_on_the_way(signal.persistence[b], 0.0, dt / 14.0)
            active = 1.0 - held + (1.17 if gene == "JAK2" else 0.0) * p
        expected.append(j * active * (1.0 - m[TYPE_2]) * (1.0 - 0.8 * min(1.0, m[ANTI_CALR]) * (gene == "CALR")))
    jak1 = m[JAK1] * counts
    changed["signal_in_cells"](signal, tally, RULES.signal, dt)
    return np.r_[signal.activity, signal.response], np.r_[expected, held, jak1]


def immunity(changed, random):
    signal, found, body, _ = state(random)
    m, x, a = signal.medication, body.share, signal.activity
    gain = np.array([{"none": 0.0, "JAK2": 1.5, "CALR": 1.0}[gene] for gene in GENES])
    level = 1.0 + gain * a / (a + 1.0)
    field, untreated = (x * a * MUTANT).sum() * (1.0 - signal.response[1]), (x * MUTANT).sum()

    def quality(bound, blockade, burden, suppression):
        return (
            (1.0 - 0.9 * bound / (1.0 + bound) * (1.0 - blockade))
            * (1.0 - 0.2 * burden)
            / (1.0 + (suppression / 0.2) ** 2)
        )

    now = quality(level, m[BLOCKADE], m[T_CELL_JAK], field)
    won = now - quality(1.0 + gain / 2.0, 0.0, 0.0, untreated)
    hazard = (body.reading[GRAFT] + 5.0 / YEAR * np.maximum(0.0, won)) * MUTANT
    checkpoint = 0.5 * level / (1.0 + level) * (1.0 - m[BLOCKADE])
    seen = np.array([gene == "CALR" for gene in GENES])
    strain = [
        (x * checkpoint * seen).sum() / (x * seen).sum(), field, (x * now).sum() / x.sum(),
        1 - 0.5 * m[T_CELL_JAK], 1 - 0.2 * m[T_CELL_JAK],
    ]  # fmt: skip
    changed["weigh_immunity"](signal, found, body, RULES.immune)
    written = found.strain[[CHECKPOINT, SUPPRESSION, T_QUALITY, T_DIVISION, T_KILLING]]
    return np.r_[found.hazard, found.pd_l1, found.checkpoint, written], np.r_[hazard, level, checkpoint, strain]


def shown(changed, random):
    signal, found, _, _ = state(random)
    late, x = int(random.integers(2)), signal.medication[ELTROMBOPAG]
    rules = RULES.antigen
    lysis = []
    for c in range(1, len(rules.base)):
        factor = (1.0 + 2.0 * x / (x + 1.0)) * signal.factor[ANTIGEN_DENSITY, rules.base[c]]
        factor *= 0.5 if late and not rules.always_late[c] else 1.0
        a = rules.molecules[c] * factor
        p = rules.progenitor[c] * factor
        lysis.append(np.r_[*(x * x / (x * x + half * half) for x in (a, p) for half in (310.0, 2500.0))])
    changed["show_antigen"](found, signal, late, rules)
    written = [
        np.r_[found.lysis[c], found.activation[c], found.lysis_progenitor[c], found.activation_progenitor[c]]
        for c in range(1, len(rules.base))
    ]
    return np.ravel(written), np.ravel(lysis)


def counts(changed, random):
    signal, _, body, _ = state(random)
    scar, filled, x = random.random(), random.random(), body.share
    gain = np.array([[PROGRAM.spec.genotypes[b].platelet_gain, PROGRAM.spec.genotypes[b].red_cell_gain,
                      PROGRAM.spec.genotypes[b].white_cell_gain] for b in BASES]).T  # fmt: skip
    expected = []
    for line, (r, d, lag) in enumerate([(0.95, 0.4, 5.0), (0.5, 0.2, 40.0), (0.3, 0.2, 2.0)]):
        inflow = (1.0 + (gain[line] * x * signal.activity).sum()) * (1.0 - r * scar)
        inflow *= (1.0 - d * signal.medication[TYPE_1]) * 1.05 * filled / (filled + 0.05)
        for k in range(3):
            reached, inflow = mean_on_the_way(body.blood[line, k], inflow, 3.0 / lag)
            expected.append(reached)
    output = x * [
        1.0 + PROGRAM.spec.genotypes[b].granulocyte_output * a for b, a in zip(BASES, signal.activity, strict=True)
    ]
    changed["make_blood"](body, signal, scar, filled, RULES.blood, 1.0)
    changed["put_out"](body, signal.activity, RULES.blood)
    return np.r_[body.blood.ravel(), body.output], np.r_[expected, output / output.sum()]


def organs(changed, random):
    signal, _, body, _ = state(random)
    scar = random.random()
    signal.response[0] *= random.choice([0.0, 1.0])
    rho = np.array([1.17 * (gene == "JAK2") for gene in GENES]) * (signal.response[0] <= 0.01)
    cytokine = (1.0 - signal.response[1]) * (1.0 + rho * signal.persistence)
    part = body.share * MUTANT * (0.1 + scar)
    volume = 200.0 + 4500.0 * (part * (0.1 + 0.4 * signal.activity + 0.5 * cytokine)).sum()
    score = 100.0 * (part * (0.1 * signal.activity + 0.9 * cytokine)).sum()
    before = body.reading.copy()
    changed["fill_spleen"](body, signal, scar, RULES.spleen, 2.0)
    expected = [volume + (before[0] - volume) * np.exp(-2 / 28), score + (before[1] - score) * np.exp(-2 / 4)]
    return body.reading[[SPLEEN, SYMPTOMS]], np.array(expected)


def dying(changed, random):
    _, _, body, tally = state(random)
    grade, phase, before, blasts = random.integers(4), random.integers(3), random.integers(3), random.random() * 0.3
    x = body.share
    mutants, calr = x[MUTANT].sum(), sum(x[b] for b, gene in enumerate(GENES) if gene == "CALR")
    rate = [0.0, 0.2, 4.8][phase]
    if phase == 0:
        rate = 0.03
        if grade >= 2:
            part = calr / mutants
            rate = 0.10 * (1.0 + body.reading[SPLEEN] / 2600.0) / 2.0 * (1.0 - part + 0.2 * part)
    standing = 2 if blasts >= 0.2 else 1 if blasts >= 0.1 else 0
    tally[TRANSPLANT_STEP] = random.integers(0, 3) * 1000
    step = int(tally[TRANSPLANT_STEP]) - 1 + int(random.integers(0, 800))
    cost = 0.0 if tally[TRANSPLANT_STEP] == 0 else 0.315 if step + 1 - tally[TRANSPLANT_STEP] < YEAR else 0.032
    tally[TRANSPLANT_TREATMENT] = list(PROGRAM.spec.treatments).index("transplant")
    found = [
        changed["disease_hazard"](x, body.reading, grade, phase, RULES.progression) * YEAR,
        changed["phase_of"](blasts, before, RULES.progression),
        changed["transplant_hazard"](tally, RULES.progression, step, 1.0) * YEAR,
    ]
    return np.array(found), np.array([rate * mutants / (mutants + 0.05), min(standing, before + 1), cost])


KERNELS = {
    "signalling": (jak_stat, signalling),
    "immunity": (immune, immunity),
    "antigen": (antigen, shown),
    "blood": (blood, counts),
    "organs": (spleen, organs),
    "dying": (progression, dying),
}


def agrees(kernel, old="", new=""):
    """Whether a kernel and its equations agree in 40 random states."""
    module, equations = KERNELS[kernel]
    changed = with_change(module, old, new)
    for seed in range(40):
        found, expected = equations(changed, np.random.default_rng(seed))
        if not np.allclose(found, expected, rtol=1e-7, atol=1e-12):
            return False
    return True


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_kernel_is_its_equations(kernel):
    """The control of the planted bugs."""
    assert agrees(kernel)


BUGS = {
    "the wild type persists": ("signalling", "if rules.persists[b] == 0:", "if False:"),
    "persistence is that of the end of the step": (
        "signalling", "+ rules.trans_activation * mean", "+ rules.trans_activation * reached"
    ),
    "on and off the drug exchanged": ("signalling", "elif on:", "elif not on:"),
    "a lost response counts whole": ("signalling", "if tally[RESPONSE_LOST_STEP] > 0 else 1.0", "if False else 1.0"),
    "an antibody takes more than its part": ("signalling", "min(1.0, medication[ANTI_CALR])", "medication[ANTI_CALR]"),
    "type II occupancy left out": ("signalling", "protein * active * free_of_type_2", "protein * active"),
    "JAK1 occupancy raises suppression": (
        "immunity", "suppression *= 1.0 - signal.response[HELD_JAK1]", "suppression *= 1.0 + signal.response[HELD_JAK1]"
    ),
    "Q0 under the blockade": ("immunity", "[b], 0.0, 0.0, mutants", "[b], blockade, 0.0, mutants"),
    "Q0 at the suppression of now": ("immunity", "0.0, 0.0, mutants, rules)", "0.0, 0.0, suppression, rules)"),
    "surveillance below that of the untreated": ("immunity", "max(0.0, now - untreated)", "(now - untreated)"),
    "the graft is forgotten": ("immunity", "immunity.hazard[b] = graft if", "immunity.hazard[b] = 0.0 if"),
    "healthy cells stop T cells too": ("immunity", "if rules.is_seen[b] == 1:", "if True:"),
    "the late factor twice in blasts": ("antigen", "late == 1 and rules.always_late[c] == 0", "late == 1"),
    "eltrombopag without saturation": ("antigen", "* exposure / (exposure + 1.0)", "* exposure"),
    "activation as steep as lysis": ("antigen", "activation[c, byte] = response(a, rules.activation_half",
                                     "activation[c, byte] = response(a, rules.lysis_half"),
    "one stage of transit": ("blood", "for k in range(3):\n            body", "for k in range(1):\n            body"),
    "the whole lag in each stage": ("blood", "x = dt * 3.0 / rules.lag[line]", "x = dt / rules.lag[line]"),
    "scar adds to counts": ("blood", "(1.0 - rules.scar_cost[line] * scar)", "(1.0 + rules.scar_cost[line] * scar)"),
    "output without activity": ("blood", "rules.granulocytes[b] * activity[b]", "rules.granulocytes[b]"),
    "healthy cells swell the spleen": ("organs", "rules.is_mutant[b] == 1 and ", ""),
    "rebound on the drug": ("organs", "if off:", "if not off:"),
    "symptoms as slow as the spleen": ("organs", "score, dt / rules.time[1]", "score, dt / rules.time[0]"),
    "straight into the blast phase": ("dying", "return min(now, phase + 1)", "return now"),
    "a burden that does not count": ("dying", "return rate * mutants / (mutants + rules.burden_half)", "return rate"),
    "scar in the accelerated phase": ("dying", "if phase > CHRONIC:", "if phase > CHRONIC and grade < 2.0:"),
    "a first year of days": ("dying", ">= YEAR:", ">= 36.525:"),
}  # fmt: skip


@pytest.mark.parametrize("bug", BUGS)
def test_the_equations_catch(bug):
    assert not agrees(*BUGS[bug])


# The accounts of the cells.

SHORT = EVERYTHING | {
    "time": {"duration_days": 30, "record_every_days": 30}, "marrow": {"shape": [24, 20], "hsc_pool_cells": 20_000},
    "progression": {"transformation_rate_per_year": 2e-4, "mortality": False},
    "treatments": {"transplant": {"dose_relative": 1, "day": 3}, "ruxolitinib": {"dose_mg": 20}},
}  # fmt: skip


def balanced(module=None, old="", new=""):
    """Whether the accounts hold through a transplant, its kernel taken from changed source."""
    content = SHORT | {"clones": {name: said for name, said in EVERYTHING["clones"].items() if name != "late"}}
    program = compile_scenario(scenario(content).spec)
    batch, accounts = Batch(program, [0]), Accounts()
    marrow, rules = batch.marrow(0), program.rules
    changed = with_change(schedule)
    if module is transplant:
        changed["transplant_what_is_due"] = with_change(transplant, old, new)["transplant_what_is_due"]
    if module is outcome:
        changed["advance_disease"] = with_change(outcome, old, new)["advance_disease"]
    try:
        if module is past:
            # day 0 a second time, with what the past adds
            accounts(marrow, 0.0)
            with_change(past, old, new)["transform_the_past"](
                marrow.cell, marrow.counters, marrow.ledger, marrow.clone_table, marrow.ground.source, marrow.tally,
                rules.cells, program.start.weight, 6.0, rules.lattice, 1.0, *batch.keys[0] + np.uint32(5),
            )  # fmt: skip
            accounts(marrow, 1.0)
            return True
        accounts(marrow, 0.0)
        for step in range(25):
            reached = step
            while reached == step:
                reached, need = changed["run_days"](batch.marrow(0), rules, step, step + 1, *batch.keys[0])
                if need != schedule.DONE:
                    batch._make_room(need, batch.take_rows)
            marrow = batch.marrow(0)
            accounts(marrow, step + 1.0)
        assert accounts.seen["arrived"] > 20
        assert marrow.body.reading[GRAFT] > 0.0
        assert 0.0 <= marrow.body.reading[BLASTS] <= 1.0
        assert marrow.tally[PHASE] in (0, 1, 2)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("module", [None, transplant, outcome, past])
def test_the_accounts_hold_when_the_schedule_is_interpreted(module):
    """The control of the bugs below."""
    assert balanced(module)


WRONG_BOOKS = {
    "donors are not counted": (transplant, "arrived[donor] += 1", "pass"),
    "donors lodge where somebody lives": (transplant, "if marrow_cell[s] != uint64(0):\n            continue", "pass"),
    "the clone of the donor is that of another": (transplant, "    clone = tally[NEXT_CLONE]\n", "    clone = 1\n"),
    "donors never come": (transplant, "if uint64(w0) < lodges:", "if False:"),
    "cells of the past join the clone after theirs": (
        past, "turn(site, block, new, clone, word", "turn(site, block, new, clone + 1, word"
    ),
    "conditioning forgets the cell word": (
        transplant, "clear_site(s, marrow_cell, counters, source, tally, cells, lattice)", "marrow_cell[s] = uint64(0)"
    ),
}  # fmt: skip


@pytest.mark.parametrize("bug", WRONG_BOOKS)
def test_the_accounts_catch(bug):
    assert not balanced(*WRONG_BOOKS[bug])
