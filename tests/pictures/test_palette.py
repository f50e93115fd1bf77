"""Colours that everybody can tell apart, and that are the same in all pictures."""

from itertools import combinations

import numpy as np
import pytest

from mpn_abm.pictures import palette
from mpn_abm.pictures.palette import DARK_PAPER, PAPER, Palette, arm_colours, contrast

# Machado, Oliveira and Fernandes 2009, severity 1
VISION = {
    "usual": [1, 0, 0, 0, 1, 0, 0, 0, 1],
    "protan": [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
    "deutan": [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881],
    "tritan": [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900],
}
LINES = {
    **palette.LINES, "t cells": palette.T_CELL_LINE, "exposure": palette.EXPOSURE, "emphasis": palette.EMPHASIS,
    **{f"own {k}": colour for k, colour in enumerate(palette.OWN_LINES)},
    **{f"arm {k}": colour for k, colour in enumerate(palette.ARMS)}, **palette.T_CELL_STATES, **palette.SOURCES,
}  # fmt: skip


def lab(colour, vision):
    """CIE L*a*b* of a colour as somebody with this vision sees it."""
    channels = np.array(palette.rgb(colour)) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.reshape(VISION[vision], (3, 3)) @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ seen
    f = np.cbrt(xyz / np.array([0.9505, 1.0, 1.089]))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("name", LINES)
def test_a_line_is_seen_on_white_and_on_dark_paper(name):
    assert contrast(LINES[name], PAPER) >= 3
    assert contrast(LINES[name], DARK_PAPER) >= 3


def test_the_contrast_is_that_of_the_guidelines():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("vision", VISION)
def test_the_cells_of_a_map_are_told_apart_with_every_kind_of_vision(vision):
    seen = {**palette.FILLS, "t cell": palette.T_CELL, "empty": palette.EMPTY}
    near = {
        pair: np.linalg.norm(lab(seen[pair[0]], vision) - lab(seen[pair[1]], vision)) for pair in combinations(seen, 2)
    }
    assert min(near.values()) > 11, sorted(near.items(), key=lambda one: one[1])[:3]


def test_a_colour_hangs_on_the_genotype_and_not_on_the_run():
    one = Palette(["wild_type", "CALR_TYPE1"], {"a": "CALR_TYPE1"})
    other = Palette(["JAK2_V617F", "CALR_TYPE1", "wild_type"], {"b": "wild_type", "c": "CALR_TYPE1"})
    assert one.clone_line("a") == other.clone_line("c") == palette.LINES["CALR_TYPE1"]
    assert one.fill("wild_type") == other.clone_fill("b") == palette.FILLS["wild_type"]


def test_clones_of_one_genotype_and_genotypes_of_a_file_differ():
    colours = Palette(["mine", "yours"], {"a": "JAK2_V617F", "b": "JAK2_V617F", "c": "JAK2_V617F"})
    assert len({colours.clone_line(name) for name in "abc"}) == 3
    assert colours.line("mine") != colours.line("yours")
    assert colours.fill("wild_type+TET2") != colours.fill("wild_type")
    assert palette.luminance(colours.fill("JAK2_V617F+transformed")) < 0.05


def test_the_reference_is_grey_wherever_it_stands():
    colours = arm_colours(["a", "b", "c"], "b")
    assert colours["b"] == palette.ARMS[0]
    assert len(set(colours.values())) == 3
