"""What CAR T cells at niche scale find around a site, weighed once for all sites with the same cells around.

The 3 x 3 (x 3) sites around are told by how many cells of each kind stand there: five bits a kind, twelve kinds a
word. A flat marrow has a few hundred such neighbourhoods, so what follows from one is kept until the step ends; with
three dimensions or many kinds there are more, and the table is emptied when it is half full.
"""

from numba import int64, uint64

from mpn_abm.kernels.compiler import fused, jit
from mpn_abm.kernels.draws import chance, decay
from mpn_abm.kernels.lattice import sites_around, sum_around
from mpn_abm.kernels.packing import COUNT_BITS, COUNTS_A_WORD, MOST_COUNT, SLOTS, slot_of
from mpn_abm.state import GENOTYPE, KILLING

# columns of `rate`
KILLS_A_DAY, PER_TARGET = 0, 1
# z/f where f is 0, the largest that it can be
MOST_PER_TARGET = 26.0
# columns of `word`
ENGAGES, COMMITS = 0, 1
# neighbourhoods kept; with half of the slots free one is found soon
MOST_KNOWN = SLOTS // 2


@jit
def touching(f):
    """z = 1 - (1-f)^26: the chance that one of 26 neighbours is a target."""
    miss = 1.0 - f
    two = miss * miss
    eight = two * two * two * two
    return 1.0 - eight * eight * eight * two


@jit
def forget(surroundings):
    """Nothing is known of any site."""
    # elsewhere no site is told of: where few agents live on many sites, to forget would take longer than to look
    if surroundings.everywhere[0] == 1:
        surroundings.told[:] = 0
    surroundings.known[0] = 0


@jit
def count_everywhere(cell, surroundings, rules, lattice):
    """Count the kinds around every site at once, which pays where many agents ask."""
    for w in range(rules.unit.shape[0]):
        for s in range(cell.shape[0]):
            surroundings.own[s] = rules.unit[w, int64(cell[s] & GENOTYPE)]
        sum_around(surroundings.own, lattice, surroundings.line, surroundings.cells[w])
    surroundings.own[:] = 0


@jit
def take_off(s, g, around, surroundings, rules, lattice):
    """A cell of genotype g at s is gone: the sites around count one less, and what was known of them is forgotten."""
    if surroundings.everywhere[0] == 0:
        return
    n = sites_around(s, lattice, around)
    for k in range(n):
        surroundings.told[around[k]] = 0
    for w in range(rules.unit.shape[0]):
        for k in range(n):
            surroundings.cells[w, around[k]] -= rules.unit[w, g]


@jit
def count_here(s, cell, around, surroundings, rules, lattice):
    """Look at the counts of a site: those that ``count_everywhere`` has made, else made now."""
    here = surroundings.here
    if surroundings.everywhere[0] == 1:
        for w in range(here.shape[0]):
            here[w] = surroundings.cells[w, s]
        return
    n = sites_around(s, lattice, around)
    for w in range(here.shape[0]):
        counts = int64(0)
        for k in range(n):
            counts += rules.unit[w, int64(cell[around[k]] & GENOTYPE)]
        here[w] = counts


@jit
def weigh(slot, surroundings, signal, immunity, rules, step):
    """Work out what follows from the counts looked at, and keep it in a slot.

    f is the receptor share times the antigen-positive part of the megakaryocyte output, 1 + b A a stem cell, h and g
    the means over the receptor-bearing cells, and the factor that drugs put on killing the mean over what T cells hold.
    """
    here = surroundings.here
    surroundings.made[slot] = step + 1
    for w in range(here.shape[0]):
        surroundings.key[slot, w] = here[w]
    output = 0.0
    positive = 0.0
    lysis = 0.0
    activation = 0.0
    killed = 0.0
    for kind in range(rules.example.shape[0]):
        number = (here[kind // COUNTS_A_WORD] >> (COUNT_BITS * (kind % COUNTS_A_WORD))) & MOST_COUNT
        g = rules.example[kind]
        share = number * (1.0 + rules.output[g] * signal.activity[rules.base[g]])
        output += share
        antigen = rules.antigen_class[g]
        if antigen > 0:
            positive += share
            held = share * immunity.lysis_progenitor[antigen]
            lysis += held
            killed += held * signal.factor[KILLING, rules.base[g]]
            activation += share * immunity.activation_progenitor[antigen]
    surroundings.rate[slot, KILLS_A_DAY] = 0.0
    surroundings.rate[slot, PER_TARGET] = MOST_PER_TARGET
    surroundings.word[slot, ENGAGES] = uint64(0)
    surroundings.word[slot, COMMITS] = uint64(0)
    if positive == 0.0 or rules.receptor_share == 0.0:
        return
    f = rules.receptor_share * positive / output
    surroundings.rate[slot, PER_TARGET] = touching(f) / f
    if lysis == 0.0:
        return
    wait = rules.attach_time / (lysis / positive * touching(f)) + rules.engagement_time + rules.rest_time
    surroundings.rate[slot, KILLS_A_DAY] = killed / lysis / wait
    surroundings.word[slot, ENGAGES] = chance(1.0 - decay(rules.sub_step / wait))
    surroundings.word[slot, COMMITS] = chance(activation / positive)


@fused
def slot_here(surroundings, signal, immunity, rules, step):
    """The slot that tells of the counts looked at; if none does yet in this step, the next free one, weighed now."""
    here = surroundings.here
    slot = slot_of(here)
    while surroundings.made[slot] == step + 1:
        same = True
        for w in range(here.shape[0]):
            same = same and surroundings.key[slot, w] == here[w]
        if same:
            return slot
        slot = (slot + 1) & (SLOTS - 1)
    if surroundings.known[0] == MOST_KNOWN:
        # rather than search long for a free slot
        surroundings.made[:] = 0
        forget(surroundings)
        slot = slot_of(here)
    surroundings.known[0] += 1
    weigh(slot, surroundings, signal, immunity, rules, step)
    return slot


@fused
def look_around(s, cell, signal, immunity, around, surroundings, rules, lattice, step):
    """The slot that tells of a site. To be read at once: a later look may need the slot for something else."""
    everywhere = surroundings.everywhere[0] == 1
    told = int64(surroundings.told[s]) if everywhere else int64(0)
    if told > 0:
        return told - 1
    count_here(s, cell, around, surroundings, rules, lattice)
    slot = slot_here(surroundings, signal, immunity, rules, step)
    if everywhere:
        surroundings.told[s] = slot + 1
    return slot
