"""Small counts side by side in one word, and where a hash table keeps what is known of them."""

import numpy as np
from numba import int64, uint64

from mpn_abm.kernels.compiler import jit

# 27 sites around at most
COUNT_BITS = 5
COUNTS_A_WORD = 12
MOST_COUNT = (1 << COUNT_BITS) - 1
SLOT_BITS = 10
SLOTS = 1 << SLOT_BITS


@jit
def slot_of(words):
    """A slot of the table for these words; others may fall there, too (Fibonacci hashing)."""
    mixed = uint64(0)
    for w in range(words.shape[0]):
        mixed = (mixed ^ uint64(words[w])) * uint64(0x9E3779B97F4A7C15)
    return int64(mixed >> uint64(64 - SLOT_BITS))


def units(kinds: np.ndarray) -> np.ndarray:
    """int64[words, n]: what one of a kind adds to the words; nothing where the kind is negative."""
    words = max(1, -(-(int(kinds.max(initial=-1)) + 1) // COUNTS_A_WORD))
    unit = np.zeros((words, len(kinds)), np.int64)
    there = np.flatnonzero(kinds >= 0)
    word, place = np.divmod(kinds[there], COUNTS_A_WORD)
    unit[word, there] = np.int64(1) << (COUNT_BITS * place)
    return unit
