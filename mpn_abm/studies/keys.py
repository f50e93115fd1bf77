"""What a run depends on, in 16 digits: what has one key need not be run twice."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import mpn_abm


def canonical_json(value: Any) -> str:
    """The one text of a value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def key_of(digest: str, parameters: str, seed: int) -> str:
    """The key of a run: of its marrow, of what is set over it, of its seed, and of the version of the program."""
    return sha256(f"{digest}\n{parameters}\n{seed}\n{mpn_abm.__version__}".encode()).hexdigest()[:16]
