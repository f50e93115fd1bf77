"""The catalogue of genotypes and of the flags that a genotype can carry besides."""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal

from mpn_abm.mechanisms.declaration import Block, GenotypeName, Whole, parameter, setting

_COUNTS = "assumed, set on McKerrell 2017"


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
        doc="decline of the clone where its signalling is fully inhibited; mutants 5.7 in PV, else 1.4",
        source="fitted: allele burden under ruxolitinib (COMFORT-I, RESPONSE, Deininger 2015)",
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

    granulocyte_output: float = parameter(
        0.0,
        low=0.0,
        high=100.0,
        doc="extra granulocytes per stem cell at full activity, over the wild type's output of 1",
        source="assumed",
    )
    platelet_gain: float = parameter(
        0.0, low=0.0, high=100.0, doc="what a marrow of this genotype adds to platelets", source=_COUNTS
    )
    red_cell_gain: float = parameter(
        0.0, low=0.0, high=100.0, doc="what a marrow of this genotype adds to red cells", source=_COUNTS
    )
    white_cell_gain: float = parameter(
        0.0, low=0.0, high=100.0, doc="what a marrow of this genotype adds to white cells", source=_COUNTS
    )
    interferon_loss: float = parameter(
        0.05,
        unit="1/year",
        low=0.0,
        high=100.0,
        doc="differentiation that interferon adds at full dose",
        source="fitted: JAK2 burden 45 -> 22.5/17.5/5/3 % at 12/18/24/36 months (Kiladjian 2008 Blood 112:3065); "
        "Mosca 2021 Blood 138:2231",
    )
    hsp90_sensitivity: float = parameter(
        0.2,
        low=0.0,
        high=100.0,
        doc="h: at full HSP90 inhibition JAK2 protein falls to 1/(1 + h)",
        source="assumed: mutant more than wild type",
    )


class Flag(Block):
    """A background driver and what it adds to the genotype that carries it."""

    fitness: float = parameter(
        0.0,
        unit="1/year",
        low=-100.0,
        high=1000.0,
        doc="growth that the flag adds",
        source="Fabre 2022 Nature 10.1038/s41586-022-04785-z: 5 % a year (DNMT3A, TP53) to more than 50 %; "
        "the mean of all drivers is 0.07-0.09 (Mon Pere 2024)",
    )
    cytokine_factor: float = parameter(
        1.0, low=0.0, high=100.0, doc="factor of the flag on pro-fibrotic cytokine", source="assumed"
    )


FlagName = Literal["TET2", "DNMT3A", "ASXL1", "TP53", "transformed"]

_JAK2 = Genotype(
    gene="JAK2",
    mutant_copies=1,
    fitness=0.35,
    cytokine=1.0,
    megakaryocyte_output=1.0,
    granulocyte_output=1.0,
    platelet_gain=6.5,
    red_cell_gain=0.1,
    white_cell_gain=0.3,
    interferon_loss=1.6,
    inhibition_cost=1.4,
    hsp90_sensitivity=1.5,
)
_CALR = Genotype(
    gene="CALR",
    mutant_copies=1,
    fitness=0.55,
    cytokine=2.0,
    megakaryocyte_output=2.0,
    platelet_gain=1.7,
    white_cell_gain=0.3,
    interferon_loss=0.6,
    inhibition_cost=1.4,
    hsp90_sensitivity=1.5,
)
GENOTYPES = MappingProxyType(
    {
        "wild_type": Genotype(gene="none", mutant_copies=0),
        "JAK2_V617F": _JAK2,
        "JAK2_V617F_HOM": _JAK2.model_copy(
            update={
                "mutant_copies": 2,
                "fitness": 0.7,
                "cytokine": 1.5,
                "megakaryocyte_output": 2.0,
                "granulocyte_output": 2.0,
                "platelet_gain": 1.5,
                "red_cell_gain": 0.7,
                "white_cell_gain": 0.8,
                "interferon_loss": 2.3,
            }
        ),
        "CALR_TYPE1": _CALR,
        "CALR_TYPE2": _CALR,
        "donor": Genotype(gene="none", mutant_copies=0),
    }
)

FLAGS: MappingProxyType[FlagName, Flag] = MappingProxyType(
    {
        "TET2": Flag(fitness=0.08),
        "DNMT3A": Flag(fitness=0.08),
        "ASXL1": Flag(fitness=0.15, cytokine_factor=2.0),
        "TP53": Flag(fitness=0.05),
        # its growth is progression.transformed_fitness, whatever else the cell carries
        "transformed": Flag(),
    }
)
