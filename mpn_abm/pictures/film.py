"""The frames of a film: the marrow above, with its legend, and the VAF so far beneath."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from mpn_abm.errors import UsageError
from mpn_abm.pictures.labels import moment, time_unit
from mpn_abm.pictures.maps import healthy_kinds
from mpn_abm.pictures.marrow import Marrow, Snapshot
from mpn_abm.pictures.needs import need
from mpn_abm.pictures.palette import EMPTY, FAINT, GRID, INK, PAPER, SCAR, SCAR_STRENGTH, T_CELL, mixed, rgb
from mpn_abm.pictures.recording import Recording
from mpn_abm.pictures.runs import palette_of
from mpn_abm.pictures.shading import angle_of, edges, flat_image, projected

# of the height of a frame
STRIP, LEGEND = 0.19, 0.2
LEGEND_SCALES = (1.0, 0.85, 0.7)
TURNING_FRAMES = 72


@dataclass(frozen=True)
class Still:
    """What one frame shows."""

    snapshot: Snapshot
    turn: float  # 0 to 1, of a marrow with depth


class Film:
    """The film of one replicate.

    Parameters
    ----------
    recording : Recording
        A run with snapshots.
    replicate : int
    size : int
        Width and height of a frame in pixels.
    frames : int, optional
        The number of frames; one per snapshot unless said, of a marrow with depth at least a turn of 72.
    """

    def __init__(self, recording: Recording, replicate: int = 0, size: int = 512, frames: int | None = None) -> None:
        self.marrow = Marrow(recording, replicate)
        self.recording, self.size = recording, size
        self.is_flat = self.marrow.shape[0] == 1
        usual = len(self.marrow.days) if self.is_flat else max(len(self.marrow.days), TURNING_FRAMES)
        self.frames = frames or usual
        if self.frames < 1:
            raise UsageError(f"--frames {frames}: expected at least 1")
        self._image = need("PIL.Image", "plot")
        self._draw = need("PIL.ImageDraw", "plot")
        self._font = need("PIL.ImageFont", "plot")

    @property
    def alt(self) -> str:
        """What the film shows, in words."""
        days = self.marrow.days
        unit = time_unit(days[-1])
        return (f"The marrow of {self.recording.name} from {moment(days[0], unit)} to {moment(days[-1], unit)} "
                f"in {self.frames} frames: cells by genotype, scar, CAR T cells, and the VAF so far.")  # fmt: skip

    def stills(self) -> Iterator[Still]:
        """The frames in order; several frames share a snapshot where there are fewer of them."""
        number = len(self.marrow.days)
        of_frame = np.floor(np.arange(self.frames) * number / self.frames).astype(int)
        of_frame[-1] = number - 1
        frame = 0
        for place, snapshot in enumerate(self.marrow.all()):
            while frame < self.frames and of_frame[frame] == place:
                yield Still(snapshot, frame / self.frames)
                frame += 1

    def images(self) -> Iterator[Any]:
        """The frames as images (Pillow), RGB."""
        for still in self.stills():
            frame = self._backdrop.copy()
            frame.paste(self._marrow_image(still), (self._place[0], self._place[1]))
            draw = self._draw.Draw(frame)
            if not self.is_flat:
                self._draw_frame_of(draw, still.turn)
            self._draw_now(frame, draw, still.snapshot.day)
            yield frame

    @cached_property
    def _place(self) -> tuple[int, int, int, int]:
        """Left, upper, width and height of the marrow in a frame."""
        margin = round(0.012 * self.size)
        width = round((1 - LEGEND) * self.size) - 2 * margin
        height = round((1 - STRIP) * self.size) - 2 * margin
        if not self.is_flat:
            side = min(width, height)
            return margin, margin, side, side
        _, rows, columns = self.marrow.shape
        scale = min(width / columns, height / rows)
        if scale >= 1:
            # whole pixels for a site look even
            scale = max(int(scale), 1) if scale >= 3 else scale
        return margin, margin, max(round(columns * scale), 1), max(round(rows * scale), 1)

    def _marrow_image(self, still: Still) -> Any:
        _, _, width, height = self._place
        if self.is_flat:
            pixels = self._with_t_cells(still.snapshot)
            filter_ = self._image.Resampling.BOX if width < pixels.shape[1] * 3 else self._image.Resampling.NEAREST
        else:
            pixels = projected(still.snapshot, self.marrow.colours, self._healthy, angle_of(still.turn))
            filter_ = self._image.Resampling.BICUBIC
        image = self._image.fromarray(np.rint(255 * np.clip(pixels, 0, 1)).astype(np.uint8))
        return image.resize((width, height), filter_)

    @cached_property
    def _healthy(self) -> list[int]:
        return healthy_kinds(self.marrow)

    def _with_t_cells(self, snapshot: Snapshot) -> np.ndarray:
        """The flat map, y up; a T cell covers most of what it stands on."""
        pixels = flat_image(snapshot, self.marrow.colours)
        there = snapshot.t_cells[0] > 0
        crowd = min(float(there.mean()) / 0.25, 1.0)
        share = 0.9 - 0.4 * crowd
        pixels[there] = pixels[there] * (1 - share) + np.array(rgb(T_CELL)) / 255.0 * share
        return np.asarray(pixels[::-1])

    def _draw_frame_of(self, draw: Any, turn: float) -> None:
        left, upper, width, _ = self._place
        pixel = width / (2 * _reach(self.marrow.shape))
        middle = left + width / 2, upper + width / 2
        for x0, y0, x1, y1 in edges(self.marrow.shape, angle_of(turn)):
            ends = [(middle[0] + x * pixel, middle[1] - y * pixel) for x, y in ((x0, y0), (x1, y1))]
            draw.line(ends, fill=mixed(FAINT, PAPER, 0.4), width=1)

    # ---- what is the same in all frames

    @cached_property
    def _letters(self) -> Any:
        """A font of the size of the frame."""
        return self._font_of(1.0)

    def _font_of(self, scale: float) -> Any:
        folder = need("matplotlib", "plot").get_data_path()
        return self._font.truetype(f"{folder}/fonts/ttf/DejaVuSans.ttf", max(round(0.0215 * scale * self.size), 7))

    @cached_property
    def _backdrop(self) -> Any:
        frame = self._image.new("RGB", (self.size, self.size), PAPER)
        draw = self._draw.Draw(frame)
        self._draw_legend(draw)
        self._draw_strip(frame, draw)
        return frame

    def _draw_legend(self, draw: Any) -> None:
        rows = [*self.marrow.legend, ("empty niche", EMPTY), ("scar", mixed(PAPER, SCAR, SCAR_STRENGTH))]
        if self.recording.has("trajectory") and "car_t_total" in self.recording.columns("trajectory"):
            rows.append(("CAR T cells", T_CELL))
        x, upper = round((1 - LEGEND) * self.size), round(0.085 * self.size)
        room = self._strip[1] - round(0.05 * self.size) - upper
        # the more kinds of cells, the smaller their names
        for scale in LEGEND_SCALES:
            box, font = round(0.02 * scale * self.size), self._font_of(scale)
            width = self.size - x - box - round(0.022 * self.size)
            words = [self._folded(draw, label, width, font) for label, _ in rows]
            line, gap = round(0.028 * scale * self.size), round(0.012 * scale * self.size)
            if sum(len(lines) * line + gap for lines in words) <= room:
                break
        y = upper
        for (_, colour), lines in zip(rows, words, strict=True):
            draw.rectangle((x, y, x + box, y + box), fill=colour, outline=FAINT)
            for text in lines:
                draw.text((x + box + round(0.012 * self.size), y - 1), text, fill=INK, font=font)
                y += line
            y += gap

    def _folded(self, draw: Any, text: str, width: float, font: Any) -> list[str]:
        lines = [""]
        for word in text.split():
            longer = f"{lines[-1]} {word}".strip()
            if draw.textlength(longer, font=font) <= width or not lines[-1]:
                lines[-1] = longer
            else:
                lines.append(word)
        return lines

    @cached_property
    def _courses(self) -> list[tuple[str, str, np.ndarray, np.ndarray]]:
        """Label, colour, days and values of the VAFs that are not 0 throughout."""
        if not self.recording.has("trajectory"):
            return []
        palette = palette_of(self.recording)
        known = {"vaf_jak2": ("JAK2", "JAK2_V617F"), "vaf_calr": ("CALR", "CALR_TYPE1")}
        names = [name for name in known if name in self.recording.columns("trajectory")]
        rows = self.recording.rows("trajectory", columns=["day", *names], replicate=self.marrow.replicate)
        return [(known[name][0], palette.line(known[name][1]), rows["day"].to_numpy(float), rows[name].to_numpy(float))
                for name in names if rows[name].max() > 0]  # fmt: skip

    @cached_property
    def _strip(self) -> tuple[int, int, int, int]:
        """Left, upper, right and lower border of the strip."""
        side = round(0.105 * self.size)
        return (
            side,
            round((1 - STRIP) * self.size + 0.045 * self.size),
            round(0.985 * self.size),
            round(0.955 * self.size),
        )

    @cached_property
    def _highest(self) -> float:
        return max((float(np.nanmax(values)) for _, _, _, values in self._courses), default=1.0) * 1.05

    def _spot(self, day: float, value: float) -> tuple[float, float]:
        left, upper, right, lower = self._strip
        last = max(self.marrow.days[-1], *(float(days[-1]) for _, _, days, _ in self._courses), 1e-9)
        return left + (right - left) * min(day / last, 1.0), lower - (lower - upper) * value / self._highest

    def _draw_strip(self, frame: Any, draw: Any) -> None:
        left, upper, right, lower = self._strip
        gap = round(0.012 * self.size)
        draw.text((left, upper - round(0.036 * self.size)), "VAF (fraction)", fill=INK, font=self._letters)
        x = left + draw.textlength("VAF (fraction)  ", font=self._letters)
        for label, colour, days, values in self._courses:
            level, sign = upper - round(0.022 * self.size), round(0.03 * self.size)
            draw.line((x, level, x + sign, level), fill=colour, width=max(round(0.006 * self.size), 1))
            x += sign + gap / 2
            draw.text((x, upper - round(0.036 * self.size)), label, fill=INK, font=self._letters)
            x += draw.textlength(f"{label}  ", font=self._letters)
            self._line(frame, days, values, mixed(colour, PAPER, 0.72))
        draw.line((left, lower, right, lower), fill=FAINT)
        draw.line((left, upper, left, lower), fill=FAINT)
        for value in (0.0, self._highest / 1.05):
            _, y = self._spot(0.0, value)
            text = f"{value:.2g}"
            width = draw.textlength(text, font=self._letters)
            draw.text((left - width - gap / 2, y - 0.015 * self.size), text, fill=INK, font=self._letters)
            draw.line((left, y, right, y), fill=GRID if value else FAINT)
        unit = time_unit(self.marrow.days[-1])
        for day, anchor in ((0.0, "la"), (self.marrow.days[-1], "ra")):
            draw.text((self._spot(day, 0.0)[0], lower + gap / 3), moment(day, unit), fill=FAINT, font=self._letters,
                      anchor=anchor)  # fmt: skip

    def _line(self, frame: Any, days: np.ndarray, values: np.ndarray, colour: str) -> None:
        """A smooth line: drawn four times as large."""
        known = ~np.isnan(values)
        if known.sum() < 2:
            return
        left, upper, right, lower = self._strip
        scale, reach = 4, 4
        box = (left, upper - reach, right + reach, lower + reach)
        mask = self._image.new("L", ((box[2] - box[0]) * scale, (box[3] - box[1]) * scale), 0)
        spots = [self._spot(day, value) for day, value in zip(days[known], values[known], strict=True)]
        points = [((x - box[0]) * scale, (y - box[1]) * scale) for x, y in spots]
        self._draw.Draw(mask).line(points, fill=255, width=round(scale * max(0.0035 * self.size, 1.2)), joint="curve")
        mask = mask.resize((box[2] - box[0], box[3] - box[1]), self._image.Resampling.BOX)
        frame.paste(rgb(colour), (box[0], box[1]), mask)

    def _draw_now(self, frame: Any, draw: Any, day: float) -> None:
        unit = time_unit(self.marrow.days[-1])
        draw.text((round((1 - LEGEND) * self.size), round(0.02 * self.size)), moment(day, unit), fill=INK,
                  font=self._letters)  # fmt: skip
        for _, colour, days, values in self._courses:
            so_far = days <= day + 1e-6
            self._line(frame, days[so_far], values[so_far], colour)
            if so_far.any() and not np.isnan(values[so_far][-1]):
                x, y = self._spot(days[so_far][-1], values[so_far][-1])
                dot = max(0.006 * self.size, 2)
                draw.ellipse((x - dot, y - dot, x + dot, y + dot), fill=colour)


def _reach(shape: tuple[int, int, int]) -> float:
    """Half the side of the projection, in pixels of its own."""
    reach = float(np.sqrt((((np.array(shape) - 1.0) / 2.0 + 0.5) ** 2).sum()))
    return (int(2 * reach) + 3) / 2
