"""The report of a run or a study: one HTML file that needs nothing else."""

from __future__ import annotations

import base64
from importlib import resources
from pathlib import Path
from typing import Any

import mpn_abm
from mpn_abm.pictures import palette
from mpn_abm.pictures.needs import need
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.report import scored
from mpn_abm.pictures.report.choice import Shown, drawn, wanted
from mpn_abm.pictures.report.facts import answer_of, claims_of, figures_of
from mpn_abm.pictures.report.parameters import values_of, varied_by
from mpn_abm.pictures.style import refuse_to_replace, refuse_unknown_format, write_whole

TEMPLATE = "page.html.j2"
FACTS = (
    ("version", "program version"), ("scenario_sha256", "SHA-256 of the scenario"),
    ("trajectory_sha256", "SHA-256 of the trajectory"), ("seed", "seed"), ("replicates", "replicates"),
    ("end_reason", "ended by"), ("python", "Python"), ("stepping_seconds", "stepping (s)"),
    ("wall_seconds", "wall time (s)"), ("peak_memory_mb", "peak memory (MB)"), ("candidates", "candidates drawn"),
)  # fmt: skip


def report(source: Any, scenario_file: str | None = None) -> str:
    """The page of a run or a study.

    Parameters
    ----------
    source : path, Result, Study or Recording
    scenario_file : str, optional
        The file that was run, as somebody would type it; the resolved scenario unless said.

    Raises
    ------
    UsageError
        If there are no tables, or matplotlib or jinja2 is not installed.
    """
    need("matplotlib", "plot")
    jinja2 = need("jinja2", "plot")
    recording = source if isinstance(source, Recording) else Recording(source)
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
                                     lstrip_blocks=True)  # fmt: skip
    environment.filters["base64"] = lambda data: base64.b64encode(data).decode()
    text = resources.files("mpn_abm.pictures.report").joinpath(TEMPLATE).read_text(encoding="utf-8")
    page: str = environment.from_string(text).render(**contents(recording, scenario_file))
    return page


def contents(recording: Recording, scenario_file: str | None) -> dict[str, Any]:
    """What the template asks for."""
    said, others = values_of(recording)
    targets = scored.targets_of(recording)
    pictures = [drawn(recording, one, f"p{number}") for number, one in enumerate(wanted(recording))]
    return {
        "name": recording.name,
        "kind": kind_of(recording),
        "question": recording.question or (scored.QUESTION if targets else ""),
        "answer": scored.score_in_words(recording, targets) if targets else answer_of(recording),
        "figures": scored.counts_of(recording) if targets else figures_of(recording),
        "targets": targets,
        "claims": claims_of(recording),
        "claims_left_out": recording.facts.get("claims_left_out") or [],
        "pictures": [one for one in pictures if not one.missing],
        "not_drawn": [one for one in pictures if one.missing],
        "said": said,
        "others": others,
        "varied": varied_by(recording),
        "provenance": provenance_of(recording),
        "packages": recording.provenance.get("packages") or {},
        "commands": commands_of(recording, scenario_file),
        "resolved": "" if recording.scenario is None else recording.scenario.to_yaml(),
        "study_file": study_file_of(recording),
        "version": mpn_abm.__version__,
        "colours": {"ink": palette.INK, "faint": palette.FAINT, "grid": palette.GRID, "paper": palette.PAPER,
                    "dark_paper": palette.DARK_PAPER},
    }  # fmt: skip


def kind_of(recording: Recording) -> str:
    """What the page is of, in a word."""
    if recording.facts.get("kind"):
        return str(recording.facts["kind"])
    if recording.has("indices"):
        return "sensitivity study"
    if recording.has(scored.TABLE):
        return "evidence"
    if not recording.is_study:
        return "run"
    return "comparison" if recording.has("comparison") else "sweep"


def provenance_of(recording: Recording) -> list[tuple[str, str]]:
    """What is known of where the tables come from."""
    known = {**recording.provenance, **recording.facts}
    found = []
    for name, words in FACTS:
        value = known.get(name)
        if value is None or isinstance(value, dict | list):
            continue
        text = f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if name == "candidates" else str(value)
        found.append((words, text))
    return found


def commands_of(recording: Recording, scenario_file: str | None) -> list[str]:
    """How to make it again."""
    if recording.has(scored.TABLE):
        return [scored.command_of(recording), "mpn-abm report again -o evidence.html"]
    verb = {"run": "run", "comparison": "compare"}.get(kind_of(recording))
    out = recording.facts.get("out") or recording.place
    if verb is None:
        kind = kind_of(recording).split()[0]
        of_file = f"{recording.place}/study.yaml"
        verb = "sweep run" if kind == "sweep" else kind
        return [f"mpn-abm {verb} {of_file} --out again", "mpn-abm report again -o report.html"]
    file = scenario_file or f"{recording.name}.yaml"
    if verb == "run" and scenario_file is None and recording.scenario is not None:
        file = f"{out}/scenario.resolved.yaml"
    return [f"mpn-abm {verb} {file} --out again", f"mpn-abm report {out} -o report.html"]


def study_file_of(recording: Recording) -> str:
    """The file of a study, as its folder keeps it."""
    file = recording.study_file
    return "" if file is None else file.read_text(encoding="utf-8")


def write_report(source: Any, path: str | Path, *, overwrite: bool = False, scenario_file: str | None = None) -> Path:
    """Write the page of a run or a study.

    Raises
    ------
    UsageError
        If the name does not end in .html, or the page cannot be made.
    OutputExistsError
        If the file is there and ``overwrite`` is not set.
    """
    target = Path(path)
    refuse_unknown_format(target, ("html",))
    refuse_to_replace(target, overwrite)
    write_whole(target, report(source, scenario_file).encode())
    return target


__all__ = ["Shown", "report", "write_report"]
