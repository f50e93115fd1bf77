"""Every number of the model is declared whole: unit, meaning, source, a range that holds its default."""

from collections.abc import Iterator

import pytest

from mpn_abm.mechanisms.declaration import Block, Declaration, Mechanism, accepted_keys, declarations
from mpn_abm.mechanisms.drugs import DRUGS
from mpn_abm.mechanisms.genotypes import FLAGS, GENOTYPES
from mpn_abm.scenario.schema import Spec
from mpn_abm.scenario.shape import Blocks, Named
from mpn_abm.units import keys_of


def blocks_below(block: type[Block]) -> Iterator[type[Block]]:
    yield block
    for name in block.model_fields:
        shape = Blocks((block,)).child(name)
        inner = shape.of if isinstance(shape, Named) else shape
        for member in inner.members if inner else ():
            yield from blocks_below(member)


BLOCKS = list(dict.fromkeys(blocks_below(Spec)))
DECLARED = [
    pytest.param(block, declared, id=f"{block.__name__}.{name}")
    for block in BLOCKS
    for name, declared in declarations(block).items()
]
PARAMETERS = [case for case in DECLARED if case.values[1].source is not None]


def test_there_is_a_model_to_look_at():
    assert len(BLOCKS) > 20
    assert len(PARAMETERS) > 70


@pytest.mark.parametrize("declared", [pytest.param(case.values[1], id=case.id) for case in DECLARED])
def test_a_field_says_what_it_means(declared: Declaration):
    assert declared.doc.strip()
    assert not declared.doc.endswith("."), "it stands in the middle of sentences"


@pytest.mark.parametrize(("block", "declared"), PARAMETERS)
def test_a_parameter_has_a_source_and_a_range_around_its_default(block: type[Block], declared: Declaration):
    assert declared.source
    assert declared.low is not None or declared.above is not None
    default = block.model_fields[declared.name].default
    if default is not None:
        assert declared.low is None or default >= declared.low
        assert declared.above is None or default > declared.above
        assert declared.high is None or default <= declared.high


@pytest.mark.parametrize(("block", "declared"), [case for case in PARAMETERS if case.values[1].sweep])
def test_a_sweep_lies_in_the_allowed_range(block: type[Block], declared: Declaration):
    low, high = declared.sweep
    assert low < high
    for bound in (low, high):
        block.__pydantic_validator__.validate_assignment(block.model_construct(), declared.name, bound)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.__name__)
def test_no_two_fields_of_a_block_answer_to_one_key(block: type[Block]):
    said = [key for declared in declarations(block).values() for key in keys_of(declared.name, declared.unit)]
    assert len(said) == len(set(said)) == len(accepted_keys(block))


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.__name__)
def test_groups_of_rivals_name_fields_that_may_be_left_out(block: type[Block]):
    for group in block.exclusive:
        assert len(group) > 1
        assert all(block.model_fields[name].default is None for name in group)


def test_every_mechanism_can_be_switched_off():
    mechanisms = [block for block in BLOCKS if issubclass(block, Mechanism) and block is not Mechanism]
    assert len(mechanisms) == 14
    assert all(block().enabled is True for block in mechanisms)


def test_catalogues_hold_valid_blocks():
    for catalogue in (GENOTYPES, FLAGS, DRUGS):
        for block in catalogue.values():
            assert type(block).model_validate(block.model_dump()) == block


def test_homozygous_jak2_grows_twice_as_fast():
    assert GENOTYPES["JAK2_V617F_HOM"].fitness == 2 * GENOTYPES["JAK2_V617F"].fitness


def test_the_background_drivers_share_their_rate_out_whole():
    mutation = Spec.model_fields["mutation"].default
    shares = (mutation.dnmt3a_share, mutation.tet2_share, mutation.asxl1_share, mutation.tp53_share)
    assert sum(shares) == pytest.approx(1)


def test_a_body_of_70_kg_has_the_marrow_of_the_model():
    assert Spec.model_fields["car_t"].default.marrow_cells_per_kg * 70 == pytest.approx(7e11)
