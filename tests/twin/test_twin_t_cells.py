"""The twin's CAR T cells on their own."""

from dataclasses import replace
from math import exp, sqrt

import pytest

from .draws import coordinates, touching, words
from .t_cells import ENGAGED, RESTING, Agent, Life, Micro, Niche, TCells, niche_sub_step, tissue_sub_step

STAYS = Niche(0.0, lambda around: (0.0, 0.0), lambda cell, around, force: 0.0)
STANDS = Micro(lambda here, there: 1.0, 0.3, lambda cell: 0.0, lambda cell: 0.0, 1.0, 1.0, 0.0)


def t_cells(n, shape=(6, 6), boundary="periodic", **changes):
    cells = TCells(9, shape, boundary)
    cells.enter_niche(0, n)
    for agent in cells.agents:
        for name, value in changes.items():
            setattr(agent, name, value)
    return cells


def test_niche_killing_needs_an_agent_within_reach():
    agents = t_cells(1, shape=(9, 9), place=40)
    cells = [1] * 81
    killed = niche_sub_step(agents, cells, 0, 0, Niche(0.0, STAYS.meets, lambda c, a, f: 1.0), Life(dies=0.0))
    assert killed == sorted(touching(40, (9, 9), "periodic"))
    assert [site for site in range(81) if cells[site] is None] == killed


def test_all_kills_are_judged_before_the_first_cell_is_gone():
    """Every cell that has neighbours is killed; the last one would live if the others were gone by then."""
    cells = [1] * 9 + [None] * 72
    kills = Niche(0.0, STAYS.meets, lambda cell, around, force: float(around.count(None) < 8))
    assert niche_sub_step(t_cells(1, shape=(9, 9), place=4), cells, 0, 0, kills, Life()) == [3, 4, 5]


def test_force_is_counted_in_units_of_2_to_the_minus_16_before_this_engagement():
    agents = t_cells(2, place=7)
    agents.agents[1].x = 40.0
    seen = []
    niche = Niche(0.0, lambda around: (1.0, 0.0), lambda cell, around, force: seen.append(force) or 0.0)
    niche_sub_step(agents, [1 if site == 7 else None for site in range(36)], 0, 0, niche, Life())
    assert seen == [65536 + 32768]
    assert agents.agents[0].x == exp(-1.0 / 6.0 / 14.0)


def test_an_agent_in_a_corner_counts_twice_and_four_times():
    agents = t_cells(1, boundary="reflecting", place=0)
    seen = []
    niche = Niche(0.0, STAYS.meets, lambda cell, around, force: seen.append((cell, around, force)) or 0.0)
    niche_sub_step(agents, list(range(36)), 0, 0, niche, Life())
    assert [(cell, force // 2**16) for cell, _, force in seen] == [(0, 4), (1, 2), (6, 2), (7, 1)]
    assert seen[0][1] == [0, 0, 1, 0, 0, 1, 6, 6, 7]


def engaging(first):
    return Niche(0.0, lambda around: (float(first), 1.0), STAYS.kills)


def test_a_committed_agent_divides_seven_times():
    agents = t_cells(1, phase=0.0)
    for sub_step in range(60):
        niche_sub_step(agents, [None] * 36, 0, sub_step, engaging(sub_step == 0), Life(dies=0.0))
    assert len(agents.agents) == 2**7
    assert {(agent.to_go, agent.done) for agent in agents.agents} == {(0, 7)}
    assert [agent.uid for agent in agents.agents] == list(range(1, 129))


def test_a_commitment_starts_the_programme_anew_and_ends_memory_while_divisions_are_left():
    agents = t_cells(3, phase=0.0, to_go=2, done=9)
    agents.agents[1].memory = True
    agents.agents[2].done = 12
    niche_sub_step(agents, [None] * 36, 0, 0, engaging(True), Life(dies=0.0))
    assert [(agent.to_go, agent.memory) for agent in agents.agents] == [(7, False), (7, False), (2, False)]


def test_mother_and_daughter_share_what_the_phase_has_left():
    agents = t_cells(1, phase=0.9, to_go=3)
    niche_sub_step(agents, [None] * 36, 0, 0, STAYS, Life(growth=0.2))
    assert [agent.phase for agent in agents.agents] == pytest.approx([0.1, 0.1])
    assert [(agent.to_go, agent.done) for agent in agents.agents] == [(2, 1), (2, 1)]


def test_no_daughter_lives_at_capacity_but_her_mother_has_divided():
    agents = t_cells(4, phase=0.9, to_go=3)
    niche_sub_step(agents, [None] * 36, 0, 0, STAYS, Life(growth=0.2, room=4.0))
    assert [(agent.uid, agent.done) for agent in agents.agents] == [(1, 1), (2, 1), (3, 1), (4, 1)]


def test_idle_agents_die_or_become_memory_at_their_rates_after_a_day():
    """Four standard errors, error rate 6e-5."""
    agents = t_cells(500)
    life = Life(memory_share=0.2)
    for sub_step in range(36):
        if sub_step == 6:
            assert len(agents.agents) == 500
        niche_sub_step(agents, [None] * 36, 0, sub_step, STAYS, life)
    idle = sum(not agent.memory for agent in agents.agents)
    share = exp(-0.16 * 5)
    assert abs(idle - 500 * share) < 4 * sqrt(500 * share * (1 - share))
    memory = len(agents.agents) - idle
    assert abs(memory - 0.2 * (500 - idle)) < 4 * sqrt(0.16 * (500 - idle)) + 1


def test_a_target_named_twice_is_killed_once_and_credited_to_the_largest_priority():
    agents = t_cells(4, shape=(5, 5), state=ENGAGED, target=12)
    for agent in agents.agents:
        agent.place = agent.uid
    cells = [100 if site == 12 else None for site in range(25)]
    micro = Micro(STANDS.hops, 0.5, lambda cell: 0.5, lambda cell: 0.0, 1.0, 1.0, 0.0)
    killed = tissue_sub_step(agents, cells, 0, 0, micro, Life(dies=0.0))
    assert killed == {12: max(range(1, 5), key=lambda uid: (words(9, 7, uid, 0, 1)[2], uid))}
    assert cells == [None] * 25
    assert {agent.state for agent in agents.agents} == {RESTING}


@pytest.mark.parametrize("boundary", ["periodic", "reflecting"])
def test_searching_agents_never_share_a_place_and_hold_only_what_they_reach(boundary):
    agents = TCells(9, (5, 5), boundary)
    agents.enter_tissue(0, 12, 0)
    micro = Micro(STANDS.hops, 0.3, lambda cell: 0.2, lambda cell: 0.2, 0.1, 0.5, 0.3)
    cells = [None if site % 3 else 100 for site in range(25)]
    for sub_step in range(60):
        tissue_sub_step(agents, cells, 0, sub_step, micro, Life(growth=0.05))
        places = [agent.place for agent in agents.agents]
        assert len(set(places)) == len(places)
        for agent in agents.agents:
            assert agent.state != ENGAGED or agent.target in touching(agent.place, (5, 5), boundary)
    assert 12 < len(agents.agents) < agents.next_uid
    assert 25 - cells.count(None) < 9


def test_a_walker_keeps_its_direction_until_a_border_takes_it():
    """Seven hops east along the row, then a stop."""
    agents = TCells(9, (3, 9), "reflecting", agents=[Agent(1, 10, heading=4)])
    walker = agents.agents[0]
    micro = replace(STANDS, turns=0.0)
    found = []
    for sub_step in range(8):
        tissue_sub_step(agents, [None] * 27, 0, sub_step, micro, Life(dies=0.0))
        found.append((walker.place, walker.heading))
    assert found == [*((place, 4) for place in range(11, 18)), (17, None)]


def test_infused_agents_take_free_places_of_their_own_and_the_faces_if_asked():
    agents = TCells(9, (5, 6, 4), "reflecting")
    agents.enter_tissue(0, 40, 0, by_faces=True)
    agents.enter_tissue(3, 1000, 1, by_faces=True)
    places = [agent.place for agent in agents.agents]
    assert len(set(places)) == len(places) == 5 * 6 * 4 - 3 * 4 * 2
    for site in places:
        z, y, x = coordinates(site, (5, 6, 4))
        assert z in (0, 4) or y in (0, 5) or x in (0, 3)


def test_a_daughter_at_tissue_scale_needs_a_free_place_next_to_her_mother():
    """Seven mothers in the first two of three rows of four: the first two have no room, the fourth is too late."""
    mothers = [Agent(uid, uid - 1, phase=0.9, to_go=2) for uid in range(1, 8)]
    agents = TCells(9, (3, 4), "reflecting", agents=mothers, next_uid=8)
    tissue_sub_step(agents, [None] * 12, 0, 0, replace(STANDS, hops=lambda here, there: 0.0), Life(growth=0.2))
    places = [agent.place for agent in agents.agents]
    assert len(set(places)) == len(places) == 11
    assert places[:8] == [0, 1, 2, 3, 4, 5, 6, 7]
    assert [agent.uid for agent in agents.agents] == list(range(1, 12))
    assert [agent.done for agent in agents.agents] == [1] * 11
