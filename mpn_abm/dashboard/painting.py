"""The marrow as one picture: a colour for each genotype, darker with scar, and the CAR T cells over it."""

from __future__ import annotations

import base64
from io import BytesIO

import numpy as np
from PIL import Image

from mpn_abm.mesa_layers import BLOCK
from mpn_abm.model import MarrowModel
from mpn_abm.state import T_CELLS

# told apart with every kind of colour vision, by lightness where hues run out
EMPTY, CAR_T = "#ffffff", "#5d3a9b"
OF_BASE = {
    "wild_type": "#a6d5f2",
    "CALR_TYPE1": "#d55e00",
    "CALR_TYPE2": "#f0a05a",
    "JAK2_V617F": "#e6b800",
    "JAK2_V617F_HOM": "#8c6d00",
    "donor": "#009e73",
}
OTHERS = ("#cc79a7", "#7f7f7f", "#56b4e9", "#0072b2", "#000000")
# the darkest scar leaves this much light
LIGHT_IN_SCAR = 0.45
SHADES = 16


def colour_of(genotype: str, genotypes: tuple[str, ...]) -> str:
    """The colour of a genotype, whatever flags it carries; those of a file's own come in their order."""
    base = genotype.partition("+")[0]
    if base in OF_BASE:
        return OF_BASE[base]
    own = [name for name in dict.fromkeys(label.partition("+")[0] for label in genotypes) if name not in OF_BASE]
    return OTHERS[(own.index(base) - 1) % len(OTHERS)]


def paint(model: MarrowModel, layer: int = 0) -> np.ndarray:
    """uint8[height, width, 3]: the marrow seen from above; of a 3-D one the layer z."""
    width, height, *_ = model.shape
    first = layer * width * height
    genotype = model.words["genotype"][first : first + width * height].reshape(height, width)
    scar = model.blocks["fibrosis"]
    of_layer = scar.T if scar.ndim == 2 else scar[:, :, layer // BLOCK].T
    level = np.minimum(of_layer * SHADES, SHADES - 1).astype(np.intp)
    by_site = level.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)[:height, :width]
    picture: np.ndarray = _palette(model.genotypes)[genotype, by_site]
    stack = model.batch.stack
    there = stack.agents.site[0, : stack.tally[0, T_CELLS]].astype(np.int64) - first
    picture.reshape(-1, 3)[there[(there >= 0) & (there < width * height)]] = _rgb(CAR_T)
    return picture


def _palette(genotypes: tuple[str, ...]) -> np.ndarray:
    """uint8[genotype, shade, 3]."""
    colours = np.array([_rgb(EMPTY), *(_rgb(colour_of(label, genotypes)) for label in genotypes[1:])])
    light = np.linspace(1.0, LIGHT_IN_SCAR, SHADES)
    return (colours[:, None, :] * light[None, :, None]).astype(np.uint8)


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def png(picture: np.ndarray, scale: int = 1) -> bytes:
    """The picture as a file; ``scale`` pixels a site along each side."""
    image = Image.fromarray(picture)
    if scale > 1:
        image = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    file = BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()


def data_url(picture: np.ndarray) -> str:
    """The picture as the source of an image on a page."""
    return "data:image/png;base64," + base64.b64encode(png(picture)).decode("ascii")
