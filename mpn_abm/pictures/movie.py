"""Films of the marrow as GIF, MP4, or a page with a slider."""

from __future__ import annotations

import base64
import io
import json
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

from mpn_abm.errors import SimulationError, UsageError
from mpn_abm.pictures.film import Film
from mpn_abm.pictures.labels import moment, time_unit
from mpn_abm.pictures.needs import need
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.style import refuse_to_replace, refuse_unknown_format, write_whole

FORMATS = ("gif", "mp4", "html")
COLOURS = 128
SHORTEST, FASTEST, SLOWEST = 8.0, 15.0, 2.0


def write_movie(
    source: Any, path: str | Path, *, replicate: int = 0, size: int = 512, frames: int | None = None,
    per_second: float | None = None, overwrite: bool = False,
) -> Film:  # fmt: skip
    """Write a film of the marrow of one run; the ending of the name says the format.

    Parameters
    ----------
    source : path, Result or Recording
        A run with snapshots.
    path : path
        A name that ends in .gif, .mp4 or .html.
    replicate : int
    size : int
        Width and height of a frame in pixels; even for an MP4.
    frames : int, optional
        One per snapshot unless said; of a marrow with depth at least a turn of 72.
    per_second : float, optional
        Frames a second; so that the film takes some eight seconds unless said.
    overwrite : bool

    Raises
    ------
    UsageError
        If the run has no snapshots, or what the format needs is not installed.
    OutputExistsError
        If the file is there and ``overwrite`` is not set.
    """
    target = Path(path)
    refuse_unknown_format(target, FORMATS)
    refuse_to_replace(target, overwrite)
    kind = target.suffix[1:].lower()
    if kind == "mp4":
        need("imageio_ffmpeg", "movie")
        if size % 2:
            raise UsageError(f"--size {size}: expected an even number for an MP4")
    need("matplotlib", "plot")
    film = Film(source if isinstance(source, Recording) else Recording(source), replicate, size, frames)
    speed = per_second or min(max(film.frames / SHORTEST, SLOWEST), FASTEST)
    write_whole(target, {"gif": gif, "mp4": mp4, "html": page}[kind](film, speed))
    return film


def gif(film: Film, per_second: float) -> bytes:
    """An animated GIF in the colours of its first, middle and last frame."""
    pillow = need("PIL.Image", "plot")
    images = list(film.images())
    some = pillow.new("RGB", (film.size, 3 * film.size))
    for k, place in enumerate((0, len(images) // 2, len(images) - 1)):
        some.paste(images[place], (0, k * film.size))
    # the farthest colours of all, so that those of a small swatch stay what they are
    colours = some.quantize(COLOURS, method=pillow.Quantize.MAXCOVERAGE)
    paletted = [image.quantize(palette=colours, dither=pillow.Dither.NONE) for image in images]
    buffer = io.BytesIO()
    # the last frame stays for a while
    durations = [round(1000 / per_second)] * (len(paletted) - 1) + [1500]
    paletted[0].save(buffer, "GIF", save_all=True, append_images=paletted[1:], duration=durations, loop=0,
                     comment=film.alt.encode())  # fmt: skip
    return buffer.getvalue()


def mp4(film: Film, per_second: float) -> bytes:
    """An H.264 film that every player takes."""
    import tempfile

    import numpy as np

    ffmpeg = need("imageio_ffmpeg", "movie")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "film.mp4"
        # the same bytes each time: one thread, no date, no name of the program
        options = [
            "-threads",
            "1",
            "-fflags",
            "+bitexact",
            "-flags:v",
            "+bitexact",
            "-movflags",
            "+faststart",
            "-crf",
            "18",
        ]
        writer = ffmpeg.write_frames(
            str(file), (film.size, film.size), fps=per_second, codec="libx264", pix_fmt_out="yuv420p", quality=None,
            macro_block_size=2, output_params=options, ffmpeg_log_level="error",
        )  # fmt: skip
        try:
            writer.send(None)
            for image in film.images():
                writer.send(np.ascontiguousarray(image))
            writer.close()
        except OSError as error:
            raise SimulationError(f"ffmpeg could not write the film: {error}") from error
        return file.read_bytes()


def _webp(image: Any, lossless: bool) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", lossless=lossless, quality=40 if lossless else 75, method=2)
    return buffer.getvalue()


def page(film: Film, per_second: float) -> bytes:
    """A page with the frames in it, a slider, and a button that plays them."""
    # squares of one colour are smaller without loss, glass and crowds of sites with it
    lossless: bool | None = None
    frames = []
    for image in film.images():
        if lossless is None:
            lossless = len(_webp(image, True)) < len(_webp(image, False))
        frames.append(base64.b64encode(_webp(image, lossless)).decode())
    text = resources.files("mpn_abm.pictures").joinpath("player.html").read_text(encoding="utf-8")
    unit = time_unit(film.marrow.days[-1])
    moments = [moment(still.snapshot.day, unit) for still in film.stills()]
    for name, value in {
        "@NAME@": escape(film.recording.name),
        "@QUESTION@": escape(film.recording.question or film.recording.name),
        "@ALT@": escape(film.alt, quote=True),
        "@SIZE@": str(film.size),
        "@LAST@": str(film.frames - 1),
        "@PAUSE@": str(round(1000 / per_second)),
        "@MOMENTS@": json.dumps(moments),
        "@FRAMES@": json.dumps(frames),
    }.items():
        text = text.replace(name, value)
    return text.encode()
