"""CAR T cells in sub-steps, in plain Python: niche scale (agents are many cells) and tissue scale.

The order of decisions and the draw behind each are the matter here; the chances come from
the caller, as numbers or as functions of the cells they depend on. The stem cells are a
list over the sites, None where there is none; what the cells are is the caller's business.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import exp, floor, inf, log, prod

from .draws import AGENT, KILL, START, box_offsets, coordinates, happens, number, pick, place, touching, words

SEARCHING, ENGAGED, RESTING = range(3)
ENTRY = 4096


@dataclass
class Agent:
    """A CAR T agent; x counts its engagements, contact is the day of the last one or of its infusion."""

    uid: int
    place: int
    phase: float = 0.0
    to_go: int = 0
    done: int = 0
    x: float = 0.0
    contact: float = 0.0
    memory: bool = False
    state: int = SEARCHING
    target: int = -1
    heading: int = None


@dataclass
class Life:
    """What T cells expand, contract and remember by in a sub-step of h days; the defaults are those of 4 h.

    growth is the advance of the cycle phase without exhaustion, room the number of agents at which no daughter
    lives, exhausted e as a function of the counter x.
    """

    h: float = 1.0 / 6.0
    grace: float = 1.0
    programme: int = 7
    lifetime: int = 12
    growth: float = 0.889 / log(2.0) / 6.0
    room: float = inf
    dies: float = 1.0 - exp(-0.16 / 6.0)
    memory_share: float = 0.0079
    memory_dies: float = 1.0 - exp(-0.0032 / 6.0)
    forgets: float = exp(-1.0 / 6.0 / 14.0)
    exhausted: Callable = lambda x: x**4 / (x**4 + 40.0**4)


@dataclass
class TCells:
    """The list of agents, the next free number, and the lattice they live on; a step is dt days."""

    seed: int
    shape: tuple
    boundary: str
    dt: float = 1.0
    next_uid: int = 1
    agents: list = field(default_factory=list)

    def __post_init__(self):
        self.around = [touching(site, self.shape, self.boundary) for site in range(prod(self.shape))]

    def draw(self, agent, step, sub_step, k):
        return words(self.seed, AGENT, agent.uid, step, 4 * sub_step + k)

    def day(self, step, sub_step, life):
        """The end of a sub-step, which is the day of what happens in it."""
        return step * self.dt + (sub_step + 1) * life.h

    # Infusions enter at the boundary with which the step begins.

    def enter_niche(self, step, n):
        for _ in range(n):
            agent = self.newcomer(step)
            agent.place = place(self.draw(agent, step, 0, 3)[0], self.shape)

    def enter_tissue(self, step, n, infusion, by_faces=False):
        """The free sites with the smallest keys, in the order of their keys; fewer if there are not as many."""
        taken = {agent.place for agent in self.agents}
        free = [s for s in range(prod(self.shape)) if s not in taken and (self.on_face(s) or not by_faces)]
        for site in sorted(free, key=lambda s: words(self.seed, START, s, 0, ENTRY + infusion)[:2])[:n]:
            self.newcomer(step).place = site

    def newcomer(self, step):
        agent = Agent(self.next_uid, -1, contact=step * self.dt)
        agent.phase = self.draw(agent, step, 0, 3)[1] / 2**32
        self.agents.append(agent)
        self.next_uid += 1
        return agent

    def on_face(self, site):
        return any(x in (0, n - 1) for x, n in zip(coordinates(site, self.shape), self.shape, strict=True))


# Niche scale.


@dataclass
class Niche:
    """Chances per sub-step at niche scale.

    meets(cells around) is the chance of an engagement and that of a commitment by it;
    kills(cell, cells around, force) that of a kill, force in units of 2^-16 T cell agents.
    """

    moves: float
    meets: Callable
    kills: Callable


def niche_sub_step(t_cells, cells, step, sub_step, niche, life):
    """One sub-step; the killed cells become None. Returns the sites killed."""
    force = [0] * len(cells)
    for agent in t_cells.agents:
        search_niche(t_cells, agent, cells, step, sub_step, niche, life, force)
    killed = [s for s in range(len(cells)) if niche_kill(t_cells, cells, s, step, sub_step, niche, force[s])]
    for site in killed:
        cells[site] = None
    live(t_cells, step, sub_step, life, lambda mother: mother.place)
    return killed


def search_niche(t_cells, agent, cells, step, sub_step, niche, life, force):
    """Move or stay, add the force 1 - e to the sites around, e before this engagement; engage or not."""
    w0, w1, w2, _ = t_cells.draw(agent, step, sub_step, 0)
    if happens(w0, niche.moves):
        agent.place = place(w1, t_cells.shape)
    around = t_cells.around[agent.place]
    for site in around:
        force[site] += floor((1.0 - life.exhausted(agent.x)) * 2**16)
    engages, commits = niche.meets([cells[site] for site in around])
    if happens(w2, engages):
        engage(t_cells, agent, commits, step, sub_step, life)


def niche_kill(t_cells, cells, site, step, sub_step, niche, force):
    if cells[site] is None or force == 0:
        return False
    w0, _, _, _ = words(t_cells.seed, KILL, site, step, sub_step)
    return happens(w0, niche.kills(cells[site], [cells[s] for s in t_cells.around[site]], force))


# Commitment, expansion, contraction and memory, at both scales.


def engage(t_cells, agent, commits, step, sub_step, life):
    """Count an engagement; the programme starts anew if the antigen commits and divisions are left in its life."""
    agent.x += 1.0
    agent.contact = t_cells.day(step, sub_step, life)
    if agent.done < life.lifetime and happens(t_cells.draw(agent, step, sub_step, 2)[0], commits):
        agent.to_go = life.programme
        agent.memory = False


def live(t_cells, step, sub_step, life, daughter_place):
    """Agents divide, die or become memory; then the dead go and the daughters come."""
    survivors, mothers = [], []
    room = 1.0 - len(t_cells.agents) / life.room
    day = t_cells.day(step, sub_step, life)
    for agent in t_cells.agents:
        _, w1, w2, w3 = t_cells.draw(agent, step, sub_step, 2)
        e = life.exhausted(agent.x)
        agent.x *= life.forgets
        if agent.memory:
            survives = not happens(w2, life.memory_dies)
        elif agent.to_go > 0 and agent.done < life.lifetime:
            survives = True
            if divides(agent, life.growth * (1.0 - e)) and happens(w1, room):
                mothers.append(agent)
        else:
            survives = day - agent.contact <= life.grace or not happens(w2, life.dies)
            if not survives and happens(w3, life.memory_share):
                survives = agent.memory = True
        if survives:
            survivors.append(agent)
    t_cells.agents = survivors
    for mother in mothers:
        where = daughter_place(mother)
        if where is not None:
            daughter = replace(mother, uid=t_cells.next_uid, place=where, state=SEARCHING, target=-1, heading=None)
            t_cells.agents.append(daughter)
            t_cells.next_uid += 1


def divides(agent, growth):
    """Grow the cycle phase; at 1 the cell divides once and keeps the rest."""
    agent.phase += growth
    if agent.phase < 1.0:
        return False
    agent.phase -= 1.0
    agent.to_go -= 1
    agent.done += 1
    return True


# Tissue scale.


@dataclass
class Micro:
    """Chances per sub-step, the time of one hop, at tissue scale.

    hops(site, site ahead); attaches(cell), 0 for what is no target; commits(cell), by an engagement with it;
    lyses is that of a lysis at release without exhaustion.
    """

    hops: Callable
    turns: float
    attaches: Callable
    commits: Callable
    releases: float
    lyses: float
    wakes: float


def tissue_sub_step(t_cells, cells, step, sub_step, micro, life):
    """One sub-step; the killed cells become None. Returns {site killed: number of the agent credited}."""
    taken = {agent.place for agent in t_cells.agents}
    claims = {}
    for agent in t_cells.agents:
        if agent.state == SEARCHING:
            draw = t_cells.draw(agent, step, sub_step, 0)
            walk(t_cells, agent, taken, draw, micro)
            attach(t_cells, agent, cells, draw, step, sub_step, micro, life)
            continue
        w0, w1, w2, _ = t_cells.draw(agent, step, sub_step, 1)
        if agent.state == RESTING:
            if happens(w0, micro.wakes):
                agent.state = SEARCHING
        elif happens(w0, micro.releases):
            target = agent.target
            there = cells[target] is not None and micro.attaches(cells[target]) > 0.0
            if there and happens(w1, micro.lyses * (1.0 - life.exhausted(agent.x))):
                claims[target] = max(claims.get(target, (-1, -1)), (w2, agent.uid))
            agent.state, agent.target = RESTING, -1
    for site in claims:
        cells[site] = None
    live(t_cells, step, sub_step, life, lambda mother: free_beside(t_cells, mother, step, sub_step))
    return {site: uid for site, (_, uid) in claims.items()}


def walk(t_cells, agent, taken, draw, micro):
    """Take a heading if need be, look ahead, and hop or not; what is in the way makes it lose its heading."""
    w0, w1, _, _ = draw
    directions = 3 ** len(t_cells.shape) - 1
    turning = floor(micro.turns * 2**32)
    if agent.heading is None:
        agent.heading = pick(w1, directions)
    elif w1 < turning:
        agent.heading = w1 * directions // turning
    ahead = site_ahead(t_cells, agent)
    if ahead is None or ahead in taken:
        agent.heading = None
    elif happens(w0, micro.hops(agent.place, ahead)):
        taken.remove(agent.place)
        taken.add(ahead)
        agent.place = ahead


def site_ahead(t_cells, agent):
    """The next site in the direction of the heading; None beyond a reflecting border."""
    shape = t_cells.shape
    centre = (3 ** len(shape) - 1) // 2
    k = agent.heading + 1 if agent.heading >= centre else agent.heading
    ahead = [x + dx for x, dx in zip(coordinates(agent.place, shape), box_offsets(k, 1, len(shape)), strict=True)]
    if t_cells.boundary == "reflecting" and any(not 0 <= x < n for x, n in zip(ahead, shape, strict=True)):
        return None
    return number([x % n for x, n in zip(ahead, shape, strict=True)], shape)


def attach(t_cells, agent, cells, draw, step, sub_step, micro, life):
    """Pick one of the targets on the own and the neighbouring sites, and attach to it or not."""
    _, _, w2, w3 = draw
    around = t_cells.around[agent.place]
    targets = [s for s in around if cells[s] is not None and micro.attaches(cells[s]) > 0.0]
    if not targets:
        return
    site = targets[pick(w3, len(targets))]
    if happens(w2, micro.attaches(cells[site])):
        agent.state, agent.target = ENGAGED, site
        engage(t_cells, agent, micro.commits(cells[site]), step, sub_step, life)


def free_beside(t_cells, mother, step, sub_step):
    """A free place next to the mother, looked for from a random one of the 3 x 3 (x 3) on; None if all are taken."""
    around = t_cells.around[mother.place]
    first = pick(t_cells.draw(mother, step, sub_step, 1)[3], len(around))
    taken = {agent.place for agent in t_cells.agents}
    return next((site for site in around[first:] + around[:first] if site not in taken), None)
