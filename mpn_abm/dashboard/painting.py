"""The marrow as one picture, in the colours of all pictures: cells, darker with scar, and the CAR T cells over them."""

from __future__ import annotations

import base64
from io import BytesIO

import numpy as np
from PIL import Image

from mpn_abm.mesa_layers import BLOCK
from mpn_abm.model import MarrowModel
from mpn_abm.pictures.looks import Look, looks_of
from mpn_abm.pictures.palette import EMPTY, SCAR, SCAR_STRENGTH, T_CELL, Palette, rgb
from mpn_abm.state import T_CELLS

SHADES = 16


def palette_of(model: MarrowModel) -> Palette:
    """The colours of the clones and genotypes of a marrow."""
    clones = model.marrow_scenario.spec.clones
    return Palette(model.genotypes[1:], {name: clone.genotype for name, clone in clones.items()})


def kinds_of(model: MarrowModel) -> tuple[np.ndarray, list[Look]]:
    """uint8[sites]: 0 for an empty site, else the place of its look in the list plus 1."""
    looks = looks_of(palette_of(model), model.genotypes[1:])
    legend = list(dict.fromkeys(looks.values()))
    place = {name: legend.index(look) + 1 for name, look in looks.items()}
    kinds = np.array([0, *(place[name] for name in model.genotypes[1:])], np.uint8)[model.words["genotype"]]
    for number in (name for name in looks if isinstance(name, int)):
        kinds[model.words["clone"] == number] = place[number]
    return kinds, legend


def paint(model: MarrowModel, layer: int = 0) -> np.ndarray:
    """uint8[height, width, 3]: the marrow seen from above, y upwards; of a 3-D one the layer z."""
    width, height, *_ = model.shape
    first = layer * width * height
    kinds, legend = kinds_of(model)
    scar = model.blocks["fibrosis"]
    of_layer = scar.T if scar.ndim == 2 else scar[:, :, layer // BLOCK].T
    level = np.minimum(of_layer * SHADES, SHADES - 1).astype(np.intp)
    by_site = level.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)[:height, :width]
    picture: np.ndarray = _shaded(legend)[kinds[first : first + width * height].reshape(height, width), by_site]
    stack = model.batch.stack
    there = stack.agents.site[0, : stack.tally[0, T_CELLS]].astype(np.int64) - first
    picture.reshape(-1, 3)[there[(there >= 0) & (there < width * height)]] = rgb(T_CELL)
    return picture[::-1]


def _shaded(legend: list[Look]) -> np.ndarray:
    """uint8[kind, shade, 3]."""
    colours = np.array([rgb(EMPTY), *(rgb(colour) for _, colour in legend)])
    share = np.linspace(0.0, SCAR_STRENGTH, SHADES)[None, :, None]
    return np.rint(colours[:, None, :] * (1.0 - share) + np.array(rgb(SCAR)) * share).astype(np.uint8)


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
