"""The catalogue of genotypes and of the flags that a genotype can carry besides."""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal

from mpn_abm.mechanisms.declaration import Block, GenotypeName, Whole, parameter, setting


class Genotype(Block):
    """A genotype; what is not said is as in the wild type."""

    like: GenotypeName | None = setting(None, doc="the genotype from which it takes what it does not say")
    gene: Literal["JAK2", "CALR", "none"] = setting("none", doc="the driver gene that is mutant")
    mutant_copies: Whole = setting(0, low=0, high=2, doc="mutant copies of that gene in a cell")
    fitness: float = parameter(
        0.0,
        unit="1/year",
        low=-100.0,
        high=1000.0,
        sweep=(0.1, 1.2),
        doc="growth of the clone over the wild type, untreated",
        source="JAK2: latency 30 years, growth 3-190 % a year (Williams 2022 Nature 10.1038/s41586-021-04312-6); "
        "homozygous twice that and CALR 0.55: assumed",
    )
    inhibition_cost: float = parameter(
        0.0,
        unit="1/year",
        low=0.0,
        high=1000.0,
        sweep=(0.5, 6.0),
        doc="decline of the clone where its signalling is fully inhibited; mutants 3 in PV, else 1.5",
        source="fitted: allele burden under ruxolitinib",
    )
    antigen: float | None = parameter(
        None,
        unit="molecules",
        low=0.0,
        high=1e6,
        doc="median mutant CALR on a stem cell; antigen.density_molecules for CALR, 0 for others",
        source="assumed",
    )
    cytokine: float = parameter(
        0.0,
        low=0.0,
        high=100.0,
        doc="pro-fibrotic cytokine of a cell relative to heterozygous JAK2",
        source="assumed",
    )
    megakaryocyte_output: float = parameter(
        0.0,
        low=0.0,
        high=100.0,
        doc="extra megakaryocytes per stem cell at full activity, over the wild type's output of 1",
        source="assumed",
    )


class Flag(Block):
    """A background driver and what it adds to the genotype that carries it."""

    fitness: float = parameter(
        0.0,
        unit="1/year",
        low=-100.0,
        high=1000.0,
        doc="growth that the flag adds",
        source="Fabre 2022 Nature 10.1038/s41586-022-04785-z (range)",
    )
    cytokine_factor: float = parameter(
        1.0, low=0.0, high=100.0, doc="factor of the flag on pro-fibrotic cytokine", source="assumed"
    )


FlagName = Literal["TET2", "DNMT3A", "ASXL1", "TP53"]

GENOTYPES = MappingProxyType(
    {
        "wild_type": Genotype(gene="none", mutant_copies=0),
        "JAK2_V617F": Genotype(
            gene="JAK2", mutant_copies=1, fitness=0.35, inhibition_cost=1.5, cytokine=1.0, megakaryocyte_output=1.0
        ),
        "JAK2_V617F_HOM": Genotype(
            gene="JAK2", mutant_copies=2, fitness=0.7, inhibition_cost=1.5, cytokine=1.5, megakaryocyte_output=2.0
        ),
        "CALR_TYPE1": Genotype(
            gene="CALR", mutant_copies=1, fitness=0.55, inhibition_cost=1.5, cytokine=2.0, megakaryocyte_output=2.0
        ),
        "CALR_TYPE2": Genotype(
            gene="CALR", mutant_copies=1, fitness=0.55, inhibition_cost=1.5, cytokine=2.0, megakaryocyte_output=2.0
        ),
    }
)

FLAGS: MappingProxyType[FlagName, Flag] = MappingProxyType(
    {
        "TET2": Flag(fitness=0.08),
        "DNMT3A": Flag(fitness=0.08),
        "ASXL1": Flag(fitness=0.15, cytokine_factor=2.0),
        "TP53": Flag(fitness=0.05),
    }
)
