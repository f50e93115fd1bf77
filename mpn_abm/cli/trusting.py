"""What `doctor` and `selftest` print."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict

from mpn_abm.doctor import GIB, Facts, as_dict, examined, remarks
from mpn_abm.errors import MpnAbmError


def doctor(as_json: bool) -> None:
    """Look at the machine, tell, and raise MpnAbmError if something is wrong."""
    facts = examined()
    found = remarks(facts)
    if as_json:
        print(json.dumps(as_dict(facts, found)))
    else:
        print("\n".join(_lines(facts)))
        for remark in found:
            print(f"{'wrong' if remark.wrong else 'note '}  {remark.what}; {remark.remedy}")
    wrong = [remark for remark in found if remark.wrong]
    if wrong:
        raise MpnAbmError(f"{len(wrong)} of these has to be mended" if not as_json else wrong[0].what)
    if not as_json:
        print("nothing is wrong")


def _lines(facts: Facts) -> list[str]:
    memory = "unknown" if facts.memory is None else f"{facts.memory / GIB:.1f} GiB free"
    lines = [f"{name:16} {version or 'not installed'}" for name, version in facts.versions.items()]
    for name, packages in facts.extras.items():
        missing = [package for package, version in packages.items() if version is None]
        lines.append(f"{f'[{name}]':16} {'missing ' + ', '.join(missing) if missing else 'installed'}")
    return [
        *lines,
        f"{'machine':16} {facts.platform}, {facts.processors} processors, {facts.threads} threads",
        f"{'memory':16} {memory}",
        f"{'disk':16} {facts.disk / GIB:.1f} GiB free here",
        f"{'threading':16} {', '.join(facts.threading_layers) or 'none'}",
        f"{'cache':16} {facts.cache}, {facts.cache_bytes / 2**20:.0f} MiB",
        f"{'kernels':16} {'compiled' if facts.compiled else 'not compiled yet'}",
        f"{'encoding':16} {facts.encoding}, of the locale {facts.locale_encoding}",
    ]


def selftest(as_json: bool) -> None:
    """Do every check, tell each verdict as it comes, and raise if one did not hold."""
    # numba and the kernels
    from mpn_abm.selftest import checks, compile_first, fail_if_any

    stream = sys.stderr if as_json else sys.stdout
    told = "having the kernels ready: a minute or two where they were not compiled yet, which is once for a version"
    print(told, file=sys.stderr, flush=True)
    compiling = compile_first()
    print(f"{compiling:6.1f} s  to have them ready", file=stream, flush=True)
    start, verdicts = time.perf_counter(), []
    for verdict in checks():
        verdicts.append(verdict)
        held = "held  " if verdict.held else "FAILED"
        line = f"{verdict.seconds:6.1f} s  {held}  {verdict.check:34} {verdict.found:>12}  expected {verdict.expected}"
        print(line, file=stream, flush=True)
    seconds = time.perf_counter() - start
    number = sum(verdict.held for verdict in verdicts)
    if as_json:
        counts = {"held": number, "of": len(verdicts), "compile_seconds": compiling, "seconds": seconds}
        print(json.dumps({**counts, "checks": [asdict(verdict) for verdict in verdicts]}))
    else:
        print(f"{number} of {len(verdicts)} checks held, in {seconds:.0f} s")
    fail_if_any(verdicts)
