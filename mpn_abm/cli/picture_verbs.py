"""`plot`, `movie` and `report`: what makes pictures of a run or a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mpn_abm.cli.options import Overwrite
from mpn_abm.errors import UsageError
from mpn_abm.pictures.catalogue import KINDS

Kind = Annotated[str, typer.Argument(metavar="KIND", help=f"One of {', '.join(KINDS)}.")]


def register(app: typer.Typer) -> None:
    """Add the verbs of this module to the program."""
    app.command()(plot)
    app.command()(movie)
    app.command()(report)


def plot(
    kind: Kind,
    path: Annotated[Path, typer.Argument(help="The folder of a run or a study, or one of its tables.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The picture: .svg, .png or .pdf.")],
    arm: Annotated[str | None, typer.Option(help="The arm of a study; all unless said.")] = None,
    replicate: Annotated[int | None, typer.Option(help="One run among replicates, or one patient.")] = None,
    day: Annotated[float | None, typer.Option(help="The day; the nearest that was recorded is taken.")] = None,
    days: Annotated[str | None, typer.Option(help="Days of `maps`, with commas between.")] = None,
    columns: Annotated[str | None, typer.Option(help="Columns, parameters or figures, with commas between.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="The endpoint, or a column of the summary.")] = None,
    data: Annotated[Path | None, typer.Option(help="Measurements over it: CSV of day, column, value, sd.")] = None,
    title: Annotated[str | None, typer.Option(help="What stands above instead of the question.")] = None,
    dpi: Annotated[int, typer.Option(min=50, max=600, help="Dots per inch of a PNG.")] = 200,
    overwrite: Overwrite = False,
) -> None:
    """Draw a picture of a run or a study."""
    from mpn_abm.pictures.catalogue import draw
    from mpn_abm.pictures.style import FORMATS, refuse_to_replace, refuse_unknown_format

    refuse_unknown_format(output, FORMATS)
    # refused before the work, not after it
    refuse_to_replace(output, overwrite)
    said: dict[str, Any] = {
        "arm": arm, "replicate": replicate, "day": day, "endpoint": endpoint, "data": data, "title": title,
        "columns": None if columns is None else _listed(columns), "days": None if days is None else _numbers(days),
    }  # fmt: skip
    picture = draw(kind, path, **{name: value for name, value in said.items() if value is not None})
    picture.save(output, dpi=dpi, overwrite=overwrite)
    print(f"{output}: {picture.alt}")


def movie(
    run: Annotated[Path, typer.Argument(help="The folder of a run with snapshots.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The film: .gif, .mp4, or .html with a slider.")],
    replicate: Annotated[int, typer.Option(min=0, help="The replicate that has snapshots.")] = 0,
    size: Annotated[int, typer.Option(min=64, max=2048, help="Width and height in pixels.")] = 512,
    frames: Annotated[int | None, typer.Option(min=1, help="Frames; one per snapshot unless said.")] = None,
    fps: Annotated[float | None, typer.Option(min=0.1, max=60, help="Frames a second.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """Make a film of the marrow: clones, scar and CAR T cells, with the VAF so far."""
    from mpn_abm.pictures.movie import write_movie

    film = write_movie(
        run, output, replicate=replicate, size=size, frames=frames, per_second=fps, overwrite=overwrite
    )  # fmt: skip
    print(f"{output}: {film.alt} {output.stat().st_size / 1024:.0f} kB")


def report(
    path: Annotated[Path, typer.Argument(help="The folder of a run or a study.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The page: .html.")],
    overwrite: Overwrite = False,
) -> None:
    """Write one page on a run or a study: answer, claims, pictures, parameters, and how to make it again."""
    from mpn_abm.pictures.report.report import write_report

    write_report(path, output, overwrite=overwrite)
    print(f"{output}: {output.stat().st_size / 1024:.0f} kB")


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in _listed(text)]
    except ValueError as error:
        raise UsageError(f"--days {text}: expected numbers with commas between") from error
