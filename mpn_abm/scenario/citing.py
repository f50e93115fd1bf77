"""The papers behind the program or behind one scenario, and how the program itself is cited."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from mpn_abm.scenario.explain import Explanation, explained
from mpn_abm.scenario.scenario import Scenario, load
from mpn_abm.scenario.schema import SCHEMA, Spec
from mpn_abm.scenario.treatments import TransplantTreatment

_HERE = Path(__file__).resolve()
# a wheel carries the file inside the package, a checkout beside it
_FILES = (_HERE.parents[1] / "CITATION.cff", _HERE.parents[2] / "CITATION.cff")
_OF_THE_DRUG = "of the drug"
# a year, as every paper has one
_PAPER = re.compile(r"\b(19|20)\d\d\b")
# what acts only where a drug of one of these kinds is given
_NEEDS = {
    "car_t": {"car_t"},
    "interferon": {"interferon"},
    "eltrombopag": {"eltrombopag"},
    "transplant": {"transplant"},
    "jak_stat": {"jak_inhibitor", "hsp90_inhibitor", "antibody"},
}
_NEEDED_OF_A_GENOTYPE = {"interferon_loss_per_year": "interferon", "hsp90_sensitivity": "hsp90_inhibitor"}
_MUTATES_TO = {
    "wild_type": ("JAK2_V617F", "JAK2_V617F_HOM", "CALR_TYPE1", "CALR_TYPE2"),
    "JAK2_V617F": ("JAK2_V617F_HOM",),
}


@dataclass
class Source:
    """One source with the values that rest on it."""

    text: str
    kind: str
    paths: list[str] = field(default_factory=list)


def kind_of(source: str) -> str:
    """How well a number is known: resolution, assumed, fitted, in part (assumed) or published."""
    if source.startswith("assumed: resolution"):
        return "resolution"
    if source.startswith("assumed"):
        return "assumed"
    if source.startswith("fitted"):
        return "fitted"
    return "in part" if "assumed" in source else "published"


def is_cited(source: Source) -> bool:
    """Whether somebody published something for it, were it only the direction."""
    return source.kind not in ("assumed", "resolution") or _PAPER.search(source.text) is not None


def sources(scenario: Scenario | None = None) -> list[Source]:
    """Sources in the order of the keys: of all that the program declares, or of what acts in a scenario.

    A value that the scenario sets to another one has no source here. The arms count as well.
    """
    if scenario is None:
        return _gathered(explained(_everything()), None)
    found: dict[str, Source] = {}
    for one in (scenario, *scenario.arms.values()):
        rows = [row for row in explained(one) if not row.path.startswith("arms.")]
        for source in _gathered(rows, one.spec):
            known = found.setdefault(source.text, Source(source.text, source.kind))
            known.paths += [path for path in source.paths if path not in known.paths]
    claims = (
        (claim.source, f"expect.{name}") for name, claim in scenario.comparison.expect.items() if claim.source
    )  # fmt: skip
    for text, path in claims:
        found.setdefault(text, Source(text, "claim")).paths.append(path)
    return list(found.values())


def _everything() -> Scenario:
    return load(
        {"schema": SCHEMA, "time": {"duration_days": 1}, "clones": {"healthy": {"genotype": "wild_type"}}}
    )  # fmt: skip


@cache
def _defaults() -> dict[str, Any]:
    return {row.path: row.value for row in explained(_everything())}


def _gathered(rows: Iterable[Explanation], spec: Spec | None) -> list[Source]:
    found: dict[str, Source] = {}
    for path, text in _told(rows, spec):
        found.setdefault(text, Source(text, kind_of(text))).paths.append(path)
    return list(found.values())


def _told(rows: Iterable[Explanation], spec: Spec | None) -> Iterator[tuple[str, str]]:
    """Path and source of every value that acts and that the file has not set to another one."""
    usual = _defaults()
    drug_sources = {row.path.split(".")[1]: row.value for row in rows if re.fullmatch(r"drugs\.\w+\.source", row.path)}
    for row in rows:
        if not row.source or row.value is None:
            continue
        if not row.origin.startswith("default") and row.value != usual.get(row.path):
            continue
        # what a genotype does not do rests on nothing
        if row.value == 0 and row.path.startswith(("genotypes.", "flags.")):
            continue
        if spec is not None and not _acts(row.path, spec):
            continue
        text = row.source
        if text.startswith(_OF_THE_DRUG):
            text = drug_sources.get(row.path.split(".")[1]) or "assumed"
        yield row.path, text


def _acts(path: str, spec: Spec) -> bool:
    """Whether a value can matter in a scenario: its mechanism is on, its drug is given, its genotype can occur."""
    head, *rest = path.split(".")
    kinds = {treatment.kind for treatment in spec.treatments.values()}
    if head == "drugs":
        return rest[0] in {treatment.drug for treatment in spec.treatments.values()}
    if head == "genotypes":
        return rest[0] in genotypes_of(spec) and _NEEDED_OF_A_GENOTYPE.get(rest[1]) in (None, *kinds)
    if head == "flags":
        return spec.mutation.enabled or any(rest[0] in clone.flags for clone in spec.clones.values())
    if head in _NEEDS and _NEEDS[head].isdisjoint(kinds):
        return False
    return getattr(getattr(spec, head), "enabled", True)


def genotypes_of(spec: Spec) -> set[str]:
    """Genotypes that can occur: those of the clones and donors, and those that mutation leads to."""
    found = {clone.genotype for clone in spec.clones.values()}
    found |= {t.donor for t in spec.treatments.values() if isinstance(t, TransplantTreatment)}
    if spec.mutation.enabled:
        found |= {new for old in found for new in _MUTATES_TO.get(old, ())}
    return found


@cache
def program_itself() -> dict[str, Any]:
    """What CITATION.cff says, with the sentence to cite as `text`."""
    from ruamel.yaml import YAML

    file = next(file for file in _FILES if file.exists())
    said: dict[str, Any] = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    people = ", ".join(_name_of(author) for author in said["authors"])
    year = f" ({said['date-released']})" if "date-released" in said else ""
    where = "".join(f" {said[key]}" for key in ("doi", "repository-code") if key in said)
    said["text"] = f"{people}{year}. {said['title']}. Version {said['version']}.{where}"
    return {key: value if isinstance(value, list | dict) else str(value) for key, value in said.items()}


def _name_of(author: dict[str, str]) -> str:
    return author.get("name") or f"{author.get('given-names', '')} {author.get('family-names', '')}".strip()
