"""Did you mean ...?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import lru_cache

ALIKE = 0.7


def closest(word: object, known: Iterable[str]) -> str | None:
    """The known word that is meant; None if none is close."""
    return _closest(str(word).lower()[:100], tuple(known))


# a file that is wrong in one way is often so a thousand times
@lru_cache(maxsize=256)
def _closest(said: str, known: tuple[str, ...]) -> str | None:
    scores = {known_word: _likeness(said, known_word.lower()) for known_word in known}
    best = max(scores, key=scores.__getitem__, default="")
    return best if scores.get(best, 0.0) >= ALIKE else None


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """The end of a sentence that names the closest known word; empty if none is close."""
    best = closest(word, known)
    return "" if best is None else f", did you mean '{best}'?"


def unknown(kind: str, word: object, known: Iterable[str], listed: Iterable[str] | None = None) -> str:
    """What is wrong with a word that nobody knows: the closest known one, or all of them, or those to be listed."""
    words = list(known)
    hint = did_you_mean(word, words)
    if hint or not words:
        return f"unknown {kind}{hint}"
    return f"unknown {kind}, expected {one_of(words if listed is None else listed)}"


def one_of(words: Iterable[str]) -> str:
    """The words as a choice."""
    listed = list(words)
    return listed[0] if len(listed) == 1 else "one of " + ", ".join(listed)


def _likeness(said: str, word: str) -> float:
    """How alike two words are; as a unit or an ending is often left out, the beginning of the word counts too."""
    if sorted(said) == sorted(word):
        # the same letters: in a short word the ratio makes little of two that are swapped
        return 1.0 if said == word else 0.95
    # no more alike than the letters that both have; most words end here, which is quick
    shared = (Counter(said) & Counter(word)).total()
    if 2.0 * shared < ALIKE * (len(said) + min(len(said), len(word))):
        return 0.0
    whole = SequenceMatcher(None, said, word).ratio()
    begun = SequenceMatcher(None, said, word[: len(said)]).ratio() if len(said) > 2 else 0.0
    return max(whole, 0.9 * begun)
