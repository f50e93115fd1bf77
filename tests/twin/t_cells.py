"""CAR T cells in sub-steps, in plain Python: niche scale (agents are many cells) and tissue scale.

The order of decisions and the draw behind each are the matter here; the probabilities
come from the caller, as numbers or as functions of what they depend on. Everything an
agent or a kill reads of the marrow is the marrow as it stood when the sub-step began.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import exp, inf, log

from .draws import AGENT, KILL, happens, pick, place, touching, words

SEARCHING, ENGAGED, RESTING = "searching", "engaged", "resting"


@dataclass
class Agent:
    """A CAR T agent; days_since_contact counts from its last engagement."""

    uid: int
    place: int
    phase: float = 0.0
    to_go: int = 0
    divisions_left: int = 12
    contacts: float = 0.0
    days_since_contact: float = inf
    memory: bool = False
    state: str = SEARCHING
    target: int = -1
    heading: int = 0
    engaged_now: bool = False


@dataclass
class Life:
    """Chances per sub-step of h days by which T cells expand, contract and remember.

    The defaults give a sub-step of 4 h with no suppression; exhausted is e as a function
    of the contact counter, growth the advance of the cycle phase as a function of e.
    """

    h: float = 1.0 / 6.0
    commits: float = 1.0
    programme: int = 7
    daughter_lives: float = 1.0
    dies: float = 1.0 - exp(-0.16 / 6.0)
    memory_share: float = 0.0079
    memory_dies: float = 1.0 - exp(-0.0032 / 6.0)
    contact_decay: float = exp(-1.0 / 6.0 / 14.0)
    exhausted: Callable = lambda x: x**4 / (x**4 + 40.0**4)
    growth: Callable = lambda e: 0.889 * (1.0 - e) / log(2.0) / 6.0


@dataclass
class TCells:
    """The list of agents, the next free uid, and the lattice they live on."""

    seed: int
    shape: tuple
    boundary: str
    agents: list
    next_uid: int

    def draw(self, agent, step, sub_step, k):
        return words(self.seed, AGENT, agent.uid, step, 4 * sub_step + k)

    def enter(self, step, agents):
        """Infused agents take a random place and cycle phase, in sub-step 0 of the step of infusion."""
        for _ in range(agents):
            agent = Agent(self.next_uid, 0)
            w0, w1, _, _ = self.draw(agent, step, 0, 3)
            agent.place = place(w0, self.shape)
            agent.phase = w1 / 2**32
            self.agents.append(agent)
            self.next_uid += 1


# Niche scale.


def niche_sub_step(t_cells, antigen, step, sub_step, moves, engages, kills, life):
    """One sub-step; antigen maps the sites of antigen-positive cells to their bytes. Returns the sites killed.

    moves is a chance, engages(place) and kills(site, antigen byte, force) are chances from
    the marrow at the start; force is the sum over the 3 x 3 sites in units of 2^-16.
    """
    force = {}
    for agent in t_cells.agents:
        search_niche(t_cells, agent, step, sub_step, moves, engages, life, force)
    killed = [
        site for site, byte in sorted(antigen.items()) if niche_kill(t_cells, site, byte, step, sub_step, force, kills)
    ]
    live(t_cells, step, sub_step, life, lambda agent: agent.place)
    return killed


def search_niche(t_cells, agent, step, sub_step, moves, engages, life, force):
    """Move or stay, engage or not, and add the force (1 - e) to the site; e before this engagement."""
    w0, w1, w2, _ = t_cells.draw(agent, step, sub_step, 0)
    if happens(w0, moves):
        agent.place = place(w1, t_cells.shape)
    vigour = 1.0 - life.exhausted(agent.contacts)
    force[agent.place] = force.get(agent.place, 0) + int(vigour * 2**16)
    agent.engaged_now = happens(w2, engages(agent.place))


def niche_kill(t_cells, site, byte, step, sub_step, force, kills):
    around = sum(force.get(place_, 0) for place_ in touching(site, t_cells.shape, t_cells.boundary))
    if around == 0:
        return False
    w0, _, _, _ = words(t_cells.seed, KILL, site, step, sub_step)
    return happens(w0, kills(site, byte, around))


# Expansion, contraction and memory, at both scales.


def live(t_cells, step, sub_step, life, daughter_place):
    """Agents commit, divide, die or become memory; then the dead go and the daughters come."""
    survivors = []
    daughters = []
    for agent in t_cells.agents:
        draw = t_cells.draw(agent, step, sub_step, 2)
        e = life.exhausted(agent.contacts)
        record_contact(agent, life)
        if agent.engaged_now and agent.to_go == 0 and happens(draw[0], life.commits):
            agent.to_go = min(life.programme, agent.divisions_left)
            agent.memory = agent.memory and agent.to_go == 0
        if advance_phase(agent, life.growth(e)) and happens(draw[1], life.daughter_lives):
            where = daughter_place(agent)
            if where is not None:
                daughters.append(replace(agent, uid=-1, place=where, state=SEARCHING, target=-1, engaged_now=False))
        if survives(agent, draw, life):
            survivors.append(agent)
    for daughter in daughters:
        daughter.uid = t_cells.next_uid
        t_cells.next_uid += 1
    t_cells.agents = survivors + daughters


def record_contact(agent, life):
    """The contact counter decays over the sub-step and then takes this engagement."""
    agent.contacts *= life.contact_decay
    agent.days_since_contact += life.h
    if agent.engaged_now:
        agent.contacts += 1.0
        agent.days_since_contact = 0.0


def advance_phase(agent, growth):
    """Grow the cycle phase of a committed cell; at 1 it divides and keeps the rest."""
    if agent.to_go == 0:
        return False
    agent.phase += growth
    if agent.phase < 1.0:
        return False
    agent.phase -= 1.0
    agent.to_go -= 1
    agent.divisions_left -= 1
    return True


def survives(agent, draw, life):
    """A cell with no division to go dies or becomes memory, unless engaged within the last day."""
    if agent.memory:
        return not happens(draw[2], life.memory_dies)
    if agent.to_go > 0 or agent.days_since_contact <= 1.0 or not happens(draw[2], life.dies):
        return True
    agent.memory = happens(draw[3], life.memory_share)
    return agent.memory


# Tissue scale.


@dataclass
class Micro:
    """Chances per sub-step, the time of one hop, at tissue scale; attaches depends on the antigen byte."""

    hops: float
    turns: float
    attaches: Callable
    releases: float
    rests_out: float
    lyses: Callable


def tissue_sub_step(t_cells, antigen, step, sub_step, micro, life, daughter_place=lambda agent: None):
    """One sub-step; antigen maps the antigen-positive sites to bytes. Returns {site killed: uid credited}."""
    taken = {agent.place for agent in t_cells.agents}
    claims = {}
    for agent in t_cells.agents:
        agent.engaged_now = False
        if agent.state == SEARCHING:
            search_tissue(t_cells, agent, antigen, taken, step, sub_step, micro)
        else:
            let_go(t_cells, agent, antigen, claims, step, sub_step, micro, life)
    live(t_cells, step, sub_step, life, daughter_place)
    return {site: uid for site, (_, uid) in claims.items()}


def search_tissue(t_cells, agent, antigen, taken, step, sub_step, micro):
    """Hop if the place ahead is free, then perhaps attach to one antigen-positive cell in reach."""
    draw = t_cells.draw(agent, step, sub_step, 0)
    ahead = place_ahead(t_cells, agent, draw, micro)
    if ahead not in taken:
        taken.remove(agent.place)
        taken.add(ahead)
        agent.place = ahead
    in_reach = [site for site in touching(agent.place, t_cells.shape, t_cells.boundary) if site in antigen]
    if not in_reach:
        return
    target = in_reach[pick(draw[3], len(in_reach))]
    if happens(draw[2], micro.attaches(antigen[target])):
        agent.state, agent.target, agent.engaged_now = ENGAGED, target, True


def place_ahead(t_cells, agent, draw, micro):
    """PROVISIONAL: the text leaves the words of the walk open. w0 hops?, w1 turns?, low half of w1 the new heading."""
    if not happens(draw[0], micro.hops):
        return agent.place
    neighbours = touching(agent.place, t_cells.shape, t_cells.boundary)
    if happens(draw[1], micro.turns):
        others = len(neighbours) - 1
        k = pick((draw[1] & 0xFFFF) << 16, others)
        agent.heading = k + 1 if k >= others // 2 else k
    return neighbours[agent.heading]


def let_go(t_cells, agent, antigen, claims, step, sub_step, micro, life):
    """An engaged agent releases and, if it lyses, claims its target; a resting one searches again."""
    w0, w1, w2, _ = t_cells.draw(agent, step, sub_step, 1)
    if agent.state == RESTING:
        if happens(w0, micro.rests_out):
            agent.state = SEARCHING
        return
    if not happens(w0, micro.releases):
        return
    if agent.target in antigen and happens(w1, micro.lyses(life.exhausted(agent.contacts))):
        claims[agent.target] = max(claims.get(agent.target, (-1, -1)), (w2, agent.uid))
    agent.state, agent.target = RESTING, -1
