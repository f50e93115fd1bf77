"""A process that carries out shards: their numbers come line by line, and what became of each goes back as JSON.

It ends with its parent, whatever it is doing: nobody would hear of it any more.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from dataclasses import asdict
from typing import BinaryIO

import pyarrow as pa

from mpn_abm.errors import MpnAbmError
from mpn_abm.studies.shard import carry_out


def main(folder: str, retry_failed: bool) -> None:
    """Carry out what is asked until nobody asks."""
    # Ctrl-C reaches the whole group of processes, and the parent decides what becomes of it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    # what a library prints is no answer
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    asked: queue.SimpleQueue[int] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(asked,), daemon=True).start()
    _answer(answers, {"ready": True})
    while True:
        try:
            _answer(answers, asdict(carry_out(folder, asked.get(), retry_failed)))
        except MpnAbmError as error:
            _answer(answers, {"error": str(error)})


def _listen(asked: queue.SimpleQueue[int]) -> None:
    for line in sys.stdin.buffer:
        asked.put(int(line))
    os._exit(0)


def _answer(answers: BinaryIO, said: dict[str, object]) -> None:
    answers.write(json.dumps(said).encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
