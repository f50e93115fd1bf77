"""The life of a CAR T cell, the same at both scales: exhaustion, commitment, division, death, memory."""

from numba import int16, uint8, uint64

from mpn_abm.kernels.compiler import jit
from mpn_abm.kernels.draws import AGENT, words
from mpn_abm.mechanisms.placement import vacate
from mpn_abm.state import HEALTHY_KILLED, KILLS

# what a sub-step decided for an agent
LIVES, DIES, DIVIDES = 0, 1, 2


@jit
def exhaustion_of(x, rules):
    """e = x^4 / (x^4 + 40^4) of an engagement counter x."""
    if x <= 0.0:
        return 0.0
    ratio = x / rules.exhaustion_half
    power = ratio * ratio
    power = power * power if rules.exhaustion_exponent == 4.0 else ratio**rules.exhaustion_exponent
    return power / (power + 1.0)


@jit
def vigour(exhausted, checkpoint, suppression):
    """(1 - S)(1 - e), S = 1 - (1 - c e)/(1 + M): what exhaustion, PD-L1 and suppression leave of a T cell's work."""
    return (1.0 - exhausted) * (1.0 - checkpoint * exhausted) / (1.0 + suppression)


@jit
def draw_words(uid, step, sub, k, key_low, key_high):
    """Four words of an agent in a sub-step; k says what they are for."""
    return words(uid, step, AGENT, sub * 4 + k, key_low, key_high)


@jit
def engage(a, agents, rules, today, commits, commit_word):
    """Count an engagement; the antigen, by a threshold, decides whether the cell is committed to divide."""
    agents.exhaustion[a] += 1.0
    agents.contact[a] = today
    if uint64(commit_word) < commits and agents.done[a] < rules.max_divisions:
        agents.to_go[a] = rules.programme_divisions
        agents.memory[a] = 0


# What follows is done for all agents in hand, one question at a time and without a branch: a processor that guesses at
# branches is wrong about too many agents, and loops over two or three arrays become vector code.


@jit
def vigours(exhaustion, rules, checkpoint, suppression, work):
    """Write the vigour of agents in hand where suppression is the same for all."""
    for j in range(exhaustion.shape[0]):
        work[j] = vigour(exhaustion_of(exhaustion[j], rules), checkpoint, suppression)


@jit
def find_growing(memory, to_go, done, most, grows):
    """Who is on the way through a programme of divisions."""
    for j in range(memory.shape[0]):
        grows[j] = uint8((memory[j] == 0) & (to_go[j] > 0) & (done[j] < most))


@jit
def grow(phase, grows, pace, growth, divides):
    """Advance the phase of who grows; a cell that comes to the end of its cycle divides."""
    for j in range(phase.shape[0]):
        now = phase[j] + (growth * pace[j] if grows[j] == 1 else 0.0)
        ends = (grows[j] == 1) & (now >= 1.0)
        phase[j] = now - (1.0 if ends else 0.0)
        divides[j] = uint8(ends)


@jit
def count_divisions(to_go, done, divides):
    """Take a division off the programme and put it on the life's count."""
    for j in range(to_go.shape[0]):
        to_go[j] -= int16(divides[j])
        done[j] += int16(divides[j])


@jit
def find_dying(memory, contact, grows, word, today, rules, dies):
    """Who is hit: memory cells at their own rate, the others once their programme and their grace are over."""
    for j in range(memory.shape[0]):
        is_lost = (grows[j] == 0) & (today - contact[j] > rules.grace)
        danger = rules.memory_death if memory[j] == 1 else (rules.death if is_lost else uint64(0))
        dies[j] = uint8(uint64(word[j]) < danger)


@jit
def turn_into_memory(memory, word, share, dies):
    """Some of those who would die become memory cells instead."""
    for j in range(memory.shape[0]):
        settles = uint8((dies[j] == 1) & (memory[j] == 0) & (uint64(word[j]) < share))
        memory[j] |= settles
        dies[j] -= settles


@jit
def decide(divides, dies, word, daughter_lives, fate):
    """LIVES, DIES or DIVIDES; a daughter without room dies at once, so her mother did not divide."""
    for j in range(fate.shape[0]):
        lives = DIVIDES if (divides[j] == 1) & (uint64(word[j]) < daughter_lives) else LIVES
        fate[j] = uint8(DIES if dies[j] == 1 else lives)


@jit
def live(first, number, agents, hand, rules, today, daughter_lives, forgetting):
    """Agents in hand grow, divide, die or become memory in one sub-step, by the words in ``hand.life``.

    hand.work : float64[number]
        Factor on the growth of the cycle phase, with the engagement of this sub-step.
    daughter_lives : uint64
        Threshold of a 32-bit word: 1 - T cells over capacity.
    """
    end = first + number
    memory, to_go, done = agents.memory[first:end], agents.to_go[first:end], agents.done[first:end]
    grows, divides, dies = hand.grows, hand.divides, hand.dies
    find_growing(memory, to_go, done, rules.max_divisions, grows)
    grow(agents.phase[first:end], grows, hand.work, rules.phase_growth, divides)
    count_divisions(to_go, done, divides)
    find_dying(memory, agents.contact[first:end], grows, hand.life[2], today, rules, dies)
    turn_into_memory(memory, hand.life[3], rules.memory_share, dies)
    decide(divides, dies, hand.life[1], daughter_lives, agents.fate[first:end])
    exhaustion = agents.exhaustion[first:end]
    for j in range(number):
        exhaustion[j] *= forgetting


@jit
def kill_cell(s, block, cell, source, counters, ledger, tally, base, source_weight, antigen_class, is_mutant):
    """Empty a site; the cell is killed, not lost."""
    g = vacate(s, block, cell, source, counters, tally, base, source_weight, antigen_class)
    ledger.killed[g] += 1
    tally[KILLS] += 1
    if is_mutant[g] == 0:
        tally[HEALTHY_KILLED] += 1


@jit
def smooth_readout(agents, rules):
    """Move the smoothed killing rate towards that of the sub-step."""
    agents.readout[0] += rules.readout_weight * (agents.readout[1] - agents.readout[0])
