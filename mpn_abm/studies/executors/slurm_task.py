"""What a task of an array job runs: a process that carries out shards one by one and notes what came of each."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from mpn_abm.errors import MpnAbmError
from mpn_abm.studies.executors.slurm_script import shards_in
from mpn_abm.studies.shard import carry_out


def main(words: Sequence[str] | None = None) -> int:
    """Carry out shards of a study; ends at the first whose parts cannot be written."""
    parser = argparse.ArgumentParser(prog="python -m mpn_abm.studies.shard", description=main.__doc__)
    parser.add_argument("folder", help="the folder of the study")
    parser.add_argument("--shards", required=True, type=shards_in, metavar="A:B,C", help="from A on before B, and C")
    parser.add_argument("--retry-failed", action="store_true", help="run again what failed before")
    parser.add_argument("--outcomes", type=Path, metavar="FILE", help="where to note outcomes, unless on stdout")
    asked = parser.parse_args(words)
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    with asked.outcomes.open("a") if asked.outcomes else nullcontext(sys.stdout) as notes:
        for shard in asked.shards:
            try:
                said: dict[str, object] = asdict(carry_out(asked.folder, shard, asked.retry_failed))
            except MpnAbmError as error:
                said = {"error": str(error)}
            # a line at a time: who reads may come at any moment
            print(json.dumps(said), file=notes, flush=True)
            if "error" in said:
                print(said["error"], file=sys.stderr)
                return 4
    return 0
