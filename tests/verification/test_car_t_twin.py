"""The compiled CAR T cells against an independent twin in plain Python, draw for draw, and bugs planted into them."""

import pytest
from verification.car_t_comparison import Pair, compare_with_twin, niche, tissue
from verification.test_planted_bugs import with_change

from mpn_abm.kernels import lattice
from mpn_abm.mechanisms.car_t import infusion, life, macro, micro
from mpn_abm.state import KILLS, T_CELLS

SHORT = {"hematopoiesis": {"enabled": False, "homing_radius_sites": 1}}
HOURS_4 = {"time": {"duration_days": 30, "step_hours": 4}}
HIGH_SEED = (1_234_567 << 32) + 20_240_229
NICHE = {
    "torus": niche([9, 8]),
    "reflecting": niche([9, 8], "reflecting"),
    "volume": niche([4, 6, 5], seed=HIGH_SEED),
    "reflecting volume": niche([4, 5, 6], "reflecting"),
    "narrow torus": niche([2, 7], **SHORT),
    "one row": niche([20, 1], "reflecting", **SHORT),
    "steps of 10 hours in 3": niche([9, 8], time={"duration_days": 30, "step_hours": 10}),
    "everybody turns into memory": niche([9, 8], car_t={"memory_share": 1, "death_rate_per_day": 5}),
    "no divisions": niche([9, 8], car_t={"programme_divisions": 0}),
    "an inhibitor": niche([9, 8], treatments={
        "car_t": {"dose_cells": 1.2e11}, "ruxolitinib": {"dose_mg": 20, "times_per_day": 2},
    }),
    "background": niche([9, 8], "reflecting", car_t={"background_kill": 0.3}),
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


MODULES = (lattice, life, macro, micro, infusion)


def interpreted(changed=None, old="", new=""):
    """The functions of the mechanism left to the interpreter, a passage of one module exchanged."""
    functions = {module.__name__: with_change(module, *((old, new) if module is changed else ())) for module in MODULES}
    for namespace in functions.values():
        for name, value in namespace.items():
            home = functions.get(getattr(getattr(value, "py_func", None), "__module__", ""))
            if home:
                namespace[name] = home[name]
    return functions[infusion.__name__] | functions[macro.__name__] | functions[micro.__name__]


def by_hand(functions):
    return lambda pair, step: pair.run_by_hand(step, functions)


CONTROLS = {
    "niche": (niche([9, 8], "reflecting"), 6),
    "niche volume": (niche([4, 6, 5]), 2),
    "tissue": (tissue([14, 11], "reflecting"), 14),
    "tissue volume": (tissue([6, 5, 7]), 2),
}


@pytest.mark.parametrize("setup", CONTROLS)
def test_interpreted_t_cells_are_those_of_the_twin(setup):
    """The control of the planted bugs: without a change the comparison holds."""
    content, steps = CONTROLS[setup]
    compare_with_twin(content, steps, by_hand(interpreted()), agents=512)


NICHE_BUGS = {
    "an agent's force is that after its engagement": (
        macro,
        "engage(a, agents, rules, today, activation, commit)",
        "engage(a, agents, rules, today, activation, commit)\n"
        "            for k in range(n):\n"
        "                layer[around[k]] += int32((1.0 - exhaustion_of(agents.exhaustion[a], rules)) * FORCE) - force",
    ),
    "a kill is judged among what the kills before have left": (
        macro,
        "            cell[s] |= MARK",
        "            kill_cell(s, block_of(s, lattice), cell, source, counters, ledger, tally, cell_rules.base,\n"
        "                cell_rules.source_weight, cell_rules.antigen_class, cell_rules.is_mutant)",
    ),
    "a place is drawn from the word that relocates": (macro, "place(w1, lattice)", "place(w0, lattice)"),
    "an engagement is drawn from the word that relocates": (
        macro,
        "if uint64(w2) < chance(1.0 - decay(rules.sub_step / wait))",
        "if uint64(w0) < chance(1.0 - decay(rules.sub_step / wait))",
    ),
    "daughters count against the capacity at once": (
        macro,
        "agents.fate[a] = live(a,",
        "daughter_lives -= uint64(int(daughter_lives > 2**26 and a % 2) * 2**26)\n        agents.fate[a] = live(a,",
    ),
    "daughters come in the reverse order of their mothers": (
        macro,
        "remove_dead(agents, tally)\n    for a in range(tally[T_CELLS]):",
        "remove_dead(agents, tally)\n    for a in range(tally[T_CELLS] - 1, -1, -1):",
    ),
    "engagements are forgotten before the cell grows": (
        macro,
        "        exhausted = exhaustion_of(agents.exhaustion[a], rules)\n        w1",
        "        exhausted = exhaustion_of(agents.exhaustion[a] * rules.forgetting, rules)\n        w1",
    ),
    "a place that is folded twice counts once": (
        lattice,
        "                out[n] = above + fold(x - 1, lattice.width, lattice.reflecting)",
        "                out[n] = above + (fold(x - 1, lattice.width, lattice.reflecting) if x > 0 else x + 1)",
    ),
    "the engagement is forgotten with the earlier ones": (
        life,
        "agents.exhaustion[a] += 1.0",
        "agents.exhaustion[a] = agents.exhaustion[a] * rules.forgetting + 1.0",
    ),
    "a cell on its way is not committed anew": (
        life,
        "agents.to_go[a] = rules.programme_divisions",
        "agents.to_go[a] = agents.to_go[a] or rules.programme_divisions",
    ),
    "a memory cell stays one when it is committed": (
        life,
        "        agents.memory[a] = 0",
        "        pass",
    ),
    "a worn-out cell is committed": (
        life,
        "and agents.done[a] < rules.max_divisions:\n        agents.to_go",
        ":\n        agents.to_go",
    ),
    "the cycle begins anew at a division": (life, "agents.phase[a] -= 1.0", "agents.phase[a] = 0.0"),
    "the cells of a programme that goes on may die": (
        life,
        "if agents.to_go[a] > 0 and agents.done[a] < rules.max_divisions:\n        agents.phase",
        "if agents.to_go[a] > 1 and agents.done[a] < rules.max_divisions:\n        agents.phase",
    ),
    "the word that dies makes memory": (
        life,
        "if uint64(memory_word) >= rules.memory_share",
        "if uint64(dies_word) >= rules.memory_share",
    ),
    "a daughter has her mother's number": (
        life,
        "agents.uid[n] = uint32(tally[NEXT_UID])",
        "agents.uid[n] = agents.uid[a]",
    ),
    "a daughter begins with a fresh counter": (
        life,
        "agents.fate[n] = LIVES",
        "agents.exhaustion[n] = 0.0",
    ),
    "the last agent takes the place of a dead one": (
        life,
        "                copy_agent(agents, a, m)\n                agents.fate[m] = agents.fate[a]\n            m += 1",
        "                copy_agent(agents, a, m)\n                agents.fate[m] = agents.fate[a]\n            m += 1",
    ),
    "the phase at infusion is the word of the place": (infusion, "agents.phase[a] = w1 /", "agents.phase[a] = w0 /"),
}
TISSUE_BUGS = {
    "a claim goes to the smallest priority": (
        micro, "agents.claim[holder] > priority", "agents.claim[holder] < priority",
    ),
    "a claim goes to the first who makes it": (micro, "        if ahead:", "        if True:"),
    "a heading outlives what is in the way": (
        micro, "        agents.heading[a] = -1\n        return", "        return",
    ),
    "a turn takes the whole word": (micro, "uint64(turn_word) * directions // rules.turn", "(uint64(turn_word) * directions) >> uint64(32)"),
    "a turn leaves out the present heading": (
        micro,
        "elif uint64(turn_word) < rules.turn:",
        "elif uint64(turn_word) < rules.turn and uint64(turn_word) * directions // rules.turn != agents.heading[a] + 1:",
    ),
    "scar counts where the cell stands": (
        micro,
        "ground.ecm[block_of(here, lattice)] + ground.ecm[block_of(there, lattice)]",
        "ground.ecm[block_of(here, lattice)] + ground.ecm[block_of(here, lattice)]",
    ),
    "a release is drawn from the word that lyses": (micro, "if uint64(w0) >= release", "if uint64(w1) >= release"),
    "a waking cell is drawn from the word that lyses": (micro, "if uint64(w0) < wake", "if uint64(w1) < wake"),
    "a target is picked among all places": (
        micro,
        "(uint64(which_word) * uint64(targets)) >> uint64(32)",
        "min((uint64(which_word) * uint64(n)) >> uint64(32), targets - 1)",
    ),
    "the own site is out of reach": (micro, "if lysis_at(around[k], cell, rules) > 0.0:", "if k != n // 2 and lysis_at(around[k], cell, rules) > 0.0:"),
    "exhaustion does not keep from lysis": (
        micro, "* (1.0 - exhaustion_of(agents.exhaustion[a], rules))", "* 1.0",
    ),
    "a target is lysed although it is gone": (micro, " and lysis_at(agents.target[a], cell, rules) > 0.0", ""),
    "a daughter looks for room from the first place on": (
        micro, "start = int64((uint64(word) * uint64(n)) >> uint64(32))", "start = int64(0)",
    ),
    "a daughter looks for room from the word that lives": (
        micro, "_, _, _, w3 = draw_words(agents.uid[a], step, sub, 1,", "_, w3, _, _ = draw_words(agents.uid[a], step, sub, 2,",
    ),
    "a daughter shares a place": (micro, "        if agents.layer[s] == 0:\n            return s", "        if s >= 0:\n            return s"),
    "the dead keep their place": (micro, "            agents.layer[agents.site[a]] = 0", "            pass"),
    "a daughter keeps her mother's target and state": (life, "    agents.state[n] = SEARCHING", "    pass"),
    "a daughter keeps her mother's heading": (life, "    agents.heading[n] = -1", "    pass"),
    "entry takes the largest keys": (infusion, '[:number]', '[::-1][:number]'),
    "every infusion takes the same places": (infusion, "ENTRY_DRAW + infusion, key_low", "ENTRY_DRAW, key_low"),
    "a border throws a walker back": (
        lattice,
        "            return int64(-1)",
        "            return fold(z, lattice.depth, True) * lattice.height * lattice.width + "
        "fold(y, lattice.height, True) * lattice.width + fold(x, lattice.width, True)",
    ),
}  # fmt: skip
BUGS = {name: ("niche", bug) for name, bug in NICHE_BUGS.items()}
BUGS |= {name: ("tissue", bug) for name, bug in TISSUE_BUGS.items()}


@pytest.mark.parametrize("bug", BUGS)
def test_the_comparison_of_t_cells_with_the_twin_catches(bug):
    setup, (module, old, new) = BUGS[bug]
    content, _ = CONTROLS[setup]
    with pytest.raises(AssertionError, match="after step"):
        compare_with_twin(content, 24, by_hand(interpreted(module, old, new)), agents=512)
