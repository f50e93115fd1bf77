"""The compiled CAR T cells against an independent twin in plain Python, draw for draw, and bugs planted into them."""

import numpy as np
import pytest
from verification.car_t_comparison import Pair, compare_with_twin, niche, tissue
from verification.test_planted_bugs import with_change

from mpn_abm.kernels import lattice
from mpn_abm.mechanisms.car_t import infusion, life, macro, micro, population, surroundings
from mpn_abm.state import KILLS, T_CELLS

SHORT = {"hematopoiesis": {"enabled": False, "homing_radius_sites": 1}}
HIGH_SEED = (1_234_567 << 32) + 20_240_229
MANY_GENOTYPES = {f"dim{k}": {"like": "CALR_TYPE2", "antigen_molecules": 60 + 40 * k} for k in range(16)}
MANY_CLONES = {
    "healthy": {"genotype": "wild_type", "fraction": 0.1},
    **{f"clone{k}": {"genotype": f"dim{k}", "fraction": 0.05} for k in range(16)},
}
NICHE = {
    "torus": niche([9, 8]),
    "reflecting": niche([9, 8], "reflecting"),
    "volume": niche([4, 6, 5], seed=HIGH_SEED),
    "reflecting volume": niche([4, 5, 6], "reflecting"),
    "narrow torus": niche([2, 7], **SHORT),
    "one row": niche([20, 1], "reflecting", **SHORT),
    "steps of 4 hours": niche([9, 8], time={"duration_days": 30, "step_hours": 4}),
    "steps of 10 hours in 3": niche([9, 8], time={"duration_days": 30, "step_hours": 10}),
    "everybody turns into memory": niche([9, 8], car_t={"memory_share": 1, "death_rate_per_day": 5}),
    "no divisions": niche([9, 8], car_t={"programme_divisions": 0}),
    "an inhibitor": niche([9, 8], treatments={
        "car_t": {"dose_cells": 1.2e11}, "ruxolitinib": {"dose_mg": 20, "times_per_day": 2},
    }),
    "background": niche([9, 8], "reflecting", car_t={"background_kill": 0.3}),
    # few agents for its sites at first, then many
    "wide": niche([36, 30], "reflecting"),
    "wide volume": niche([9, 10, 11]),
    # more kinds of cells than there are counts in a word
    "many kinds": niche([9, 8], genotypes=MANY_GENOTYPES, clones=MANY_CLONES),
}  # fmt: skip
TISSUE = {
    "torus": tissue([14, 11]),
    "reflecting": tissue([14, 11], "reflecting"),
    "volume": tissue([6, 5, 7], seed=HIGH_SEED),
    "reflecting volume": tissue([5, 7, 6], "reflecting"),
    "narrow torus": tissue([2, 9], **SHORT),
    "one row": tissue([24, 1], "reflecting", **SHORT),
    "steps shorter than a hop": tissue([14, 11], time={"duration_hours": 24, "step_minutes": 1.5}),
    "no rest": tissue([14, 11], car_t={"rest_time_minutes": 0}),
    "no scar": tissue([14, 11], "reflecting", fibrosis={"enabled": False}),
    "background": tissue([14, 11], car_t={"background_kill": 0.5}),
    "crowd": tissue([6, 6], "reflecting", clones={"calr": {"genotype": "CALR_TYPE1", "fraction": 0.2}}, car_t={
        "attach_time_2d_minutes": 0.01, "engagement_time_minutes": 0.01, "capacity": 5,
    }),
}  # fmt: skip


@pytest.mark.parametrize("setup", NICHE)
def test_t_cells_at_niche_scale_are_those_of_the_twin(setup):
    compare_with_twin(NICHE[setup], 18, agents=8)


@pytest.mark.parametrize("setup", TISSUE)
def test_t_cells_at_tissue_scale_are_those_of_the_twin(setup):
    compare_with_twin(TISSUE[setup], 24, agents=8)


@pytest.mark.parametrize(("content", "steps"), [(NICHE["torus"], 18), (TISSUE["reflecting"], 24)])
def test_the_set_ups_show_all_of_the_life_of_a_t_cell(content, steps):
    """Else the comparison would compare little."""
    seen = {"memory": 0, "recommitted": 0, "worn out": 0, "tired": 0, "born": 0, "dead": 0, "full": 0}
    before = {}

    def look(pair, step):
        pair.run(step)
        room = pair.spec.car_t.capacity * pair.marrow_cells / pair.cells_per_agent
        alive = pair.t_cells.agents
        seen["full"] = max(seen["full"], len(alive) / room)
        for agent in alive:
            memory, to_go = before.get(agent.uid, (False, 0))
            seen["memory"] += agent.memory
            seen["recommitted"] += agent.to_go > to_go > 0 or (memory and not agent.memory)
            seen["worn out"] += agent.done == pair.spec.car_t.max_divisions
            seen["tired"] += agent.x > pair.spec.car_t.exhaustion_half
        seen["dead"] += len(before.keys() - {agent.uid for agent in alive})
        before.clear()
        before.update({agent.uid: (agent.memory, agent.to_go) for agent in alive})

    pair = compare_with_twin(content, steps, look)
    seen["born"] = pair.t_cells.next_uid - 1 - sum(pair.dose(t) for _, t in pair.infusions() if t.dose_cells)
    assert all(seen.values()), seen
    assert pair.state.tally[KILLS] > 20
    assert seen["full"] > 0.8, seen


def test_agents_by_the_ten_thousand_around_a_site_add_their_force():
    """40,000 agents on nine sites leave no target on the first day. Catches a sum of forces that wraps."""
    pair = Pair(niche(
        [3, 3], car_t={"cells_per_agent": 1e7}, treatments={"car_t": {"dose_cells": 4e12}}, antigen={"spread": 0},
        clones={"calr": {"genotype": "CALR_TYPE1"}}, **SHORT,
    ))  # fmt: skip
    pair.run(0)
    assert pair.state.tally[T_CELLS] > 2**15
    assert pair.state.tally[KILLS] == 9


# Planted bugs.

MODULES = (lattice, life, population, surroundings, macro, micro, infusion)


def interpreted(changed=None, old="", new=""):
    """The functions of the mechanism left to the interpreter, a passage of one module exchanged."""
    exchange = {changed: (old, new)}
    functions = {module.__name__: with_change(module, *exchange.get(module, ())) for module in MODULES}
    for namespace in functions.values():
        for name, value in namespace.items():
            home = functions.get(getattr(getattr(value, "py_func", None), "__module__", ""))
            if home:
                namespace[name] = home[name]
    return functions[infusion.__name__] | functions[macro.__name__] | functions[micro.__name__]


def by_hand(functions):
    return lambda pair, step: pair.run_by_hand(step, functions)


# targets that many T cells around lyse in one sub-step
SLAUGHTER = niche([9, 8], car_t={"attach_time_3d_minutes": 20, "receptor_share": 0.9})
CONTROLS = {
    "niche": (niche([9, 8], "reflecting"), 6),
    "niche volume": (niche([4, 6, 5]), 2),
    "slaughter": (SLAUGHTER, 3),
    "wide": (niche([14, 12], "reflecting", car_t={"minimum_agents": 3, "cells_per_agent": 4e9}), 3),
    "tissue": (tissue([14, 11], "reflecting"), 14),
    "tissue volume": (tissue([6, 5, 7]), 2),
}


@pytest.mark.parametrize("setup", CONTROLS)
def test_interpreted_t_cells_are_those_of_the_twin(setup):
    """The control of the planted bugs: without a change the comparison holds."""
    content, steps = CONTROLS[setup]
    compare_with_twin(content, steps, by_hand(interpreted()), agents=512)


BUGS = {
    # niche scale
    "an agent's force is that after its engagement": (
        "niche",
        macro,
        "engage(first + j, agents, rules, today, hand.commits[k], hand.life[0, j])",
        "engage(first + j, agents, rules, today, hand.commits[k], hand.life[0, j])\n"
        "            tired = exhaustion_of(exhaustion[j], rules)\n"
        "            surroundings.own[site[j]] += int64((1.0 - tired) * FORCE) - int64(work[j] * FORCE)",
    ),
    "a kill is judged among what the kills before it have left": (
        "slaughter",
        macro,
        "killed += 1\n",
        "killed += 1\n                g = int64(cell[s] & GENOTYPE)\n"
        "                take_off(s, g, agents.around, surroundings, rules, lattice)\n",
    ),
    "the word that relocates says where to": (
        "niche",
        macro,
        "place(search[1, j], lattice)",
        "place(search[0, j], lattice)",
    ),
    "the word that relocates engages": (
        "niche",
        macro,
        "uint64(search[2, j]) < surroundings",
        "uint64(search[0, j]) < surroundings",
    ),
    "a mother does not count against the capacity": (
        "niche",
        population,
        "chance(1.0 - alive * rules",
        "chance(1.0 - (alive - 1) * rules",
    ),
    "daughters come in the reverse order of their mothers": (
        "niche",
        macro,
        "for a in range(tally[T_CELLS]):",
        "for a in range(tally[T_CELLS] - 1, -1, -1):",
    ),
    "engagements are forgotten before the cell grows": (
        "niche",
        macro,
        "work[j] *= division",
        "work[j] = vigour(exhaustion_of(exhaustion[j] * forgetting, rules), checkpoint, suppression) * division",
    ),
    "a place that is folded twice counts once": (
        "niche volume",
        lattice,
        "out[n] = above + fold(x - 1, lattice.width, lattice.reflecting)",
        "out[n] = above + (fold(x - 1, lattice.width, lattice.reflecting) if x > 0 else x + 1)",
    ),
    "who was killed still counts": (
        "slaughter",
        macro,
        "take_off(s, int64(cell[s] & GENOTYPE), agents.around, surroundings, rules, lattice)",
        "pass",
    ),
    "an agent alone counts her own site only": (
        "wide",
        surroundings,
        "for k in range(n):\n            counts +=",
        "for k in range(n // 2, n // 2 + 1):\n            counts +=",
    ),
    "forces are added around agents that are next to each other only once": (
        "wide",
        macro,
        "layer[s] += force",
        "layer[s] = force",
    ),
    "a neighbourhood leaves out a row": (
        "niche volume",
        lattice,
        "above[x] + here[x] + below[x]",
        "here[x] + below[x]",
    ),
    # the life of a T cell
    "an engagement is remembered less well than the earlier ones": (
        "niche",
        life,
        "agents.exhaustion[a] += 1.0",
        "agents.exhaustion[a] = agents.exhaustion[a] * 0.9 + 1.0",
    ),
    "a cell on its way is not committed anew": (
        "niche",
        life,
        "agents.to_go[a] = rules.programme_divisions",
        "agents.to_go[a] = agents.to_go[a] or rules.programme_divisions",
    ),
    "a memory cell that is committed stays one": ("niche", life, "        agents.memory[a] = 0", "        pass"),
    "a cell without divisions left is committed": (
        "niche",
        life,
        "< commits and agents.done[a] < rules.max_divisions",
        "< commits",
    ),
    "the cycle begins anew at a division": (
        "niche",
        life,
        "phase[j] = now - (1.0 if ends else 0.0)",
        "phase[j] = 0.0 if ends else now",
    ),
    "the word that dies makes memory": (
        "niche",
        life,
        "turn_into_memory(memory, hand.life[3]",
        "turn_into_memory(memory, hand.life[2]",
    ),
    "a daughter has her mother's number": (
        "niche",
        population,
        "agents.uid[n] = uint32(tally[NEXT_UID])",
        "agents.uid[n] = agents.uid[a]",
    ),
    "a daughter is not tired": (
        "niche",
        population,
        "agents.exhaustion[n] = agents.exhaustion[a]",
        "agents.exhaustion[n] = 0.0",
    ),
    "the living close up in reverse": (
        "tissue",
        population,
        "new[k] = old[uint64(kept[k])]",
        "new[k] = old[uint64(kept[n - 1 - k])]",
    ),
    "the dead are not dropped": ("niche", population, "uint64(fate[j] != DIES)", "uint64(1)"),
    "nobody is told of a kill": ("slaughter", surroundings, "surroundings.told[around[k]] = 0", "pass"),
    "forces are left where few agents remain": ("wide", macro, "agents.layer[:] = 0", "pass"),
    "a neighbourhood takes another's slot": (
        "slaughter",
        surroundings,
        "same = same and surroundings.key[slot, w] == here[w]",
        "same = True",
    ),
    # tissue scale
    "a heading outlives what is in the way": (
        "tissue",
        micro,
        "agents.heading[a] = -1\n        return",
        "return",
    ),
    "the whole word chooses where to turn": (
        "tissue",
        micro,
        "uint64(turn_word) * directions // rules.turn",
        "(uint64(turn_word) * directions) >> uint64(32)",
    ),
    "a border throws a walker back": (
        "tissue",
        lattice,
        "return int64(-1)",
        "return fold(y, lattice.height, True) * lattice.width + fold(x, lattice.width, True)",
    ),
    "scar counts where the cell stands": ("tissue", micro, "block_of(there, lattice)", "block_of(here, lattice)"),
    "the own site is out of reach": (
        "tissue",
        micro,
        "if lysis_at(around[k], cell, immunity.lysis, rules) > 0.0:",
        "if k != n // 2 and lysis_at(around[k], cell, immunity.lysis, rules) > 0.0:",
    ),
    "the word that lyses releases": ("tissue", micro, "if uint64(w0) >= release", "if uint64(w1) >= release"),
    "the word that lyses wakes": ("tissue", micro, "if uint64(w0) < wake", "if uint64(w1) < wake"),
    "exhaustion does not keep from lysis": (
        "tissue",
        micro,
        "work = vigour(exhaustion_of(agents.exhaustion[a], rules), immunity",
        "work = vigour(0.0, immunity",
    ),
    "a target is lysed although it is gone": (
        "tissue",
        micro,
        "and lysis_at(agents.target[a], cell, immunity.lysis, rules) > 0.0",
        "",
    ),
    "a daughter looks for room from the first place on": (
        "tissue",
        micro,
        "start = int64((uint64(word) * uint64(n)) >> uint64(32))",
        "start = int64(0)",
    ),
    "a daughter shares a place": ("tissue", micro, "if agents.layer[s] == 0:\n            return s", "return s"),
    "the dead keep their place": ("tissue", micro, "agents.layer[agents.site[a]] = 0", "pass"),
    "a daughter engages with her mother": (
        "tissue",
        population,
        "agents.state[n] = SEARCHING",
        "agents.state[n] = agents.state[a]",
    ),
    "a daughter goes her mother's way": (
        "tissue",
        population,
        "agents.heading[n] = -1",
        "agents.heading[n] = agents.heading[a]",
    ),
    # infusion
    "an infused cell has her phase from the word of her place": (
        "niche",
        infusion,
        "agents.phase[a] = w1 /",
        "agents.phase[a] = w0 /",
    ),
    "entry takes the largest keys": ("tissue", infusion, "[:number]", "[::-1][:number]"),
    "every infusion enters by the same keys": (
        "tissue",
        infusion,
        "ENTRY_DRAW + infusion, key_low",
        "ENTRY_DRAW, key_low",
    ),
}


@pytest.mark.parametrize("bug", BUGS)
def test_the_comparison_of_t_cells_with_the_twin_catches(bug):
    setup, module, old, new = BUGS[bug]
    content, _ = CONTROLS[setup]
    with pytest.raises(AssertionError, match="after step"):
        compare_with_twin(content, 24, by_hand(interpreted(module, old, new)), agents=512)


def shifting(run):
    """Cells change between steps, as they do where cells divide."""

    def step_on(pair, step):
        if step:
            pair.shift()
        run(pair, step)

    return step_on


@pytest.mark.parametrize("setup", ["torus", "reflecting", "volume", "wide", "many kinds", "background"])
def test_t_cells_see_the_cells_of_their_step(setup):
    compare_with_twin(NICHE[setup], 18, shifting(lambda pair, step: pair.run(step)), agents=512)


BUGS_OF_MEMORY = {
    "the cells around are counted once": (
        "slaughter",
        "        count_everywhere(cell, surroundings, rules, lattice)\n",
        "        if surroundings.everywhere[0] == 0:\n"
        "            count_everywhere(cell, surroundings, rules, lattice)\n",
    ),
    "targets are listed once": (
        "slaughter",
        "        find_targets(cell, surroundings, immunity.lysis[0, 0] == 0.0, rules)\n",
        "        if surroundings.targets[0] == 0:\n"
        "            find_targets(cell, surroundings, immunity.lysis[0, 0] == 0.0, rules)\n",
    ),
    "what sites were told in the last step still holds": ("niche", "    forget(surroundings)\n", "    pass\n"),
}


@pytest.mark.parametrize("bug", BUGS_OF_MEMORY)
def test_the_comparison_on_changing_cells_catches(bug):
    setup, old, new = BUGS_OF_MEMORY[bug]
    content, _ = CONTROLS[setup]
    with pytest.raises(AssertionError, match="after step"):
        compare_with_twin(content, 12, shifting(by_hand(interpreted(macro, old, new))), agents=512)


CLAIM_BUGS = {
    "none": (True, "", ""),
    "a claim goes to the smallest priority": (
        False,
        "agents.claim[holder] > priority",
        "agents.claim[holder] < priority",
    ),
    "a claim goes to the last who makes it": (False, "        if ahead:\n            return", "        pass"),
    "the word that lyses is the priority": (False, "claim_target(a, agents, w2)", "claim_target(a, agents, w1)"),
}


@pytest.mark.parametrize("bug", CLAIM_BUGS)
def test_a_claim_goes_to_the_largest_priority_and_a_bug_there_shows(bug):
    """Who is credited leaves no trace in the marrow, so claims are noted before they are settled."""
    right, old, new = CLAIM_BUGS[bug]
    functions = interpreted(micro, old, new)
    own = functions["micro_sub_step"].__globals__
    settle, credits = own["settle_claims"], []

    def note_and_settle(cell, source, counters, ledger, agents, *rest):
        claimed = np.flatnonzero(agents.touched)
        credits.append({int(s): int(agents.uid[agents.touched[s] - 1]) for s in claimed})
        settle(cell, source, counters, ledger, agents, *rest)

    own["settle_claims"] = note_and_settle
    pair = compare_with_twin(TISSUE["crowd"], 8, by_hand(functions), agents=512)
    assert (credits == pair.credits) == right
