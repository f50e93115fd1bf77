"""Random draws and lattice arithmetic of the event kernel in plain Python integers.

Written from the definition alone, without looking at the compiled kernels: every
wrap is a mask, every fixed-point comparison is a comparison of whole numbers.
"""

from bisect import bisect_right
from functools import lru_cache
from math import floor, frexp, ldexp, prod, sqrt

MASK32 = 2**32 - 1
LARGEST64 = 2**64 - 1

EVENT, COUNT, FATE, PARENT, KILL, START, AGENT, PATIENT, REPLICATE = range(1, 10)

QUARTER_STEPS = (0.5, 0.5946035575013605, 0.7071067811865476, 0.8408964152537145)


def philox(counter, key):
    """Philox4x32-10: four 32-bit words from a counter of four and a key of two."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        left = 0xD2511F53 * c0
        right = 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (right >> 32) ^ c1 ^ k0, right & MASK32, (left >> 32) ^ c3 ^ k1, left & MASK32
        k0 = (k0 + 0x9E3779B9) & MASK32
        k1 = (k1 + 0xBB67AE85) & MASK32
    return c0, c1, c2, c3


def words(seed, stream, item, step, draw=0):
    """The words w0 to w3 of one draw; the key is the seed, low word first."""
    return philox((item, step, stream + 256 * draw, 0), (seed & MASK32, seed >> 32))


def replicate_seed(seed, replicate):
    """Replicate 0 has the seed itself, the others 53 bits of stream 9."""
    if replicate == 0:
        return seed
    high, low, _, _ = words(seed, REPLICATE, replicate, 0)
    return (high << 32 | low) >> 11


def pick(word, n):
    """One of 0 .. n - 1."""
    return (word * n) >> 32


def happens(word, probability):
    """Whether an event of this probability happens; 1 and more is certain."""
    return probability >= 1.0 or word < floor(probability * 2**32)


def threshold64(share):
    """floor(share 2^64), at most 2^64 - 1."""
    return min(floor(share * 2**64), LARGEST64)


def ladder(rate):
    """The smallest 2^(j/4) that is not below a positive rate."""
    mantissa, exponent = frexp(rate)
    for rung in QUARTER_STEPS:
        if mantissa <= rung:
            return ldexp(rung, exponent)
    return ldexp(1.0, exponent)


@lru_cache(maxsize=4096)
def poisson_table(mean):
    """First count and cumulative 64-bit thresholds over mean -+ (10 sd + 30)."""
    half = 10 * sqrt(mean) + 30
    low = max(0, floor(mean - half))
    high = floor(mean + half)
    mode = floor(mean)
    weight = {mode: 1.0}
    for k in range(mode - 1, low - 1, -1):
        weight[k] = weight[k + 1] * (k + 1) / mean
    for k in range(mode + 1, high + 1):
        weight[k] = weight[k - 1] * mean / k
    total = 0.0
    for k in range(low, high + 1):
        total += weight[k]
    thresholds = []
    cumulative = 0.0
    for k in range(low, high + 1):
        cumulative += weight[k]
        thresholds.append(threshold64(cumulative / total))
    return low, thresholds


def poisson(mean, u):
    """The count belonging to the 64-bit number u: the first whose threshold exceeds it, else the last."""
    low, thresholds = poisson_table(mean)
    return low + min(bisect_right(thresholds, u), len(thresholds) - 1)


def coordinates(site, shape):
    """Coordinates of a site, slowest axis first."""
    found = []
    for n in reversed(shape):
        found.append(site % n)
        site //= n
    return tuple(reversed(found))


def number(position, shape):
    """The site at a position given slowest axis first."""
    site = 0
    for x, n in zip(position, shape, strict=True):
        site = site * n + x
    return site


def place(word, shape):
    """A place of the whole lattice, read off one word with the slowest axis first."""
    position = []
    for n in shape:
        word *= n
        position.append(word >> 32)
        word &= MASK32
    return number(position, shape)


def folded(x, n, boundary):
    """A coordinate brought back onto an axis of n sites."""
    if boundary == "periodic":
        return x % n
    if x < 0:
        return -1 - x
    return 2 * n - 1 - x if x >= n else x


def shifted(site, shape, offsets, boundary):
    """The site at these offsets from a site."""
    moved = [folded(x + dx, n, boundary) for x, dx, n in zip(coordinates(site, shape), offsets, shape, strict=True)]
    return number(moved, shape)


def box_offsets(k, radius, dimensions):
    """Offsets of cell k of the box of side 2 radius + 1: its digits, slowest axis first, minus the radius."""
    return [digit - radius for digit in coordinates(k, (2 * radius + 1,) * dimensions)]


def neighbour(word, site, shape, radius, boundary):
    """A site within the radius, the centre of the box left out."""
    others = (2 * radius + 1) ** len(shape) - 1
    k = pick(word, others)
    if k >= others // 2:
        k += 1
    return shifted(site, shape, box_offsets(k, radius, len(shape)), boundary)


def touching(site, shape, boundary):
    """The 3 x 3 (x 3) sites of a site, itself in the middle; at a reflecting border some stand twice."""
    box = 3 ** len(shape)
    return [shifted(site, shape, box_offsets(k, 1, len(shape)), boundary) for k in range(box)]


def block(site, shape):
    """The block of 4 sites a side that holds a site."""
    corner = [x // 4 for x in coordinates(site, shape)]
    return number(corner, [-(-n // 4) for n in shape])


def blocks(shape):
    """The number of blocks of 4 sites a side, narrower ones at the far borders counted."""
    return prod(-(-n // 4) for n in shape)
