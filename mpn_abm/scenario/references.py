"""Follow the names of a scenario: what a genotype or drug is `like`, and the drug and kind of a treatment."""

from __future__ import annotations

from collections.abc import Mapping

from mpn_abm.errors import Problem
from mpn_abm.scenario.layers import merged
from mpn_abm.scenario.shape import Blocks, Named, Shape
from mpn_abm.scenario.suggestions import unknown
from mpn_abm.scenario.treatments import FOR_THE_WHOLE
from mpn_abm.scenario.tree import Entry, Origin, entry_from, problem


def with_references(tree: Entry, shape: Blocks, problems: list[Problem]) -> Entry:
    """The tree in which every genotype, drug and treatment says all that it takes from another."""
    children = dict(tree.value)
    for catalogue in ("genotypes", "drugs"):
        if catalogue in children and children[catalogue].is_mapping:
            children[catalogue] = _alike(children[catalogue], catalogue, shape.child(catalogue), problems)
    if "treatments" in children and children["treatments"].is_mapping:
        drugs = children["drugs"].value if children["drugs"].is_mapping else {}
        treatments = shape.child("treatments")
        assert isinstance(treatments, Named)
        given = {
            name: _with_courses(_of_its_drug(name, treatment, drugs, problems), treatments.of)
            for name, treatment in children["treatments"].value.items()
        }
        children["treatments"] = children["treatments"].with_value(given)
    return tree.with_value(children)


def _alike(catalogue: Entry, name: str, shape: Shape, problems: list[Problem]) -> Entry:
    """The catalogue with every `like` followed."""
    assert isinstance(shape, Named)
    done: dict[str, Entry] = {}
    for first in catalogue.value:
        # a loop and no recursion: a file may chain thousands
        chain, item = dict[str, str | None](), first
        while item not in done:
            model = chain[item] = _model_of(item, catalogue, name, chain, problems)
            if model is None:
                break
            item = model
        for one, model in reversed(chain.items()):
            entry = catalogue.value[one]
            done[one] = entry if model is None else _inheriting(entry, done[model], shape.of)
    return catalogue.with_value({item: done[item] for item in catalogue.value})


def _model_of(
    item: str, catalogue: Entry, name: str, chain: Mapping[str, str | None], problems: list[Problem]
) -> str | None:
    """What an item is like; None if it stands for itself, or says what cannot be followed."""
    like = catalogue.value[item].at(("like",))
    if like is None or not isinstance(like.value, str):
        return None
    path = (name, item, "like")
    if like.value == item or like.value in chain:
        problems.append(problem(like, path, f"expected no circle, {like.value} leads back to it"))
        return None
    if like.value not in catalogue.value:
        problems.append(problem(like, path, unknown(name.removesuffix("s"), like.value, catalogue.value)))
        return None
    return like.value


def _inheriting(entry: Entry, model: Entry, shape: Blocks) -> Entry:
    """The entry with what it does not say itself from its model."""
    if not model.is_mapping:
        return entry
    inherited = Entry({key: child for key, child in model.value.items() if key != "like"}, model.origin)
    own = {key: child for key, child in entry.value.items() if not child.origin.is_default}
    return merged(inherited, [entry.with_value(own)], shape, [])


def _with_courses(treatment: Entry, kinds: Blocks) -> Entry:
    """The treatment whose courses say all that they inherit from it."""
    courses = treatment.at(("courses",))
    shape = kinds.of_kind(treatment.scalar("kind")).child("courses")
    if courses is None or not courses.is_mapping or not isinstance(shape, Named):
        return treatment
    shared = {key: child for key, child in treatment.value.items() if key not in FOR_THE_WHOLE}
    whole = {
        name: merged(courses.with_value(shared), [course], shape.of, []) if course.is_mapping else course
        for name, course in courses.value.items()
    }
    return treatment.with_value({**treatment.value, "courses": courses.with_value(whole)})


def _of_its_drug(name: str, treatment: Entry, drugs: dict[str, Entry], problems: list[Problem]) -> Entry:
    """The treatment with its drug, the kind of that drug and the drug's usual schedule."""
    if not treatment.is_mapping:
        return treatment
    said = treatment.at(("drug",))
    drug = name if said is None else said.value
    if not isinstance(drug, str):
        return treatment
    if drug not in drugs:
        culprit, path = (said, ("treatments", name, "drug")) if said else (treatment, ("treatments", name))
        how = "" if said else "; a treatment of another name says its `drug:`"
        problems.append(problem(culprit, path, unknown("drug", drug, drugs) + how))
        return treatment
    usual = {"drug": drug, "kind": drugs[drug].scalar("kind")}
    times_per_day = drugs[drug].scalar("usual_times_per_day")
    if times_per_day is not None:
        usual["times_per_day"] = times_per_day
    stated = treatment.scalar("kind")
    if stated not in (None, usual["kind"]):
        problems.append(
            problem(treatment.value["kind"], ("treatments", name, "kind"), f"expected {usual['kind']}, as {drug} is")
        )
    origin = Origin(f"default of {drug}")
    filled = {key: entry_from(value, origin, key) for key, value in usual.items() if value is not None}
    return treatment.with_value({**filled, **treatment.value})
