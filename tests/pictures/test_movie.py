"""Films: as many frames as snapshots, of the size asked for, with the VAF so far."""

import base64
import io
import json
import re

import numpy as np
import pytest
from pictures import recordings

from mpn_abm.cli.main import main
from mpn_abm.pictures import palette
from mpn_abm.pictures.film import Film
from mpn_abm.pictures.looks import label_of
from mpn_abm.pictures.recording import Recording


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return recordings.written(recordings.niche(), tmp_path_factory.mktemp("film") / "run")


def test_a_gif_has_a_frame_for_each_snapshot(folder, tmp_path, capsys):
    from PIL import Image

    assert main(["movie", str(folder), "-o", str(tmp_path / "a.gif"), "--size", "256"]) == 0
    assert main(["movie", str(folder), "-o", str(tmp_path / "b.gif"), "--size", "256"]) == 0
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()
    with Image.open(tmp_path / "a.gif") as film:
        assert (film.n_frames, film.size) == (6, (256, 256))
    assert "from day 0 to day 70 in 6 frames" in capsys.readouterr().out


def test_a_gif_keeps_the_colours_of_cells(folder, tmp_path):
    """Of 128 colours none may be far from one that counts, however small its area is."""
    from PIL import Image

    assert main(["movie", str(folder), "-o", str(tmp_path / "a.gif"), "--size", "256"]) == 0
    images = list(Film(Recording(folder), size=256).images())
    with Image.open(tmp_path / "a.gif") as film:
        for k, image in enumerate(images):
            film.seek(k)
            off = np.abs(np.asarray(film.convert("RGB")).astype(int) - np.asarray(image).astype(int))
            assert off.max() <= 24


def test_a_frame_shows_the_marrow_of_its_day_with_y_up(folder):
    film = Film(Recording(folder), size=256)
    frame = np.asarray(next(film.images()))
    left, upper, width, height = film._place
    rows = recordings.niche().snapshots
    cells = rows[(rows["day"] == 0) & (rows["layer"] == "cell") & (rows["fibrosis"] == 0)]
    side = width / 24
    for _, cell in cells.sample(25, random_state=2).iterrows():
        x = int(left + (cell["x"] + 0.5) * side)
        y = int(upper + height - (cell["y"] + 0.5) * side)
        assert tuple(frame[y, x]) == palette.rgb(palette.FILLS[str(cell["genotype"])])


def test_the_strip_fills_as_time_goes(folder):
    film = Film(Recording(folder), size=256)
    full = np.array(palette.rgb(palette.LINES["CALR_TYPE1"]))
    left, upper, right, lower = film._strip
    reached = []
    for image in film.images():
        strip = np.asarray(image)[upper - 2 : lower + 2, left : right + 2].astype(int)
        columns = np.flatnonzero((np.abs(strip - full).sum(axis=2) < 12).any(axis=0))
        reached.append(columns.max())
    assert reached == sorted(reached)
    assert reached[-1] >= right - left - 3


def test_a_legend_of_many_kinds_of_cells_stays_above_the_strip(folder):
    kinds = [base + flags for base in palette.FILLS for flags in ("", "+TET2")]
    film = Film(Recording(folder), size=512)
    film.marrow.__dict__["legend"] = [(label_of(name), "#123456") for name in kinds]
    frame = np.asarray(film._backdrop)
    colours = (frame == (0x12, 0x34, 0x56)).all(axis=2)
    rows = np.flatnonzero(colours.any(axis=1))
    assert rows.max() < film._strip[1] - 0.03 * 512
    assert np.count_nonzero(np.diff(rows) > 1) + 1 == len(kinds), "a box for each"


def test_a_marrow_with_depth_turns():
    film = Film(Recording(recordings.tissue()), size=128)
    images = [np.asarray(image) for image in film.images()]
    assert len(images) == 72
    assert len({image.tobytes() for image in images}) == 72


def test_more_frames_than_snapshots_show_all_in_order(folder):
    days = [still.snapshot.day for still in Film(Recording(folder), frames=13).stills()]
    assert len(days) == 13
    assert days == sorted(days)
    assert set(days) == {0, 14, 28, 42, 56, 70}
    fewer = [still.snapshot.day for still in Film(Recording(folder), frames=3).stills()]
    assert fewer == [0, 28, 70]


def test_the_page_carries_its_frames_and_needs_nothing_else(folder, tmp_path):
    from PIL import Image

    assert main(["movie", str(folder), "-o", str(tmp_path / "a.html"), "--size", "200"]) == 0
    page = (tmp_path / "a.html").read_text()
    frames = json.loads(re.search(r"const frames = (\[.*?\]);", page, re.DOTALL)[1])
    assert len(frames) == 6
    assert {Image.open(io.BytesIO(base64.b64decode(frame))).size for frame in frames} == {(200, 200)}
    assert not re.search(r"https?://|@[A-Z]+@", page)


def test_the_letters_of_the_player_are_read_in_light_and_in_dark(folder, tmp_path):
    """AA is 4.5, and 3 for the border of a button."""
    assert main(["movie", str(folder), "-o", str(tmp_path / "a.html"), "--size", "64"]) == 0
    style = (tmp_path / "a.html").read_text().partition("</style>")[0]
    for part in re.split(r"@media", style):
        colours = dict(re.findall(r"--([\w-]+): (#\w{6})", part))
        for name in ("ink", "faint", "accent"):
            assert palette.contrast(colours[name], colours["paper"]) >= 4.5, name


def test_a_film_of_hours_is_told_in_hours(tmp_path):
    folder = recordings.written(recordings.tissue(), tmp_path / "run")
    assert main(["movie", str(folder), "-o", str(tmp_path / "a.html"), "--size", "64", "--frames", "5"]) == 0
    moments = re.search(r"const moments = (\[.*?\]);", (tmp_path / "a.html").read_text())[1]
    assert json.loads(moments) == ["hour 0", "hour 1", "hour 2", "hour 3", "hour 4"]


def test_an_mp4_can_be_played(folder, tmp_path):
    ffmpeg = pytest.importorskip("imageio_ffmpeg", reason="the extra `movie` is not installed")
    assert main(["movie", str(folder), "-o", str(tmp_path / "a.mp4"), "--size", "128", "--fps", "3"]) == 0
    frames, seconds = ffmpeg.count_frames_and_secs(str(tmp_path / "a.mp4"))
    assert (frames, round(seconds, 1)) == (6, 2.0)


def test_without_ffmpeg_the_extra_is_named(folder, tmp_path, monkeypatch, capsys):
    import sys

    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    assert main(["movie", str(folder), "-o", str(tmp_path / "a.mp4")]) == 2
    assert "pip install 'mpn-abm[movie]'" in capsys.readouterr().err
    assert not (tmp_path / "a.mp4").exists()
