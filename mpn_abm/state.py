"""Every array of one marrow, on one page.

A marrow is a NamedTuple of arrays, so that compiled code takes it as it is. Several marrows of the same
scenario are the same tuple with one more axis in front (``stack``); ``take`` gives one of them, without a
copy.

A cell word (uint64) holds, from the low end: genotype (8 bits, 0 = empty niche), antigen byte (8), 15 unused
bits, the mark that the striped executor sets and clears within a step (bit 31), clone id (32).
"""

from typing import Any, NamedTuple

import numpy as np

from mpn_abm.kernels.compiler import allocating_jit

GENOTYPE = np.uint64(0xFF)
ANTIGEN = np.uint64(0xFF00)
MARK = np.uint64(1 << 31)
CLONE_SHIFT = np.uint64(32)
ANTIGEN_SHIFT = np.uint64(8)

# entries of `tally`
(
    NEXT_CLONE,  # next free clone id
    CANDIDATES,  # candidates drawn since day 0
    EVENTS,  # of them, those that changed a site
    EMPTIED,  # clones that may have lost their last cell in this step
    ROWS,  # trajectory rows in the block
    CLONE_ROWS,  # clone rows in the block
    LOGGED,  # events in the log
    T_CELLS,  # CAR T agents alive
    NEXT_UID,  # next free number of a CAR T agent
    KILLS,  # cells killed by CAR T agents since day 0
    HEALTHY_KILLED,  # of them, wild-type cells
    ENDED,  # why the run ended, 0 while it goes on
    ENDED_STEP,  # the step boundary at which it ended
    SCARRED,  # highest scar byte of the lattice
    TABLE_LOWEST,  # the number that entry 0 of `poisson` stands for
    TABLE_ENTRIES,
    FIELD_CYCLES,  # multigrid cycles of the last field update
    MUTANTS_SEEN,  # 1 once a JAK2 or CALR mutant was there
    LEADING_GENE,  # of row 0: 0 none, 1 JAK2, 2 CALR
    NEXT_ROW,  # index of the next due row
    NEXT_INFUSION,
    STAGE,  # how far the current step has come, if it had to be left for more room
    SUB_STEP,  # the same for the sub-steps of CAR T cells
    PHASE,  # 0 chronic, 1 accelerated, 2 blast
    LATE,  # 1 from the accelerated phase on, until the last transformed cell is gone
    DEAD_STEP,  # boundary at which the patient died, 0 while alive
    RESPONSE_LOST_STEP,  # boundary from which type I inhibitors count less, 0 before
    TRANSPLANT_STEP,  # step of the transplant + 1, 0 without one
    TRANSPLANT_TREATMENT,  # number of that treatment
    ENGRAFTED,  # 1 once donor cells are in their niches
    TALLIES,
) = range(31)

# columns of `clone_table`
PARENT, BORN_STEP, BORN_SITE, CLONE_GENOTYPE, FOUNDER, LOST_STEP, CLONE_FACTS = range(7)

# columns of `log`
LOG_STEP, LOG_KIND, LOG_WHO, LOG_VALUE, LOG_FACTS = range(5)

# columns of `drug`
GUT, PLASMA, DRUG_FACTS = range(3)

# columns of `course`; a step boundary is kept plus 1, and 0 is none
(
    ON,  # 1 while it runs
    WAS_ON,  # the same before the decisions of this boundary
    STARTS,  # times that it has started
    STARTED,  # boundary of the last start
    STOPPED,  # boundary of the last stop
    DUE,  # boundary of a start that another treatment has set off
    GIVEN,  # doses since the last start
    PENDING,  # doses that are due now, of what is given at once
    LEVEL,  # 0: its own dose, else the rule that limits it
    SHOWN,  # level that the log tells as running, plus 1
    COURSE_FACTS,
) = range(11)

# entries of `medication`: what all drugs together do in the step
(
    TYPE_1,  # share I of JAK2 held by type I inhibitors, 0 to 1
    JAK1,  # share I_JAK1 of JAK1 held, 0 to 1
    TYPE_2,  # share I2 of JAK2 held by type II inhibitors, 0 to 1
    T_CELL_JAK,  # burden J_T of JAK inhibition on T cells, 0 to 1
    HSP90,  # H, 1 at full dose
    INTERFERON,  # 1 at full dose
    ELTROMBOPAG,  # X, in units of usual exposure
    BLOCKADE,  # B of PD-1, 0 to 1
    ANTI_CALR,  # exposure to an antibody against CALR, 1 at full dose
    MEDICATIONS,
) = range(10)

# entries of `response`: what of I and I_JAK1 still counts once the response is lost
HELD_JAK2, HELD_JAK1 = range(2)

# entries of `strain`: what CAR T cells meet in this step
(
    CHECKPOINT,  # part of an exhausted cell's work that PD-L1 stops, mean of the antigen-positive cells
    SUPPRESSION,  # field M of suppressive myeloid cells, mean of the marrow
    T_QUALITY,  # Q of the endogenous T cells that meet an average cell
    T_DIVISION,  # factor of JAK inhibition on division
    T_KILLING,  # factor of JAK inhibition on killing
    FORGETTING,  # factor of the engagement counter per sub-step
    STRAINS,
) = range(7)

# entries of `reading`
(
    SPLEEN,  # ml
    SYMPTOMS,  # score
    BLASTS,  # share of transformed cells in the progenitor output
    GRAFT,  # hazard of the graft on mutant cells, 1/day
    READINGS,
) = range(5)

# rows of `factor`: what drugs of kind `modifier` multiply, per signalling base
DIVISION, LOSS, ANTIGEN_DENSITY, KILLING, HOMING, DEPOSITION, FACTORS = range(7)

# states of a CAR T agent
SEARCHING, ENGAGED, RESTING = range(3)


class Counters(NamedTuple):
    """What every event changes; a stripe of the striped executor counts into its own."""

    genotype_cells: np.ndarray  # int64[G]  cells of each genotype; [0] empty niches
    births: np.ndarray  # int64[G]      daughters that stayed, since day 0
    losses: np.ndarray  # int64[G]      displaced or differentiated, since day 0
    clone_cells: np.ndarray  # int64[C]       cells of each clone; C = capacity
    antigen_cells: np.ndarray  # int64[classes, 256]  cells of an antigen class, by antigen byte


class Ledger(NamedTuple):
    """The rarer ways in which cells come and go, since day 0; int64[G] each."""

    killed: np.ndarray  # by CAR T cells
    arrived: np.ndarray  # placed after day 0
    mutated_to: np.ndarray
    mutated_from: np.ndarray


class Ground(NamedTuple):
    """What the cells stand on, per block."""

    scar: np.ndarray  # uint8[B]        ECM as a byte, E = byte / 255
    source: np.ndarray  # int32[bases, B]    cells of each signalling base, ASXL1 counted twice
    ecm: np.ndarray  # float64[B]       ECM, 0 (MF-0) to 1
    myofibroblast: np.ndarray  # float64[B]  active fraction
    cytokine: np.ndarray  # float64[B]  pro-fibrotic cytokine, relative
    drive: np.ndarray  # float64[B]     the drive q of the block
    summary: np.ndarray  # float64[2]   mean ECM and MF grade of the last field update
    work: np.ndarray  # float64[...]    scratch of the cytokine fields


class Marks(NamedTuple):
    """Thresholds of the step that is being run, and its candidates."""

    division: np.ndarray  # uint64[G]
    division_scar: np.ndarray  # uint64[G]   by how much one scar unit lowers it
    loss: np.ndarray  # uint64[G]
    mutation: np.ndarray  # uint64[G, K]
    known: np.ndarray  # float64[G]     rho for which the mutation marks stand, 0 if they are cleared
    rate: np.ndarray  # float64[3]      rho of the table, rho of the step, highest division
    poisson: np.ndarray  # uint64[...]  cumulative thresholds of the number of candidates
    batch: np.ndarray  # uint32[5, 256] candidates being run


class Signal(NamedTuple):
    """Drugs and signalling."""

    medication: np.ndarray  # float64[MEDICATIONS]  what all drugs together do, mean of the step
    factor: np.ndarray  # float64[FACTORS, bases]  what modifiers multiply, 1 without one
    activity: np.ndarray  # float64[bases]    relative JAK/STAT activity A, mean of the step
    persistence: np.ndarray  # float64[bases] P at the end of the step
    protein: np.ndarray  # float64[bases] JAK2 protein J, 1 without a drug
    response: np.ndarray  # float64[2] I and I_JAK1 as far as they still count
    drug: np.ndarray  # float64[T, 2]   per treatment: gut, plasma (or exposure)
    course: np.ndarray  # int64[K, 10]  per course of a treatment, columns above
    held_since: np.ndarray  # int64[conditions]  boundary since which each holds, plus 1; 0 if it does not
    seen: np.ndarray  # float64[columns]  the row of this boundary, if a condition asks


class Immunity(NamedTuple):
    """How T cells and mutant cells meet in this step; classes are those of the antigen."""

    strain: np.ndarray  # float64[STRAINS]
    pd_l1: np.ndarray  # float64[bases]  L, 1 in the wild type
    checkpoint: np.ndarray  # float64[bases]  part of an exhausted cell's work that L stops
    hazard: np.ndarray  # float64[bases]  endogenous T cells and the graft, 1/day
    density: np.ndarray  # float64[classes]  factor on the antigen now
    lysis: np.ndarray  # float64[classes, 256]  h(a) by antigen byte
    activation: np.ndarray  # float64[classes, 256]  g(a)
    lysis_progenitor: np.ndarray  # float64[classes]
    activation_progenitor: np.ndarray  # float64[classes]
    suppression: np.ndarray  # float64[B]  M of the block, at tissue scale


class Body(NamedTuple):
    """What of the patient hangs on the marrow."""

    share: np.ndarray  # float64[bases]  x_g, of all cells
    output: np.ndarray  # float64[bases]  share of the granulocyte output
    blood: np.ndarray  # float64[3, 3]  platelets, red, white cells over normal, by transit compartment
    reading: np.ndarray  # float64[READINGS]


class Agents(NamedTuple):
    """CAR T agents in the order of their birth, and their layer of the lattice."""

    site: np.ndarray  # int32[A]
    uid: np.ndarray  # uint32[A]
    state: np.ndarray  # uint8[A]     searching, engaged, resting
    memory: np.ndarray  # uint8[A]    1 if a memory cell
    to_go: np.ndarray  # int16[A]     divisions that the commitment still holds
    done: np.ndarray  # int16[A]      divisions done in life
    phase: np.ndarray  # float64[A]   of the cell cycle, divides at 1
    exhaustion: np.ndarray  # float64[A]   engagement counter x
    contact: np.ndarray  # float64[A] day of the last engagement
    target: np.ndarray  # int32[A]    site held, -1 if none
    heading: np.ndarray  # int32[A]   direction of the walk, -1 if none
    claim: np.ndarray  # uint32[A]    scratch: priority of the claim
    fate: np.ndarray  # uint8[A]      scratch: what a sub-step decided
    layer: np.ndarray  # int64[S]     niche, scratch: force of the agents around, in 2^-16; tissue: agents here
    touched: np.ndarray  # int32[S]   scratch; niche: sites with a force; tissue: claiming agent + 1
    around: np.ndarray  # int64[27]   scratch: sites around the one in question
    readout: np.ndarray  # float64[2] kills of marrow cells per marrow cell and day: smoothed, of the sub-step


class Surroundings(NamedTuple):
    """What CAR T agents find around a site at niche scale, all of it scratch. W words of twelve kinds, 1,024 slots."""

    everywhere: np.ndarray  # int64[1]  1 if cells and forces are added up at all sites in this step
    cells: np.ndarray  # int64[W, S]  cells around by kind, five bits each, where they are counted everywhere
    own: np.ndarray  # int64[S]       what is summed over the sites around; zeros between its uses
    line: np.ndarray  # int64[width + 2]
    target: np.ndarray  # int32[S]    sites where something may be lysed, where forces are summed everywhere
    targets: np.ndarray  # int64[1]   how many
    told: np.ndarray  # uint16[S]     slot that tells of a site, plus 1; 0 if none does yet; where counted everywhere
    here: np.ndarray  # int64[W]      counts being looked at
    key: np.ndarray  # int64[slots, W]  counts of which the slot tells
    made: np.ndarray  # int64[slots]  step in which it was worked out, plus 1
    known: np.ndarray  # int64[1]     slots in use in this step, since they were last emptied
    rate: np.ndarray  # float64[slots, 2]  kills of an agent in full vigour, 1/day; lyses per target
    word: np.ndarray  # uint64[slots, 2]  thresholds of 32-bit words: engages, commits


class Hand(NamedTuple):
    """What is worked out for the CAR T agents, or the sites, in hand: 256 at a time, all of it scratch."""

    search: np.ndarray  # uint32[4, 256]  words by which agents move and engage; those of a site
    life: np.ndarray  # uint32[4, 256]  words by which agents are committed, divide, die and become memory
    work: np.ndarray  # float64[256]  vigour of an agent; lyses of a target at one per target
    listed: np.ndarray  # uint32[256]  those of whom something is true
    commits: np.ndarray  # uint64[256]  of those who engage: threshold to be committed
    grows: np.ndarray  # uint8[256]   1 if so
    divides: np.ndarray  # uint8[256]
    dies: np.ndarray  # uint8[256]


class Record(NamedTuple):
    """Rows not yet taken by the recorder."""

    rows: np.ndarray  # float64[R, columns]
    row_at: np.ndarray  # int64[R]  step boundary of each row
    clone_rows: np.ndarray  # int64[..., 3]  step boundary, clone, cells
    log: np.ndarray  # float64[..., 4]  step, kind, who, value


class MarrowState(NamedTuple):
    """State of one marrow. S sites, B blocks of 4 sites a side, G genotypes, K kinds of mutation."""

    cell: np.ndarray  # uint64[S]       who lives here
    counters: Counters
    ledger: Ledger
    clone_table: np.ndarray  # int64[C, 6]    parent, step, site, genotype, founder, step of loss or -1
    ground: Ground
    marks: Marks
    signal: Signal
    immunity: Immunity
    body: Body
    agents: Agents
    surroundings: Surroundings
    hand: Hand
    record: Record
    tally: np.ndarray  # int64[TALLIES]


class Lattice(NamedTuple):
    """Shape of the marrow, the same for every replicate."""

    depth: int
    height: int
    width: int
    radius: int  # homing radius, sites
    radius_z: int  # 0 on a 2-D lattice
    reflecting: bool
    block_height: int
    block_width: int
    sites: int
    blocks: int


def lattice_of(shape: tuple[int, ...], radius: int, reflecting: bool) -> Lattice:
    """The lattice of a marrow shape of 2 or 3 lengths, slowest axis first."""
    depth, height, width = (1, *shape) if len(shape) == 2 else shape
    blocks = [(n + 3) // 4 for n in (depth, height, width)]
    return Lattice(
        depth=depth,
        height=height,
        width=width,
        radius=radius,
        radius_z=radius if len(shape) == 3 else 0,
        reflecting=reflecting,
        block_height=blocks[1],
        block_width=blocks[2],
        sites=depth * height * width,
        blocks=blocks[0] * blocks[1] * blocks[2],
    )


@allocating_jit
def take(stack, k):  # type: ignore[no-untyped-def]
    """Marrow k of a stack; its arrays are views."""
    c, e, g, m, s, a, r = (
        stack.counters, stack.ledger, stack.ground, stack.marks, stack.signal, stack.agents, stack.record,
    )  # fmt: skip
    i, b, u, h = stack.immunity, stack.body, stack.surroundings, stack.hand
    return MarrowState(
        stack.cell[k],
        Counters(c.genotype_cells[k], c.births[k], c.losses[k], c.clone_cells[k], c.antigen_cells[k]),
        Ledger(e.killed[k], e.arrived[k], e.mutated_to[k], e.mutated_from[k]),
        stack.clone_table[k],
        Ground(
            g.scar[k], g.source[k], g.ecm[k], g.myofibroblast[k], g.cytokine[k], g.drive[k], g.summary[k], g.work[k]
        ),
        Marks(
            m.division[k], m.division_scar[k], m.loss[k], m.mutation[k], m.known[k], m.rate[k], m.poisson[k], m.batch[k]
        ),
        Signal(
            s.medication[k], s.factor[k], s.activity[k], s.persistence[k], s.protein[k], s.response[k], s.drug[k],
            s.course[k], s.held_since[k], s.seen[k],
        ),
        Immunity(
            i.strain[k], i.pd_l1[k], i.checkpoint[k], i.hazard[k], i.density[k], i.lysis[k], i.activation[k],
            i.lysis_progenitor[k], i.activation_progenitor[k], i.suppression[k],
        ),
        Body(b.share[k], b.output[k], b.blood[k], b.reading[k]),
        Agents(
            a.site[k], a.uid[k], a.state[k], a.memory[k], a.to_go[k], a.done[k], a.phase[k], a.exhaustion[k],
            a.contact[k], a.target[k], a.heading[k], a.claim[k], a.fate[k], a.layer[k], a.touched[k],
            a.around[k], a.readout[k],
        ),
        Surroundings(
            u.everywhere[k], u.cells[k], u.own[k], u.line[k], u.target[k], u.targets[k], u.told[k], u.here[k],
            u.key[k], u.made[k], u.known[k], u.rate[k], u.word[k],
        ),
        Hand(
            h.search[k], h.life[k], h.work[k], h.listed[k], h.commits[k], h.grows[k], h.divides[k], h.dies[k]
        ),
        Record(r.rows[k], r.row_at[k], r.clone_rows[k], r.log[k]),
        stack.tally[k],
    )  # fmt: skip


def marrow_of(stack: MarrowState, k: int) -> MarrowState:
    """``take`` for callers in Python, which need no compiled code to slice."""
    groups: list[Any] = [type(g)(*(a[k] for a in g)) if isinstance(g, tuple) else g[k] for g in stack]
    return MarrowState(*groups)
