"""The program `mpn-abm`: parses, calls, prints; every way out has its exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

import typer

import mpn_abm
from mpn_abm.cli import evidence_verbs, picture_verbs, run_verbs, scenario_verbs, study_verbs
from mpn_abm.errors import MpnAbmError

INTERRUPTED = 130
BUG = 1


def program() -> typer.Typer:
    """The program with all of its verbs."""
    app = typer.Typer(
        help="Simulate how mutant and healthy stem cells compete in a scarring marrow, and what treatments do.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def options(
        _version: bool = typer.Option(
            False, "--version", is_eager=True, callback=_show_version, help="Show the version."
        ),
    ) -> None: ...

    scenario_verbs.register(app)
    run_verbs.register(app)
    study_verbs.register(app)
    picture_verbs.register(app)
    evidence_verbs.register(app)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; nothing that a user did ends in a traceback."""
    # a terminal of another encoding shows an escape for what it does not have
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        program()(arguments, prog_name="mpn-abm")
    except SystemExit as exit_:
        # typer takes Ctrl-C and says nothing
        if exit_.code == INTERRUPTED:
            print("interrupted", file=sys.stderr)
        return exit_.code if isinstance(exit_.code, int) else 0
    except MpnAbmError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except Exception as error:
        if os.environ.get("MPN_ABM_TRACEBACK") == "1":
            raise
        print(
            f"mpn-abm {mpn_abm.__version__} failed: {type(error).__name__}: {error}\nThis is a bug. Please report it "
            "with the command and the traceback that it prints with MPN_ABM_TRACEBACK=1.",
            file=sys.stderr,
        )
        return BUG
    return 0


def _show_version(asked: bool) -> None:
    if asked:
        print(mpn_abm.__version__)
        raise typer.Exit


if __name__ == "__main__":
    sys.exit(main())
