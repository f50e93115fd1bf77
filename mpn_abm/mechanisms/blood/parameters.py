"""The parameters of the blood counts; what a genotype adds to them stands with the genotype."""

from __future__ import annotations

from mpn_abm.mechanisms.declaration import Mechanism, parameter

_SET = "assumed, set on McKerrell 2017"


class BloodParameters(Mechanism):
    """From stem cells to platelets, red and white cells."""

    normal_platelets: float = parameter(
        250.0, unit="1/nl", above=0.0, high=10_000.0, doc="platelets of a healthy marrow", source="textbook"
    )
    normal_hematocrit: float = parameter(
        0.43, above=0.0, high=1.0, doc="haematocrit of a healthy marrow", source="textbook"
    )
    normal_white_cells: float = parameter(
        7.0, unit="1/nl", above=0.0, high=1000.0, doc="white cells of a healthy marrow", source="textbook"
    )
    hemoglobin_per_hematocrit: float = parameter(
        333.0, unit="g/l", above=0.0, high=1000.0, doc="haemoglobin at a haematocrit of 1", source="textbook"
    )
    platelet_lag: float = parameter(
        5.0, unit="day", above=0.0, high=365.0, doc="mean time from progenitor to platelet", source=_SET
    )
    red_cell_lag: float = parameter(
        40.0, unit="day", above=0.0, high=365.0, doc="mean time in which red cells follow", source=_SET
    )
    white_cell_lag: float = parameter(
        2.0, unit="day", above=0.0, high=365.0, doc="mean time in which white cells follow", source=_SET
    )
    platelet_scar_cost: float = parameter(
        0.95, low=0.0, high=1.0, doc="part of platelets that dense scar stops", source=_SET
    )
    red_cell_scar_cost: float = parameter(
        0.5, low=0.0, high=1.0, doc="part of red cells that dense scar stops", source=_SET
    )
    white_cell_scar_cost: float = parameter(
        0.3, low=0.0, high=1.0, doc="part of white cells that dense scar stops", source=_SET
    )
    platelet_drug_cost: float = parameter(
        0.4, low=0.0, high=1.0, doc="part of platelets that full JAK2 inhibition stops", source=_SET
    )
    red_cell_drug_cost: float = parameter(
        0.2, low=0.0, high=1.0, doc="part of red cells that full JAK2 inhibition stops", source=_SET
    )
    white_cell_drug_cost: float = parameter(
        0.2, low=0.0, high=1.0, doc="part of white cells that full JAK2 inhibition stops", source=_SET
    )
    reserve_half: float = parameter(
        0.05,
        above=0.0,
        high=1.0,
        doc="filled share of the niches at which counts are about half: a tenth gives 70 %",
        source="assumed",
    )
