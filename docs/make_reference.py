"""Make docs/reference and the parameter tables of docs/background from the declarations of the program.

    python docs/make_reference.py
    python docs/make_reference.py --check

The first writes what is out of date, the second only names it and exits with 1 if there is any.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

from mpn_abm.cli.main import program
from mpn_abm.columns import STUDY_TABLES, describe
from mpn_abm.mechanisms.antigen.parameters import AntigenParameters
from mpn_abm.mechanisms.blood.parameters import BloodParameters
from mpn_abm.mechanisms.car_t.parameters import CarTParameters
from mpn_abm.mechanisms.declaration import Block, Declaration, declarations
from mpn_abm.mechanisms.drugs import (
    DRUGS,
    Antibody,
    CarTProduct,
    CheckpointBlockade,
    Effect,
    Eltrombopag,
    Hsp90Inhibitor,
    Interferon,
    JakInhibitor,
    Modifier,
    Transplant,
)
from mpn_abm.mechanisms.eltrombopag.parameters import EltrombopagParameters
from mpn_abm.mechanisms.fibrosis.parameters import FibrosisParameters, InitialScar
from mpn_abm.mechanisms.fields.parameters import FieldsParameters
from mpn_abm.mechanisms.genotypes import FLAGS, GENOTYPES, Flag, Genotype
from mpn_abm.mechanisms.hematopoiesis.parameters import HematopoiesisParameters
from mpn_abm.mechanisms.immune.parameters import ImmuneParameters
from mpn_abm.mechanisms.interferon.parameters import InterferonParameters
from mpn_abm.mechanisms.jak_stat.parameters import JakStatParameters
from mpn_abm.mechanisms.mutation.parameters import MutationParameters
from mpn_abm.mechanisms.niche.parameters import NicheParameters
from mpn_abm.mechanisms.progression.parameters import ProgressionParameters
from mpn_abm.mechanisms.spleen.parameters import SpleenParameters
from mpn_abm.mechanisms.transplant.parameters import TransplantParameters
from mpn_abm.scenario.citing import kind_of
from mpn_abm.scenario.endpoints import ENDPOINTS
from mpn_abm.scenario.expectations import bounds, choices
from mpn_abm.scenario.explain import explained
from mpn_abm.scenario.scenario import Scenario, load
from mpn_abm.scenario.schema import SCHEMA, Comparison, Marrow, Spec
from mpn_abm.scenario.shape import Blocks, Listed, Named, shape_of
from mpn_abm.scenario.studies.axes import NEEDS, Axis
from mpn_abm.scenario.studies.blocks import Power, StudyDocument
from mpn_abm.scenario.treatments import (
    After,
    CarTTreatment,
    CheckpointTreatment,
    Condition,
    JakInhibitorTreatment,
    MassRule,
    TransplantTreatment,
)
from mpn_abm.simulate import run
from mpn_abm.units import UNITS, Unit, phrase

DOCS = Path(__file__).resolve().parent
REFERENCE, BACKGROUND = DOCS / "reference", DOCS / "background"
NOTE = "<!-- made by docs/make_reference.py; changes belong into the declarations -->"
BARE = UNITS[""]
KINDS = {"double": "float64", "float": "float32"}

# block -> the path under which a file writes it, in the order of the pages
BLOCKS: dict[type[Block], str] = {
    Marrow: "marrow",
    HematopoiesisParameters: "hematopoiesis",
    MutationParameters: "mutation",
    NicheParameters: "niche",
    FibrosisParameters: "fibrosis",
    InitialScar: "fibrosis.initial",
    FieldsParameters: "fields",
    JakStatParameters: "jak_stat",
    AntigenParameters: "antigen",
    CarTParameters: "car_t",
    ImmuneParameters: "immune",
    InterferonParameters: "interferon",
    EltrombopagParameters: "eltrombopag",
    BloodParameters: "blood",
    SpleenParameters: "spleen",
    ProgressionParameters: "progression",
    TransplantParameters: "transplant",
    Genotype: "genotypes.NAME",
    Flag: "flags.NAME",
    JakInhibitor: "drugs.NAME",
    Hsp90Inhibitor: "drugs.NAME",
    Interferon: "drugs.NAME",
    Eltrombopag: "drugs.NAME",
    CheckpointBlockade: "drugs.NAME",
    Antibody: "drugs.NAME",
    CarTProduct: "drugs.NAME",
    Transplant: "drugs.NAME",
    Modifier: "drugs.NAME",
    Effect: "drugs.NAME.effects.NAME",
    JakInhibitorTreatment: "treatments.NAME",
    CheckpointTreatment: "treatments.NAME",
    CarTTreatment: "treatments.NAME",
    TransplantTreatment: "treatments.NAME",
    After: "treatments.NAME.after",
    Condition: "treatments.NAME.when.COLUMN",
    MassRule: "treatments.NAME.adjust.NAME",
}
BY_NAME = {block.__name__: block for block in BLOCKS}
KEYS = f"""A scenario is a YAML 1.2 file. `NAME` stands for a name that the file chooses (`[a-z][a-z0-9_]*`;
genotypes may have capitals). A dotted key is short for nesting: `marrow.shape: [96, 96]`. An unknown key, a
duplicate key or a value out of range is an error, and all errors of a file are shown at once.

A key ends in its unit. Every other suffix of the same kind may be written instead and is converted; a year is
365.25 days. `null` restores the default, or deletes a named thing that an earlier layer gave.

`mpn-abm explain FILE PATH` says the same of one value, and where it was set. `mpn-abm schema` prints the JSON Schema
of a file, for editors.

| key | meaning |
| --- | --- |
| `schema` | version of the format, the first key of every file: `{SCHEMA}` |
| `extends` | a file, or a list of files, that this one changes; relative to it |
| `without` | paths of those files that this one drops |"""

COLUMNS = """A run writes `trajectory.parquet` and, unless `output` leaves them out, `clones.parquet`,
`events.parquet`, `snapshots.parquet` and `summary.parquet`. The schema of each file carries the provenance of the run
under the key `mpn_abm`: version, scenario, seed, packages. `-` stands for a number without a unit."""

COMPARISON = """These keys stand beside those above. `arms.NAME` takes every key of a scenario but `seed` and
`replicates`;
`endpoints.NAME.all` and `any` take a list of conditions with the keys of an endpoint up to `base_below`.
[Compare arms and check claims](../guides/compare_and_claims.md) shows how they are used."""

STUDY = """`compare` writes these tables, and `trajectory` and `summary` as a folder with a file for each arm, in which
`arm` and `patient` follow `run_id`. Their columns are those of all arms, null where an arm has none. The other studies
write `trajectory` and `summary` in parts of up to 1,000 runs; after `seed` the summary has a column for each path that
is varied. A trial writes the tables up to `power`, and `patients` with a row for each of its patients; `sensitivity`
writes `indices` and `noise`, `calibrate` the last four; each also as CSV."""

STUDY_FILE = """`NAME` below `parameters` and `cohort` is a path. A study file has these keys beside
`schema`, and one of `sweep`, `trial`, `sensitivity` and `calibrate`.
`endpoints` and `expect` are those of a scenario. [Studies](../guides/studies.md) shows how they are used."""

DISTRIBUTIONS = """`low` and `high` cut `normal`, `lognormal` and `beta` off. `choice` takes `weights` if its values
are not equally likely."""

# what a study file has in common with a scenario
OF_COMPARISONS = ("endpoints", "expect")

TRAJECTORY = """A name in angle brackets stands for the clones of the file, the genotypes that can occur, the mutant
ones among them, or the drugs. The columns of a mechanism that is off are left out; those of CAR T cells stand where a
treatment with them does."""

PARAMETERS = """The program declares {} parameters. Beside the default stands the range that a sensitivity study should
cover, where one was set. The values of single genotypes, flags and drugs stand in the catalogues of
[keys.md](keys.md)."""

CLI = """`mpn-abm --version` shows the version; `-h` or `--help` explains every command. Results go to the standard
output, everything else to the standard error. Nothing is overwritten unasked."""


# ---- Markdown


def cell(text: object) -> str:
    """Text that stays in its cell of a table."""
    return str(text).replace("|", "\\|").replace("\n", " ")


def table(headings: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A table of Markdown."""
    lines = [list(headings), *([cell(value) for value in row] for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def code(text: object) -> str:
    """Text as code; nothing for nothing."""
    return f"`{text}`" if str(text) else ""


def page(title: str, *parts: str) -> str:
    """A page of Markdown."""
    return "\n\n".join([f"# {title}", NOTE, *parts]) + "\n"


# ---- declarations


def default_of(block: type[Block], name: str) -> str:
    """The default of a field as a file writes it; `required` where there is none."""
    field = block.model_fields[name]
    if field.is_required():
        return "" if "unless said" in (field.description or "") else "required"
    return written(field.default)


def written(value: object) -> str:
    """A value as an author would write it."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float():
            return re.sub(r"e([+-])0*", lambda sign: "e" + sign[1].strip("+"), f"{value:g}")
        case tuple():
            return f"[{', '.join(map(str, value))}]"
        case _:
            return str(value)


def range_of(block: type[Block], declaration: Declaration) -> str:
    """What a field takes, in the unit of its declaration."""
    annotation = block.model_fields[declaration.name].annotation
    words = choices(annotation)
    if declaration.expects:
        return declaration.expects
    if words:
        several = any(get_origin(part) is tuple for part in _parts(annotation))
        return ("any of " if several else "") + ", ".join(words)
    if any(part is bool for part in _parts(annotation)):
        return "true, false"
    plain = replace(declaration.unit, name="", family="dimensionless")
    return bounds(replace(declaration, unit=plain), plain)


def _parts(annotation: Any) -> set[Any]:
    inner = get_args(annotation)
    return {annotation, *(part for argument in inner for part in _parts(argument))} if inner else {annotation}


def leaves(block: type[Block]) -> Iterator[Declaration]:
    """The fields of a block that are values."""
    for name, declaration in declarations(block).items():
        if shape_of(block.model_fields[name].annotation) is None:
            yield declaration


def unit_of(declaration: Declaration) -> str:
    """The unit in words."""
    return phrase(declaration.unit)


def parameter_table(block: type[Block]) -> str:
    """The fields of a block with the whole path of each."""
    prefix = BLOCKS[block]
    return table(
        ("key", "default", "unit", "range", "meaning", "source"),
        (
            (
                code(f"{prefix}.{d.key}"), default_of(block, d.name), unit_of(d), range_of(block, d), d.doc,
                d.source or "",
            )
            for d in leaves(block)
        ),
    )  # fmt: skip


def catalogue_table(catalogue: Any) -> str:
    """What the program knows by name, a column for each value."""
    blocks = list({type(item): None for item in catalogue.values()})
    names = [
        d for block in blocks for d in leaves(block)
        if any(getattr(item, d.name, None) not in (None, "") for item in catalogue.values())
    ]  # fmt: skip
    unique = list({d.key: d for d in names}.values())
    return table(
        ("name", *(code(d.key) for d in unique)),
        ((code(name), *(written(getattr(item, d.name, None)) for d in unique)) for name, item in catalogue.items()),
    )


# ---- keys.md


@cache
def presets() -> list[tuple[str, str, str, str]]:
    """Defaults that follow from scale or disease: key, usual, where, value; read off loaded scenarios."""
    base: dict[str, Any] = {
        "schema": SCHEMA, "time": {"duration_days": 1}, "clones": {"healthy": {"genotype": "wild_type"}},
    }  # fmt: skip
    usual = _values(load(base))
    found = []
    for where, said in (
        ("`marrow.scale: tissue`", {"marrow": {"scale": "tissue"}}),
        ("`patient.disease: PV`", {"patient": {"disease": "PV"}}),
        ("`patient.disease: PMF`", {"patient": {"disease": "PMF"}}),
    ):
        changed = _values(load({**base, **said}))
        asked = {f"{part}.{key}" for part, keys in said.items() for key in keys}
        found += [
            (key, usual[key], where, value)
            for key, value in changed.items()
            if key not in asked and usual[key] != value
        ]
    return found


def _values(scenario: Scenario) -> dict[str, str]:
    return {row.path: written(row.value) for row in explained(scenario)}


def suffix_table() -> str:
    """The suffixes of keys, by what they measure."""
    families: dict[str, list[Unit]] = {}
    for unit in UNITS.values():
        if unit.name:
            families.setdefault(unit.family, []).append(unit)
    return table(
        ("what", "suffixes"),
        ((family, ", ".join(code(unit.suffix) for unit in units)) for family, units in families.items()),
    )


def block_section(title: str, prefix: str, block: type[Block]) -> str:
    """One block with its keys."""
    rows = []
    for name, d in declarations(block).items():
        inner = shape_of(block.model_fields[name].annotation)
        if isinstance(inner, Blocks | Named):
            below = f"{d.key}.NAME" if isinstance(inner, Named) else d.key
            rows.append((code(d.key), "", "", f"see {code(f'{prefix}{below}')}", d.doc, ""))
            continue
        rows.append((code(d.key), unit_of(d), default_of(block, name), range_of(block, d), d.doc, d.source or ""))
    groups = [
        "Only one of " + ", ".join(sorted(code(declarations(block)[name].key) for name in group)) + " may be said."
        for group in block.exclusive
    ]
    about = (block.__doc__ or "").strip().split("\n")[0] if prefix else "Mechanisms have a block of their own each."
    return "\n\n".join(
        [f"## {title}", about, *groups, table(("key", "unit", "default", "range", "meaning", "source"), rows)]
    )


def block_sections() -> Iterator[str]:
    """Every block below the root, in the order of a file."""
    for name, d in declarations(Spec).items():
        shape = shape_of(Spec.model_fields[name].annotation)
        if isinstance(shape, Named):
            for member in shape.of.members:
                kind = f" (kind `{member.model_fields['kind'].default}`)" if len(shape.of.members) > 1 else ""
                yield block_section(f"`{d.key}.NAME`{kind}", f"{d.key}.NAME.", member)
            yield from sections_within(shape.of.members, f"{d.key}.NAME")
        elif isinstance(shape, Blocks):
            for member in shape.members:
                yield block_section(f"`{d.key}`", f"{d.key}.", member)
                yield from (
                    block_section(f"`{d.key}.{inner}`", f"{d.key}.{inner}.", below)
                    for inner in declarations(member)
                    if isinstance(child := shape_of(member.model_fields[inner].annotation), Blocks)
                    for below in child.members
                )


def sections_within(members: Iterable[type[Block]], path: str) -> Iterator[str]:
    """The blocks that stand within others of several kinds, each once; a course has the keys of its treatment."""
    found: dict[type[Block], str] = {}
    for member in members:
        for name, d in declarations(member).items():
            inner = shape_of(member.model_fields[name].annotation)
            # a list takes the keys of what it stands in
            if inner is not None and name != "courses" and not isinstance(inner, Listed):
                below = inner.of if isinstance(inner, Named) else inner
                found |= {block: f"{path}.{d.key}" + ".NAME" * isinstance(inner, Named) for block in below.members}
    for block, where in found.items():
        yield block_section(f"`{where}`", f"{where}.", block)


def comparison_sections() -> Iterator[str]:
    """What a file says beside its marrow."""
    yield block_section("Arms and claims", "", Comparison).replace(
        "Mechanisms have a block of their own each.", COMPARISON
    )
    for name in ("endpoints", "expect"):
        shape = shape_of(Comparison.model_fields[name].annotation)
        assert isinstance(shape, Named)
        yield from (block_section(f"`{name}.NAME`", f"{name}.NAME.", member) for member in shape.of.members)
        yield from sections_within(shape.of.members, f"{name}.NAME")


def study_sections() -> Iterator[str]:
    """The keys of a study file, with those of its kinds, of an axis and of `power`."""
    yield block_section("Study files", "", StudyDocument).replace(
        "Mechanisms have a block of their own each.", STUDY_FILE
    )
    within: dict[str, type[Block]] = {}
    for name, d in declarations(StudyDocument).items():
        shape = shape_of(StudyDocument.model_fields[name].annotation)
        if name not in OF_COMPARISONS and isinstance(shape, Blocks):
            for member in shape.members:
                within[d.key] = member
    for key, block in within.items():
        yield block_section(f"`{key}`" + " of a study" * (key == "output"), f"{key}.", block)
    yield block_section("`trial.power`", "trial.power.", Power)
    yield block_section("An axis: `sweep.parameters.NAME`, `trial.cohort.NAME` and the like", "axis.", Axis)
    needs = ((code(name), ", ".join(map(code, needed))) for name, needed in NEEDS.items())
    yield "\n\n".join(["## Distributions", DISTRIBUTIONS, table(("distribution", "needs"), needs)])


def keys_page() -> str:
    """Every key of a scenario file."""
    by_choice = table(
        ("key", "default", "where", "default there"),
        ((code(key), usual, where, value) for key, usual, where, value in presets()),
    )
    return page(
        "Keys of a scenario file",
        KEYS,
        "## Suffixes",
        suffix_table(),
        "## Defaults that follow from scale and disease",
        "The disease is PMF where the file places scar, else ET.",
        by_choice,
        block_section("At the top", "", Spec),
        *block_sections(),
        *comparison_sections(),
        *study_sections(),
        "## Catalogue of endpoints",
        table(("name", "meaning"), ((code(name), endpoint.meaning) for name, endpoint in ENDPOINTS.items())),
        "## Catalogue of genotypes",
        catalogue_table(GENOTYPES),
        "## Catalogue of flags",
        catalogue_table(FLAGS),
        "## Catalogue of drugs",
        catalogue_table(DRUGS),
    )


# ---- columns.md


@cache
def tables_of_a_run() -> dict[str, Any]:
    """The tables of a run that is too small to matter, on a 3-D lattice and with every mechanism."""
    scenario = load(
        {
            "schema": SCHEMA,
            "time": {"duration_days": 2},
            "marrow": {"shape": [4, 4, 4]},
            "clones": {"healthy": {"genotype": "wild_type"}, "calr": {"genotype": "CALR_TYPE1", "fraction": 0.5}},
            "treatments": {
                "car_t": {"dose_cells": 1e8}, "ruxolitinib": {"dose_mg": 20, "start_day": 0},
            },
        }
    )  # fmt: skip
    return run(scenario).tables


def schema_table(name: str) -> str:
    """The columns of a table, from its schema."""
    rows = []
    for field in tables_of_a_run()[name].schema:
        said = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
        kind = str(field.type)
        kind = "string (dictionary)" if kind.startswith("dictionary") else KINDS.get(kind, kind)
        rows.append((code(field.name), kind, said["unit"], said["meaning"]))
    return table(("column", "type", "unit", "meaning"), rows)


def study_table(name: str) -> str:
    """The columns of a table of a study."""
    rows = ((code(c.name), c.kind, c.unit, c.meaning) for c in STUDY_TABLES[name])
    return table(("column", "type", "unit", "meaning"), rows)


def columns_page() -> str:
    """Every column of every table."""
    trajectory = table(
        ("column", "type", "unit", "meaning"),
        ((code(c.name), c.kind, c.unit, c.meaning) for c in describe()),
    )
    return page(
        "Columns of the tables",
        COLUMNS,
        "## trajectory: one row per recorded day and replicate",
        TRAJECTORY,
        trajectory,
        "## clones: one row per recorded day and living clone",
        schema_table("clones"),
        "## events: what happened, in order",
        schema_table("events"),
        "## snapshots: one row per occupied site and per CAR T agent",
        schema_table("snapshots"),
        "## summary: one row per replicate",
        schema_table("summary"),
        "## Tables of a study",
        STUDY,
        *(part for name in STUDY_TABLES for part in (f"### {name}", study_table(name))),
    )


# ---- parameters.md


def parameters_page() -> str:
    """Every parameter with its source; the assumed ones first."""
    found: dict[str, list[tuple[object, ...]]] = {}
    for block, prefix in BLOCKS.items():
        for d in leaves(block):
            if d.source is None:
                continue
            sweep = "" if d.sweep is None else f"{d.sweep[0]:g} to {d.sweep[1]:g}"
            row = (code(f"{prefix}.{d.key}"), default_of(block, d.name), unit_of(d), sweep, d.doc, d.source)
            found.setdefault(kind_of(d.source), []).append(row)
    headings = {
        "assumed": "Assumed: nobody has measured it",
        "in part": "Assumed in part",
        "fitted": "Fitted to data",
        "published": "From a paper, or directly from a measured figure",
        "resolution": "Resolution of the calculation, without a meaning in biology",
    }
    total = sum(map(len, found.values()))
    counts = "\n".join(f"- {len(found[kind])}: {heading}" for kind, heading in headings.items() if kind in found)
    parts = [PARAMETERS.format(total), counts]
    for kind, heading in headings.items():
        if kind in found:
            parts += [
                f"## {heading} ({len(found[kind])})",
                table(("parameter", "default", "unit", "sweep", "meaning", "source"), found[kind]),
            ]
    return page("Parameters and their sources", *parts)


# ---- cli.md


def verbs(app: typer.Typer, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every command with its function."""
    for command in app.registered_commands:
        function: Any = command.callback
        yield f"{prefix}{command.name or function.__name__.strip('_').replace('_', '-')}", function
    for group in app.registered_groups:
        if group.typer_instance is not None:
            yield from verbs(group.typer_instance, f"{prefix}{group.name} ")


def declared(option: OptionInfo) -> list[str]:
    """The names that an option says; inside `Annotated`, typer keeps the first one as its default."""
    first = option.default
    return [*([first] if isinstance(first, str) and first.startswith("-") else []), *(option.param_decls or ())]


def verb_section(name: str, function: Any) -> str:
    """One command: what it does, its arguments and options."""
    usage, rows = [f"mpn-abm {name}"], []
    hints = get_type_hints(function, include_extras=True)
    for parameter in inspect.signature(function).parameters.values():
        said = next(m for m in hints[parameter.name].__metadata__ if isinstance(m, ArgumentInfo | OptionInfo))
        kinds = _parts(get_args(hints[parameter.name])[0])
        required = parameter.default is inspect.Parameter.empty
        default = "" if parameter.default in (None, "", False) or required else written(parameter.default)
        if isinstance(said, ArgumentInfo):
            label = said.metavar or parameter.name.upper()
            usage.append(label if required else f"[{label}]")
        else:
            label = next(iter(declared(said)), f"--{parameter.name.replace('_', '-')}")
            value = "" if bool in kinds else " " + (said.metavar or ("N" if int in kinds else parameter.name.upper()))
            label += value
            usage.append(f"[{label}]" + ("..." if list[str] in kinds else ""))
        words = next((", ".join(member.value for member in k) for k in kinds if hasattr(k, "__members__")), "")
        rows.append((code(label), default, f"{said.help or ''}" + (f" One of {words}." if words else "")))
    about = inspect.cleandoc(function.__doc__ or "")
    options = [table(("", "default", "meaning"), rows)] if rows else []
    return "\n\n".join([f"## {name}", about, f"```text\n{' '.join(usage)}\n```", *options])


def cli_page() -> str:
    """Every command of the command line."""
    app = program()
    codes = table(
        ("exit code", "meaning"),
        (
            (0, "done"), (1, "a bug of the program"), (2, "wrong usage"), (3, "invalid scenario"),
            (4, "the simulation failed, or the machine is too small"), (5, "some runs of a study failed"),
            (6, "the output exists already"), (7, "a claim did not hold, with `--strict`"),
            (75, "stopped by a signal; the same command goes on from there"),
            (130, "interrupted"),
        ),
    )  # fmt: skip
    return page(
        "The command line",
        f"{app.info.help}",
        CLI,
        *(verb_section(name, function) for name, function in verbs(app)),
        "## Exit codes",
        codes,
    )


# ---- tables inside the background pages


def with_tables(text: str) -> str:
    """A page with its parameter tables renewed: between `<!-- parameters: BLOCK -->` and `<!-- end -->`."""
    return re.sub(
        r"<!-- parameters: (\w+) -->\n.*?<!-- end -->",
        lambda m: f"<!-- parameters: {m[1]} -->\n\n{parameter_table(BY_NAME[m[1]])}\n\n<!-- end -->",
        text,
        flags=re.DOTALL,
    )


def pages() -> dict[Path, str]:
    """Every page that is made, or has a part that is."""
    made = {
        REFERENCE / "keys.md": keys_page(),
        REFERENCE / "columns.md": columns_page(),
        REFERENCE / "parameters.md": parameters_page(),
        REFERENCE / "cli.md": cli_page(),
    }
    return made | {path: with_tables(path.read_text()) for path in sorted(BACKGROUND.glob("*.md"))}


def out_of_date() -> dict[Path, str]:
    """The pages that are not what the declarations say."""
    return {path: text for path, text in pages().items() if not path.exists() or path.read_text() != text}


def main() -> int:
    """Write, or check."""
    stale = out_of_date()
    check = "--check" in sys.argv[1:]
    for path, text in stale.items():
        print(f"{path.relative_to(DOCS.parent)}: {'out of date' if check else 'written'}")
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
