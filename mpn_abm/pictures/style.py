"""How every picture looks, and how it becomes a file with the same bytes each time."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from mpn_abm.errors import OutputExistsError, UsageError
from mpn_abm.files import published_together
from mpn_abm.pictures.needs import need
from mpn_abm.pictures.palette import FAINT, GRID, INK, PAPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("svg", "png", "pdf")
SALT = "mpn_abm"
# width of a letter and height of a line of a heading, inches
HEADING_LETTER, HEADING_LINE = 0.071, 0.16
RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.labelsize": 8.0,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "legend.fontsize": 7.5,
    "legend.frameon": True,
    "legend.framealpha": 0.75,
    "legend.facecolor": PAPER,
    "legend.edgecolor": "none",
    "legend.fancybox": False,
    "legend.borderpad": 0.15,
    "legend.handlelength": 1.6,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "figure.facecolor": PAPER,
    "figure.titlesize": 9.5,
    "savefig.facecolor": PAPER,
    "hatch.linewidth": 0.6,
    "svg.hashsalt": SALT,
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "path.simplify": True,
}


@contextmanager
def drawing() -> Iterator[None]:
    """The style of the pictures, for what is drawn or saved inside."""
    matplotlib = need("matplotlib", "plot")
    need("matplotlib.figure", "plot")
    with matplotlib.rc_context():
        # nothing of a user's own settings may change a picture
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(RC)
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, its size in inches."""
    figure: Figure = need("matplotlib.figure", "plot").Figure(figsize=(width, height), layout="constrained")
    return figure


def heading(figure: Any, text: str, below: str = "") -> None:
    """What a picture shows, above it on the left, and below that whose it is; as many lines as it takes."""
    letters = int(figure.get_figwidth() / HEADING_LETTER)
    lines = [line for part in (text, below) for line in wrap(part, letters, break_on_hyphens=False)]
    if lines:
        # what a heading takes, the axes do not lose
        figure.set_figheight(figure.get_figheight() + HEADING_LINE * max(len(lines) - 2, 0))
        figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=9.0, color=INK)


def legend_below(figure: Any, handles: Sequence[Any]) -> None:
    """A legend beneath the axes, in as many columns as the figure is wide enough for."""
    if not handles:
        return
    # a sign with its gaps, and a letter, in inches
    widest = 0.46 + 0.064 * max(len(str(handle.get_label())) for handle in handles)
    whole = getattr(figure, "figure", None) or figure
    columns = max(int(whole.get_figwidth() / widest), 1)
    figure.legend(handles=list(handles), loc="outside lower center", ncols=min(columns, len(handles)))


def note(axes: Axes, text: str, **options: Any) -> None:
    """A remark in small grey letters, in the upper right of an axis unless said otherwise."""
    place = {"x": 0.99, "y": 0.97, "ha": "right", "va": "top", "color": FAINT, **options}
    x, y = place.pop("x"), place.pop("y")
    axes.text(x, y, text, transform=axes.transAxes, fontsize=7.0, **place)


def log_scale(axis: Axes, name: str, steps: tuple[float, ...] = (1.0, 2.0, 5.0)) -> None:
    """A logarithmic axis (x or y) with few and plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    getattr(axis, f"set_{name}scale")("log")
    part = getattr(axis, f"{name}axis")
    part.set_major_locator(LogLocator(10.0, subs=steps))
    part.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    part.set_minor_formatter(NullFormatter())


@dataclass
class Picture:
    """A finished picture.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
    alt : str
        What it shows, in words, for those who cannot see it.
    """

    figure: Figure
    alt: str

    def data(self, kind: str, dpi: int = 200) -> bytes:
        """The bytes of a file: svg, png or pdf."""
        metadata: dict[str, dict[str, str | None]] = {
            "svg": {"Date": None, "Creator": None, "Description": self.alt},
            "png": {"Software": None, "Description": self.alt},
            "pdf": {"CreationDate": None, "Producer": None, "Creator": None, "Subject": self.alt},
        }
        buffer = io.BytesIO()
        with drawing():
            self.figure.savefig(buffer, format=kind, dpi=dpi, metadata=metadata[kind])
        return buffer.getvalue()

    def save(self, path: str | Path, dpi: int = 200, overwrite: bool = False) -> Path:
        """Write a file; its ending says the format.

        Raises
        ------
        UsageError
            If the ending is none of .svg, .png and .pdf, or the folder is not there.
        OutputExistsError
            If the file is there and ``overwrite`` is not set.
        """
        target = Path(path)
        kind = target.suffix[1:].lower()
        refuse_unknown_format(target, FORMATS)
        refuse_to_replace(target, overwrite)
        write_whole(target, self.data(kind, dpi))
        return target

    def svg(self, prefix: str) -> str:
        """The picture as an SVG element for a page: ids of its own, text and axes in the colour of the page."""
        text = self.data("svg").decode()
        # as wide as it was drawn, letters of one size in all pictures of a page
        width = f"{8.1 * self.figure.get_figwidth():.1f}rem"
        text = text[text.index("<svg") :].replace("<svg", f'<svg style="max-width: {width}"', 1)
        text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
        text = re.sub(r'\bid="', f'id="{prefix}-', text)
        text = re.sub(r"url\(#", f"url(#{prefix}-", text)
        text = re.sub(r'xlink:href="#', f'xlink:href="#{prefix}-', text)
        # what is ink on paper takes the colours of the page, and the paper goes
        text = re.sub(rf'(<g id="{prefix}-patch_1">\s*<path [^>]*style="fill: ){PAPER}', r"\1none", text, count=1)
        for colour, name in ((INK, "ink"), (FAINT, "faint"), (GRID, "grid"), (PAPER, "paper")):
            text = text.replace(colour, f"var(--picture-{name})")
        return text


def refuse_unknown_format(target: Path, formats: Sequence[str]) -> None:
    """See that the name of a file ends in one of these."""
    if target.suffix[1:].lower() not in formats:
        raise UsageError(f"{target}: expected a name that ends in {', '.join('.' + kind for kind in formats)}")


def refuse_to_replace(target: Path, overwrite: bool) -> None:
    """See that a file can be written."""
    if target.exists() and not overwrite:
        raise OutputExistsError(f"{target}: exists; choose another -o or say --overwrite")
    if not target.parent.is_dir():
        raise UsageError(f"{target}: there is no folder {target.parent}")


def write_whole(target: Path, content: bytes) -> None:
    """Write a file beside its place and rename it."""
    with published_together(target.parent) as write:
        write(target.name, lambda file: (file.write(content), None)[1])
