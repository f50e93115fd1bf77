"""What a scenario gives and then does not let act: right in itself, as where an arm takes a mechanism away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mpn_abm.mechanisms.drugs import Modifier
from mpn_abm.scenario.schema import Spec
from mpn_abm.scenario.treatments import NamedCourse, TransplantTreatment, courses_of

# the mechanism through which a kind of drug acts, and what is left without it
ACTS_THROUGH = {
    "jak_inhibitor": ("jak_stat", "it acts on T cells and platelets alone"),
    "hsp90_inhibitor": ("jak_stat", "it does nothing"),
    "antibody": ("jak_stat", "it does nothing"),
    "interferon": ("interferon", "it does nothing"),
    "eltrombopag": ("eltrombopag", "it does nothing"),
    "checkpoint_blockade": ("immune", "it does nothing"),
    "car_t": ("car_t", "none are given"),
    "transplant": ("transplant", "none is done"),
}


def stays_idle(spec: Spec) -> Iterator[str]:
    """Drugs whose mechanism is off, and effects on genotypes that cannot arise."""
    given = [named for named in courses_of(spec.treatments) if _has_dose(named)]
    for name in dict.fromkeys(named.treatment for named in given):
        mechanism, left = ACTS_THROUGH.get(spec.treatments[name].kind, ("", ""))
        if mechanism and not getattr(spec, mechanism).enabled:
            yield f"treatments.{name}: {mechanism} is off: {left}"
    there = set(genotypes_that_arise(spec))
    for name in dict.fromkeys(spec.treatments[named.treatment].drug for named in given):
        drug: Any = spec.drugs[name]
        for key, effect in drug.effects.items() if isinstance(drug, Modifier) else ():
            if effect.genotype is not None and effect.genotype not in there:
                yield f"drugs.{name}.effects.{key}: {effect.genotype} cannot arise in this run: it does nothing"


def _has_dose(named: NamedCourse) -> bool:
    return any(getattr(named.course, way) for way in named.course.ways_to_dose)


def genotypes_that_arise(spec: Spec) -> Iterator[str]:
    """Genotypes of clones and donors, and those that mutation makes of them."""
    donors = [t.donor for t in spec.treatments.values() if isinstance(t, TransplantTreatment)]
    first = {*(clone.genotype for clone in spec.clones.values()), *donors, "wild_type"}
    yield from first
    rates = spec.mutation
    if not rates.enabled:
        return
    if any(clone.genotype == "wild_type" for clone in spec.clones.values()) or "wild_type" in donors:
        made = {
            "JAK2_V617F": rates.jak2_rate,
            "CALR_TYPE1": rates.calr_rate * rates.calr_type1_share,
            "CALR_TYPE2": rates.calr_rate * (1.0 - rates.calr_type1_share),
        }
        yield from (name for name, rate in made.items() if rate > 0.0)
        first |= {name for name, rate in made.items() if rate > 0.0}
    if "JAK2_V617F" in first and rates.loss_of_heterozygosity_rate > 0.0:
        yield "JAK2_V617F_HOM"
