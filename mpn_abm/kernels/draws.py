"""Counter-based random numbers and what is read off them.

Every random word is a pure function of (seed, stream, step, item, draw): who asks, when and in which
thread makes no difference. Philox4x32-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405).
"""

import math

import numpy as np
from numba import int64, uint32, uint64

from mpn_abm.kernels.compiler import allocating_jit, inlined, jit

EVENT, COUNT, FATE, PARENT, KILL, START, AGENT, PATIENT, REPLICATE = range(1, 10)

ALL_ONES = np.uint64(0xFFFFFFFFFFFFFFFF)
TWO_32 = np.uint64(1 << 32)
TWO_64 = 18446744073709551616.0
# items of a call of `draw_block`
DRAWN_TOGETHER = 256


@inlined
def philox(item, step, stream, key_low, key_high):
    """Four 32-bit words of the counter (item, step, stream, 0) under a 64-bit key.

    Parameters
    ----------
    item, step, stream, key_low, key_high : uint32
        ``stream`` holds the stream in its low byte and 256 x draw above it.
    """
    # 64-bit lanes whose upper halves are never looked at: a vector product of two 32-bit numbers reads just the
    # lower halves, so nothing has to be shuffled between rounds
    low = uint64(0xFFFFFFFF)
    c0, c1, c2, c3 = uint64(item), uint64(step), uint64(stream), uint64(0)
    k0, k1 = uint64(key_low), uint64(key_high)
    for _ in range(10):
        p = uint64(0xD2511F53) * (c0 & low)
        q = uint64(0xCD9E8D57) * (c2 & low)
        c0, c1, c2, c3 = (q >> uint64(32)) ^ c1 ^ k0, q, (p >> uint64(32)) ^ c3 ^ k1, p
        k0 += uint64(0x9E3779B9)
        k1 += uint64(0xBB67AE85)
    return uint32(c0), uint32(c1), uint32(c2), uint32(c3)


@jit
def words(item, step, stream, draw, key_low, key_high):
    """Four words for the rare draws; ``philox`` inlined once here instead of at every caller."""
    return philox(uint32(item), uint32(step), uint32(uint32(stream) + (uint32(draw) << uint32(8))), key_low, key_high)


@jit
def draw_block(items, first, number, step, stream, draw, key_low, key_high, drawn):
    """Four words each for items[first], items[first + 1], ...: ``words`` as vector code.

    Parameters
    ----------
    items : uint32[n] or int32[n]
    number : int64
        At most DRAWN_TOGETHER.
    drawn : uint32[4, DRAWN_TOGETHER], written
    """
    stream_word = uint32(uint32(stream) + (uint32(draw) << uint32(8)))
    d0, d1, d2, d3 = drawn[0], drawn[1], drawn[2], drawn[3]
    asked = items[first : first + number]
    for j in range(number):
        d0[j], d1[j], d2[j], d3[j] = philox(uint32(asked[j]), uint32(step), stream_word, key_low, key_high)


@jit
def replicate_seed(seed, replicate):
    """Seed of a replicate: the file's for replicate 0, else 53 bits of stream 9."""
    if replicate == 0:
        return seed
    w0, w1, _, _ = words(replicate, 0, REPLICATE, 0, uint32(seed & uint64(0xFFFFFFFF)), uint32(seed >> uint64(32)))
    return ((uint64(w0) << uint64(32)) | uint64(w1)) >> uint64(11)


@jit
def chance(probability):
    """Threshold T so that a word w < T has this probability; certain from 1 on (2^32)."""
    if probability >= 1.0:
        return TWO_32
    if probability <= 0.0:
        return uint64(0)
    return uint64(probability * 4294967296.0)


@jit
def threshold(share):
    """floor(share 2^64), at most 2^64 - 1."""
    return uint64(share * TWO_64) if share < 1.0 else ALL_ONES


@jit
def ladder(rate):
    """Smallest 2^(j/4) not below a positive rate."""
    mantissa, exponent = math.frexp(rate)
    rung = 0.5
    if mantissa > 0.5:
        rung = 0.5946035575013605
    if mantissa > 0.5946035575013605:
        rung = 0.7071067811865476
    if mantissa > 0.7071067811865476:
        rung = 0.8408964152537145
    if mantissa > 0.8408964152537145:
        rung = 1.0
    return math.ldexp(rung, exponent)


@jit
def poisson_table_length(mean):
    """Entries that ``fill_poisson_table`` needs for this mean."""
    return int64(20.0 * np.sqrt(mean)) + int64(64)


@allocating_jit
def fill_poisson_table(mean, table):
    """Cumulative 2^64 thresholds of Poisson(mean) over the mean +- (10 sd + 30).

    Made outward from the mode with + - x / and a correctly rounded square root alone, so that the table
    is the same on every IEEE machine.

    Parameters
    ----------
    mean : float
        Expected number of candidates, more than 0.
    table : uint64[n], written
        At least ``poisson_table_length(mean)`` entries.

    Returns
    -------
    lowest, entries : int64
        The number that entry 0 stands for, and how many entries are in use.
    """
    half = 10.0 * np.sqrt(mean) + 30.0
    lowest = int64(max(0.0, np.floor(mean - half)))
    entries = int64(np.floor(mean + half)) - lowest + 1
    mode = int64(np.floor(mean)) - lowest
    share = np.empty(entries)
    share[mode] = 1.0
    for k in range(mode - 1, -1, -1):
        share[k] = share[k + 1] * (k + lowest + 1) / mean
    for k in range(mode + 1, entries):
        share[k] = share[k - 1] * mean / (k + lowest)
    total = 0.0
    for k in range(entries):
        total += share[k]
    reached = 0.0
    for k in range(entries):
        reached += share[k]
        table[k] = threshold(reached / total)
    return lowest, entries


@jit
def poisson_number(table, lowest, entries, word):
    """The Poisson number of one 64-bit word: the first entry above it, else the last."""
    left = int64(0)
    right = entries - 1
    while left < right:
        middle = (left + right) >> 1
        if word < table[middle]:
            right = middle
        else:
            left = middle + 1
    return lowest + left


@inlined
def decay(x):
    """exp(-x) for x >= 0 with + x / alone: the same bits on every IEEE machine, and it vectorises.

    exp(-x) = (exp(-x/1024))^1024, the inner one by its Taylor series; relative error below 4e-13 up
    to x = 20 and 2e-10 up to 50, beyond which 2e-22 is returned.
    """
    y = min(x, 50.0) * (-1.0 / 1024.0)
    e = 1.0 + y * (1.0 + y * (0.5 + y * (1.0 / 6.0 + y * (1.0 / 24.0 + y * (1.0 / 120.0 + y * (1.0 / 720.0))))))
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    return e
