"""A run that can be broken off and gone on with: its signals, and what `--resume` finds in a folder."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mpn_abm.checkpoint import Checkpoints
from mpn_abm.errors import MpnAbmError, OutputExistsError, Stopped, UsageError
from mpn_abm.files import CHECKPOINT, CHECKPOINT_BEFORE, LOCK, RESOLVED, is_locked
from mpn_abm.scenario.differences import differences
from mpn_abm.scenario.resolved import as_file
from mpn_abm.scenario.scenario import Scenario, load

_KINDS: dict[int, type[BaseException]] = {signal.SIGTERM: Stopped, signal.SIGINT: KeyboardInterrupt}


@contextmanager
def saved_when_stopped(checkpoints: Checkpoints) -> Iterator[None]:
    """Within, SIGTERM and Ctrl-C ask the run to save its state and stop; the second of them stops it at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _frame: Any) -> None:
        checkpoints.stop(_KINDS[number])

    # whoever started the program may have said that a signal is not for it
    heard = [number for number in _KINDS if signal.getsignal(number) not in (signal.SIG_IGN, None)]
    before = {number: signal.signal(number, stop) for number in heard}
    try:
        yield
    except KeyboardInterrupt as interrupt:
        if interrupt.args:
            print(*interrupt.args, file=sys.stderr)
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def refuse_a_run_that_was_broken_off(folder: Path) -> None:
    """Where a run is begun: the work that lies there is not thrown away unasked."""
    # of a run that goes on, whoever claims the folder is told so
    if _has_checkpoint(folder) and not is_locked(folder / LOCK):
        raise OutputExistsError(
            f"{folder}: holds a run that was broken off; --resume goes on with it, --overwrite begins anew"
        )


def result_of(scenario: Scenario, folder: Path) -> dict[str, Any] | None:
    """What the manifest says of a run of this scenario that is done; None if there is something to go on with.

    Raises
    ------
    UsageError
        If the run that is done was one of another scenario.
    """
    manifest = folder / "manifest.json"
    if _has_checkpoint(folder) or is_locked(folder / LOCK) or not manifest.is_file():
        return None
    try:
        other = next(differences(as_file(load(folder / RESOLVED).spec), as_file(scenario.spec)), None)
        said: dict[str, Any] = json.loads(manifest.read_text())
    except (MpnAbmError, OSError, ValueError) as error:
        raise UsageError(f"{folder}: no run that could be gone on with: {error}") from error
    if other is not None:
        raise UsageError(f"{folder}: holds the results of another scenario: {other} now")
    return said


def fail_if_a_claim_did(manifest: dict[str, Any]) -> None:
    """Raise ClaimError if a claim did not hold when the run was done."""
    if manifest["claims"]:
        import pandas as pd

        from mpn_abm.cli import claiming

        claiming.fail_if_any(pd.DataFrame(manifest["claims"]))


def _has_checkpoint(folder: Path) -> bool:
    return any((folder / name).exists() for name in (CHECKPOINT, CHECKPOINT_BEFORE))
