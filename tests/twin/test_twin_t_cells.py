"""The twin's CAR T cells on their own."""

from math import exp, sqrt

import pytest

from .draws import touching, words
from .t_cells import ENGAGED, RESTING, Life, Micro, TCells, niche_sub_step, tissue_sub_step


def t_cells(n, shape=(6, 6), life=None, **changes):
    cells = TCells(9, shape, "periodic", [], 0)
    cells.enter(0, n)
    for agent in cells.agents:
        for name, value in changes.items():
            setattr(agent, name, value)
    return cells


def test_niche_killing_needs_an_agent_within_reach_and_does_not_depend_on_order():
    cells = t_cells(1, shape=(9, 9), place=40)
    antigen = dict.fromkeys(range(81), 128)
    killed = niche_sub_step(cells, antigen, 0, 0, 0.0, lambda p: 0.0, lambda s, a, f: 1.0, Life(dies=0.0))
    assert killed == sorted(touching(40, (9, 9), "periodic"))


def test_force_is_counted_in_units_of_2_to_the_minus_16_before_this_engagement():
    cells = t_cells(2, place=7)
    cells.agents[1].contacts = 40.0
    seen = []
    niche_sub_step(cells, {7: 0}, 0, 0, 0.0, lambda p: 1.0, lambda s, a, f: seen.append(f) or 0.0, Life())
    assert seen == [65536 + 32768]
    assert cells.agents[0].contacts == 1.0


def test_a_committed_agent_divides_seven_times():
    cells = t_cells(1, phase=0.0)
    life = Life(dies=0.0)
    for sub_step in range(60):
        niche_sub_step(cells, {}, 0, sub_step, 0.0, lambda p, first=sub_step == 0: float(first), None, life)
    assert len(cells.agents) == 2**7
    assert {agent.to_go for agent in cells.agents} == {0}
    assert {agent.divisions_left for agent in cells.agents} == {5}
    assert [agent.uid for agent in cells.agents] == list(range(128))


def test_mother_and_daughter_share_what_the_phase_has_left():
    cells = t_cells(1, phase=0.9, to_go=3)
    niche_sub_step(cells, {}, 0, 0, 0.0, lambda p: 0.0, None, Life(growth=lambda e: 0.2))
    assert [agent.phase for agent in cells.agents] == pytest.approx([0.1, 0.1])
    assert [agent.to_go for agent in cells.agents] == [2, 2]


def test_idle_agents_die_or_become_memory_at_their_rates():
    """Four standard errors, error rate 6e-5."""
    cells = t_cells(500)
    life = Life(memory_share=0.2)
    for sub_step in range(30):
        niche_sub_step(cells, {}, 0, sub_step, 0.0, lambda p: 0.0, None, life)
    idle = sum(not agent.memory for agent in cells.agents)
    share = exp(-0.16 * 5)
    assert abs(idle - 500 * share) < 4 * sqrt(500 * share * (1 - share))
    memory = len(cells.agents) - idle
    assert abs(memory - 0.2 * (500 - idle)) < 4 * sqrt(0.16 * (500 - idle)) + 1


def test_a_target_named_twice_is_killed_once_and_credited_to_the_largest_priority():
    cells = t_cells(4, shape=(5, 5), state=ENGAGED, target=12)
    for agent in cells.agents:
        agent.place = agent.uid
    micro = Micro(1.0, 0.5, lambda a: 0.0, 1.0, 0.0, lambda e: 1.0)
    killed = tissue_sub_step(cells, {12: 100}, 0, 0, micro, Life(dies=0.0))
    best = max(range(4), key=lambda uid: (words(9, 7, uid, 0, 1)[2], uid))
    assert killed == {12: best}
    assert {agent.state for agent in cells.agents} == {RESTING}


def test_searching_agents_never_share_a_place_and_hold_only_what_they_reach():
    cells = t_cells(12, shape=(5, 5))
    for agent in cells.agents:
        agent.place = 2 * agent.uid
    micro = Micro(1.0, 0.3, lambda a: 0.2, 0.1, 0.3, lambda e: 0.5)
    antigen = dict.fromkeys(range(0, 25, 3), 100)
    for sub_step in range(60):
        for site in tissue_sub_step(cells, antigen, 0, sub_step, micro, Life(dies=0.0, commits=0.0)):
            del antigen[site]
        assert len({agent.place for agent in cells.agents}) == 12
        for agent in cells.agents:
            if agent.state == ENGAGED:
                assert agent.target in touching(agent.place, (5, 5), "periodic")
    assert len(antigen) < 9
