"""What every value of a study is: those of its scenario, and its own."""

from __future__ import annotations

from collections.abc import Iterator

from mpn_abm.errors import UsageError
from mpn_abm.scenario.explain import Explanation, explained, explanation, leaves_of
from mpn_abm.scenario.paths import Place
from mpn_abm.scenario.schema import STUDIES
from mpn_abm.scenario.studies.blocks import StudyDocument
from mpn_abm.scenario.studies.study_file import StudyFile
from mpn_abm.scenario.suggestions import unknown
from mpn_abm.scenario.tree import DEFAULT

_OWN = ("name", "question", *STUDIES, "output")


def explained_study(study: StudyFile, path: str = "") -> list[Explanation]:
    """The study's own values at and below a path, as far as they are said; or those of its scenario."""
    head = path.partition(".")[0]
    if head not in StudyDocument.model_fields:
        return [*(_own(study) if not path else ()), *explained(study.scenario, path)]
    if head not in _OWN:
        return explained(study.scenario, path)
    rows = [row for row in _own(study) if f"{row.path}.".startswith(f"{path}.")]
    if not rows:
        raise UsageError(f"{path}: {unknown('path', path, [row.path for row in _own(study)])}")
    return rows


def _own(study: StudyFile) -> Iterator[Explanation]:
    document = study.document
    assert document.block is not None
    root = Place("", (), document.block)
    for name in ("name", "question", study.kind, "output"):
        for place in leaves_of(root.child(name)):
            entry = document.tree.at(place.names)
            if entry is None and place.value in (None, (), {}, ""):
                continue
            yield explanation(place, DEFAULT if entry is None else entry.origin)
