"""The verbs around a scenario file: begin one, check it, explain it, list what it may name."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mpn_abm.cli.options import Json, Set
from mpn_abm.errors import MissingFileError, OutputExistsError, Problem, ScenarioError, UsageError

if TYPE_CHECKING:
    from mpn_abm.scenario.scenario import Scenario


class Catalogue(StrEnum):
    """What `list` can list."""

    drugs = "drugs"
    genotypes = "genotypes"
    endpoints = "endpoints"
    columns = "columns"


def register(app: typer.Typer) -> None:
    """Add the verbs to the program."""
    for verb in (init, examples, schema, validate, explain, cite):
        app.command()(verb)
    app.command("list")(list_)


def init(
    directory: Annotated[Path, typer.Argument(help="Where the file is put; made if needed.")],
    template: Annotated[str, typer.Option(help="The scenario to begin with; `examples` lists them.")] = "minimal",
) -> None:
    """Write a commented scenario to begin with, and those that it extends."""
    from mpn_abm.scenario.examples import file_of, with_what_it_extends

    files = with_what_it_extends(file_of(template))
    # files that extend one another keep their places to each other
    root = Path(os.path.commonpath([file.parent for file in files]))
    targets = {directory / file.relative_to(root): file for file in files}
    for target in targets:
        if target.exists():
            raise OutputExistsError(f"{target}: exists already and nothing is overwritten")
    for target, file in targets.items():
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
        except OSError as error:
            raise UsageError(f"{target}: {error.strerror}") from error
        print(target)


def examples(as_json: Json = False) -> None:
    """List the scenarios and studies that are shipped, each with its question."""
    from mpn_abm.scenario.documents import read_file
    from mpn_abm.scenario.examples import example_files

    questions = {name: read_file(file).scalar("question") for name, file in example_files().items()}
    width = 2 + max(map(len, questions))
    _print(questions if as_json else "\n".join(f"{name:{width}}{question}" for name, question in questions.items()))


def schema() -> None:
    """Print the JSON Schema of scenario and study files."""
    from mpn_abm.scenario.json_schema import json_schema

    _print(json_schema())


def validate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Scenarios and studies to check.")],
    sets: Set = None,
    as_json: Json = False,
) -> None:
    """Check scenarios and studies, and show everything that is wrong with them."""
    from mpn_abm.scenario.checks import never_happens
    from mpn_abm.scenario.scenario import load
    from mpn_abm.scenario.studies.study_file import is_study

    problems: list[Problem] = []
    missing: list[MissingFileError] = []
    valid: dict[str, str] = {}
    for file in files:
        try:
            scenario = _checked_study(file, sets) if is_study(file) else load(file, sets=sets or ())
            valid[str(file)] = scenario.sha256
            for line in never_happens(scenario.spec):
                print(f"{file}: {line}", file=sys.stderr)
        except ScenarioError as error:
            problems += error.problems
        except MissingFileError as error:
            missing.append(error)
    if as_json:
        _print({"valid": valid, "problems": [vars(problem) for problem in problems]})
    else:
        for name in valid:
            print(f"{name}: valid")
    for absent in missing:
        print(absent, file=sys.stderr)
    if problems:
        raise ScenarioError(problems)
    if missing:
        raise typer.Exit(UsageError.exit_code)


def _checked_study(file: Path, sets: list[str] | None) -> Scenario:
    """The scenario of a study of which also the points can be had; notes on it are told."""
    from mpn_abm.scenario.studies.notes import notes_of
    from mpn_abm.scenario.studies.study_file import load_study

    study = load_study(file, sets or ())
    spec = study.spec
    # most studies have no such table, and are checked without what reads one
    if getattr(spec, "patients_file", None) is not None or getattr(spec, "file", None) is not None:
        from mpn_abm.studies.points import checked_points

        checked_points(study)
    if study.kind == "calibrate":
        from mpn_abm.studies.calibrating.points import Planner
        from mpn_abm.studies.calibrating.setup import refuse_too_few_runs

        refuse_too_few_runs(study, Planner(study).runs_of_a_point)
    for note in notes_of(spec):
        print(f"{file}: {note}", file=sys.stderr)
    return study.scenario


def explain(
    file: Annotated[Path, typer.Argument(help="A scenario or a study.")],
    path: Annotated[str, typer.Argument(help="A path such as antigen.density_molecules; all without it.")] = "",
    sets: Set = None,
    as_json: Json = False,
) -> None:
    """Say of every value what it means, its unit and range, its source, and where it was set."""
    from mpn_abm.scenario.explain import explained
    from mpn_abm.scenario.scenario import load
    from mpn_abm.scenario.studies.explaining import explained_study
    from mpn_abm.scenario.studies.study_file import is_study, load_study

    if is_study(file):
        rows = explained_study(load_study(file, sets or ()), path)
    else:
        rows = explained(load(file, sets=sets or ()), path)
    _print({row.path: vars(row) for row in rows} if as_json else "\n".join(map(str, rows)))


def cite(
    file: Annotated[Path | None, typer.Argument(help="A scenario; the whole program without it.")] = None,
    assumed: Annotated[bool, typer.Option("--assumed", help="Also list what nobody has measured.")] = False,
    sets: Set = None,
    as_json: Json = False,
) -> None:
    """Name the papers behind the program, or behind what acts in a scenario, and how the program is cited."""
    from mpn_abm.scenario.citing import is_cited, program_itself, sources
    from mpn_abm.scenario.scenario import load

    if file is None and sets:
        raise UsageError("--set: expected a scenario beside it")
    scenario = None if file is None else load(file, sets=sets or ())
    found = sources(scenario)
    unmeasured = [path for source in found if source.kind == "assumed" for path in source.paths]
    if as_json:
        told = [vars(source) for source in found if is_cited(source)]
        name = None if scenario is None else scenario.spec.name
        _print({"scenario": name, "program": program_itself(), "sources": told, "assumed": unmeasured})
        return
    lines = [line for source in found if is_cited(source) for line in (source.text, *_wrapped(source.paths))]
    lines += ["", f"Assumed, as nobody has measured them: {len(unmeasured)} values."]
    lines += _wrapped(unmeasured) if assumed else ["  --assumed lists them"]
    _print("\n".join([*lines, "", "The program itself:", f"  {program_itself()['text']}"]))


def list_(
    catalogue: Annotated[Catalogue, typer.Argument(help="What to list.")],
    as_json: Json = False,
) -> None:
    """List the drugs, the genotypes, the built-in endpoints, or the columns of the tables."""
    match catalogue:
        case Catalogue.columns:
            from mpn_abm.columns import describe

            rows = {
                column.name: {"type": column.kind, "unit": column.unit, "meaning": column.meaning}
                for column in describe()
            }
        case Catalogue.drugs:
            from mpn_abm.mechanisms.drugs import DRUGS

            rows = _said(DRUGS)
        case Catalogue.genotypes:
            from mpn_abm.mechanisms.genotypes import GENOTYPES

            rows = _said(GENOTYPES)
        case Catalogue.endpoints:
            from mpn_abm.scenario.endpoints import ENDPOINTS, columns_of

            rows = {
                name: {"meaning": endpoint.meaning, "columns": " ".join(sorted(columns_of(name, {}))) or "alive"}
                for name, endpoint in ENDPOINTS.items()
            }
    _print(rows if as_json else _lines(rows))


def _wrapped(paths: list[str]) -> list[str]:
    return textwrap.wrap(
        ", ".join(paths), 110, initial_indent="  ", subsequent_indent="  ", break_long_words=False
    )  # fmt: skip


def _said(catalogue: Any) -> dict[str, Any]:
    from mpn_abm.scenario.resolved import plain

    return {name: plain(block) for name, block in catalogue.items()}


def _lines(rows: dict[str, Any]) -> str:
    width = 2 + max(map(len, rows))
    return "\n".join(
        f"{name:{width}}" + ", ".join(f"{key}: {value}" for key, value in said.items()) for name, said in rows.items()
    )


def _print(result: Any) -> None:
    print(result if isinstance(result, str) else json.dumps(result, indent=2), file=sys.stdout)
