"""Did you mean ...?"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """The end of a sentence that names the closest known word; empty if none is close."""
    said = str(word).lower()[:100]
    scores = {known_word: _likeness(said, known_word.lower()) for known_word in known}
    best = max(scores, key=scores.__getitem__, default="")
    return f", did you mean '{best}'?" if scores.get(best, 0.0) >= 0.7 else ""


def unknown(kind: str, word: object, known: Iterable[str]) -> str:
    """What is wrong with a word that nobody knows: the closest known one, or all of them."""
    words = list(known)
    hint = did_you_mean(word, words)
    return f"unknown {kind}{hint}" if hint or not words else f"unknown {kind}, expected {one_of(words)}"


def one_of(words: Iterable[str]) -> str:
    """The words as a choice."""
    listed = list(words)
    return listed[0] if len(listed) == 1 else "one of " + ", ".join(listed)


def _likeness(said: str, word: str) -> float:
    """How alike two words are; as a unit or an ending is often left out, the beginning of the word counts too."""
    whole = SequenceMatcher(None, said, word).ratio()
    begun = SequenceMatcher(None, said, word[: len(said)]).ratio() if len(said) > 2 else 0.0
    return max(whole, 0.9 * begun)
