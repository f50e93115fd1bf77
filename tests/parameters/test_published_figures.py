"""A parameter from a paper is what the paper prints: the table of papers.py against the declarations and catalogues."""

from collections.abc import Iterator

import pytest
from parameters.papers import FIGURES, LEFT_OUT, Figure
from parameters.test_declarations import BLOCKS

from mpn_abm.mechanisms.declaration import Block, declarations
from mpn_abm.mechanisms.drugs import DRUGS
from mpn_abm.mechanisms.drugs.kinds import CatalogueDrug, Effect
from mpn_abm.mechanisms.genotypes import FLAGS, GENOTYPES, Flag, Genotype
from mpn_abm.scenario.citing import kind_of
from mpn_abm.scenario.schema import Spec

CATALOGUES = {"genotypes": GENOTYPES, "flags": FLAGS, "drugs": DRUGS}
KEYS = {field.annotation: key for key, field in Spec.model_fields.items()}


def values(block: type[Block] | Block, path: str) -> Iterator[tuple[str, float, str]]:
    """The published values of a block: path, value and source. Those of a drug may leave the source to the drug."""
    kind = block if isinstance(block, type) else type(block)
    for name, declared in declarations(kind).items():
        source = declared.source or "assumed"
        if source.startswith("of the drug"):
            source = block.source
        value = kind.model_fields[name].default if block is kind else getattr(block, name)
        if value is not None and kind_of(source) in ("published", "in part"):
            yield f"{path}.{name}", value, source


def published() -> Iterator[tuple[str, float, str]]:
    for block in BLOCKS:
        if not issubclass(block, (CatalogueDrug, Effect, Flag, Genotype)):
            yield from values(block, KEYS.get(block, block.__name__))
    for key, catalogue in CATALOGUES.items():
        for name, block in catalogue.items():
            yield from values(block, f"{key}.{name}")


PUBLISHED = {path: (value, source) for path, value, source in published()}
ENTERED = [pytest.param(path, figure, id=path) for path, figure in FIGURES.items()]


def agrees(value: float, figure: Figure) -> bool:
    """Within the digits that the paper prints, or within its bounds."""
    if isinstance(figure.value, tuple):
        low, high = figure.value
        return low <= value <= high
    return f"{value:.{figure.digits}g}" == f"{figure.value:.{figure.digits}g}"


def test_every_published_parameter_is_entered_again_or_said_to_be_left_out():
    assert not FIGURES.keys() & LEFT_OUT.keys()
    assert set(PUBLISHED) == FIGURES.keys() | LEFT_OUT.keys()


@pytest.mark.parametrize(("path", "figure"), ENTERED)
def test_a_default_is_the_figure_of_its_paper(path: str, figure: Figure):
    """Or differs from it, and the table says so and how."""
    value, _ = PUBLISHED[path]
    assert agrees(value, figure) is not bool(figure.differs)
    assert figure.taken is None or value == figure.taken


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES.keys())
def test_where_the_paper_leaves_a_choice_the_choice_is_told(figure: Figure):
    assert (figure.taken is not None) is (isinstance(figure.value, tuple) or bool(figure.differs))


@pytest.mark.parametrize(("path", "figure"), ENTERED)
def test_the_source_names_the_paper_of_the_figure(path: str, figure: Figure):
    _, source = PUBLISHED[path]
    assert figure.paper.author in source
    assert figure.paper.year is None or str(figure.paper.year) in source
