"""What the pages say is what the program does: examples, generated pages, links and keys."""

import importlib.util
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType

import numba
import numpy as np
import pytest

from mpn_abm.mechanisms.declaration import Block
from mpn_abm.scenario.examples import scenario_files
from mpn_abm.scenario.schema import DIRECTIVES, ScenarioFile
from mpn_abm.scenario.shape import Blocks, Listed, Named, Shape
from mpn_abm.scenario.studies.blocks import StudyDocument

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SCENARIO_FILES = sorted((ROOT / "scenarios").glob("*/*.yaml"))
PAGES = sorted([ROOT / "README.md", *DOCS.rglob("*.md")])
GENERATED = re.compile(r"<!-- parameters: \w+ -->.*?<!-- end -->", re.DOTALL)
CODE_BLOCK = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
# what stands before a dot in backticks and is no block of a scenario: modules, objects of the examples
OBJECTS = {"marrow", "mesa", "model", "mpn_abm", "result", "study"}
FILES = (".json", ".md", ".parquet", ".py", ".yaml")


def script(name: str) -> ModuleType:
    """A script of the folder docs as a module."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # dataclasses look their module up by its name
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder beside the scenarios of the project."""
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def faults(page: str) -> list[str]:
    examples = list(script("run_examples").run_page(page))
    assert examples, "a page without examples tests nothing"
    return [f"line {example.line}: {example.wrong}" for example in examples if example.wrong]


# ---- examples


@pytest.mark.parametrize("tutorial", sorted((DOCS / "tutorial").glob("*.md")), ids=lambda tutorial: tutorial.stem)
@pytest.mark.usefixtures("in_a_folder")
def test_a_tutorial_prints_what_it_shows(tutorial: Path):
    assert faults(tutorial.read_text()) == [], (
        f"if results have changed: python docs/run_examples.py {tutorial} --write"
    )


@pytest.mark.parametrize("guide", sorted((DOCS / "guides").glob("*.md")), ids=lambda guide: guide.stem)
@pytest.mark.usefixtures("in_a_folder")
def test_a_guide_prints_what_it_shows(guide: Path):
    assert faults(guide.read_text()) == [], f"if results have changed: python docs/run_examples.py {guide} --write"


@pytest.mark.usefixtures("in_a_folder")
def test_the_examples_of_the_readme_run():
    renew = "if results have changed: python docs/run_examples.py README.md --write"
    assert faults((ROOT / "README.md").read_text()) == [], renew


@pytest.mark.usefixtures("in_a_folder")
def test_the_scenario_in_the_readme_is_that_of_the_main_job():
    import mpn_abm

    shown = re.search(r"^```yaml\n(.*?)^```$", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    assert shown is not None
    # shown without the claims that the file makes besides
    marrow = mpn_abm.load("scenarios/therapy/calr_car_t.yaml", {"arms": None, "endpoints": None, "expect": None})
    assert mpn_abm.load(shown[1]).sha256 == marrow.sha256


@pytest.mark.parametrize(
    ("page", "wrong"),
    [
        ("```python\nprint(1)\n```\n\n```text\n2\n```\n", True),
        ("```python\nprint('1 apple')\n```\n\n```text\n1 ... ple\n```\n", True),
        ("```python\nprint('1 apple')\n```\n\n```text\n1 ...ple\n```\n", False),
        ("```python\nprint('one\\ntwo\\nthree')\n```\n\n```text\none\n...\nthree\n```\n", False),
        ("```python\nraise ValueError\n```\n", True),
        ("```sh\nmpn-abm validate missing.yaml\n```\n", True),
        ("<!-- exit 2 -->\n```sh\nmpn-abm validate missing.yaml\n```\n", False),
        ("```sh\nls\n```\n", True),
    ],
)
@pytest.mark.usefixtures("in_a_folder")
def test_a_wrong_example_is_found(page: str, wrong: bool):
    assert bool(faults(page)) is wrong


def test_the_first_lines_of_the_readme_are_the_two_commands():
    lines = (ROOT / "README.md").read_text().splitlines()[:4]
    assert lines == [
        "# mpn_abm",
        "",
        "    python3 -m pip install -e . && mpn-abm run scenarios/therapy/calr_car_t.yaml --out runs/calr_car_t",
        "    python3 -m pip install -e '.[test]' && python3 -m pytest",
    ]


# ---- pictures


def test_the_picture_of_the_readme_is_small_and_its_script_still_draws_it():
    pytest.importorskip("matplotlib")
    gallery = script("make_gallery")
    figure = gallery.top_picture(shape=(40, 40)).figure
    titles = [axis.get_title(loc="left") for axis in figure.get_axes()]
    assert titles[:5] == ["day 0", "day 315", "day 378", "day 441", "year 5"]
    assert titles[5:] == ["variant allele fraction", "CAR T cells in the marrow", "scar"]
    assert gallery.TOP.stat().st_size < 400 * 1024


def test_the_gallery_shows_every_scenario_and_is_small():
    pytest.importorskip("matplotlib")
    gallery = script("make_gallery")
    assert set(gallery.PLANS) == {name for name in scenario_files() if "/" in name}
    assert gallery.PAGE.read_text() == gallery.page(), "run: python docs/make_gallery.py"
    sizes = [gallery.file_of(name).stat().st_size for name in gallery.PLANS]
    assert min(sizes) > 2_000
    assert sum(sizes) < 3_000_000


def test_the_commands_of_the_gallery_are_understood():
    """Each with --dry-run in place of the work; kinds and options are those of the program."""
    from mpn_abm.cli.main import main as program
    from mpn_abm.pictures.catalogue import KINDS

    gallery = script("make_gallery")
    for name, plan in gallery.PLANS.items():
        run, drawn = (shlex.split(command) for command in gallery.commands(name, plan))
        assert program([*run[1:], "--dry-run", "--quiet"]) == 0, run
        assert drawn[:2] == ["mpn-abm", "plot"]
        assert drawn[2] in KINDS


# ---- generated pages


def test_the_generated_pages_are_what_the_declarations_say():
    stale = script("make_reference").out_of_date()
    assert [str(path.relative_to(ROOT)) for path in stale] == [], "run: python docs/make_reference.py"


@pytest.fixture
def beside_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts of the folder docs may import one another, as they do when they are run."""
    monkeypatch.syspath_prepend(DOCS)


@pytest.mark.usefixtures("beside_each_other")
def test_the_odd_page_tells_of_the_program():
    odd = script("make_odd")
    page = odd.PAGE.read_text()
    assert set(re.findall(r"<!-- odd: (\w+) -->", page)) == {
        "state", "schedule", "parameters", "genotypes", "flags", "drugs",
    }  # fmt: skip
    assert odd.written(page) == page, "run: python docs/make_odd.py"


@pytest.mark.usefixtures("beside_each_other")
def test_the_odd_page_has_every_array_that_is_not_scratch():
    from mpn_abm.state import Hand, MarrowState, Surroundings

    odd = script("make_odd")
    told = {name: [row[0].strip("`") for row in odd.state_rows(group)] for name, group in odd.groups().items()}
    kinds = {name: field for name, field in MarrowState.__annotations__.items() if field is not np.ndarray}
    assert list(told) == ["MarrowState", *(kind.__name__ for kind in kinds.values())]
    assert set(told.pop("MarrowState")) == set(MarrowState._fields) - set(kinds)
    left_out = {
        f"{group}.{name}"
        for group, kind in kinds.items()
        if kind not in (Surroundings, Hand)
        for name in set(kind._fields) - set(told[kind.__name__])
    }
    assert left_out == {"ground.work", *(f"agents.{name}" for name in ("claim", "fate", "layer", "touched", "around"))}
    assert dict(odd.entries()).keys() >= {"tally", "clone_table", "drug", "course", "medication", "reading", "factor"}


@pytest.mark.usefixtures("beside_each_other")
def test_the_odd_page_has_the_processes_of_a_step_in_their_order():
    stations = script("make_odd").stations()
    order = [station.name for station in stations]
    # the place of each is a scientific statement of model and schedule alike
    processes = [
        "decide_courses", "expose", "signal_in_cells", "transplant_what_is_due", "weigh_immunity", "spread_cytokine",
        "set_thresholds", "run_step", "show_antigen", "macro_sub_step", "grow_scar", "make_blood", "fill_spleen",
        "advance_disease", "write_row",
    ]  # fmt: skip
    assert [name for name in order if name in processes] == processes
    assert [station.part for station in stations] == sorted((station.part for station in stations), key=[
        "open_step", "cells_act", "close_step"].index)  # fmt: skip
    scar = next(station for station in stations if station.name == "grow_scar")
    assert scar.when == ("rules.scar.enabled == 1 and (step + 1) % rules.scar.every == 0",)
    assert scar.reason.startswith("scar answers over weeks")


@pytest.mark.usefixtures("beside_each_other")
def test_the_ranked_parameters_are_those_that_are_assumed():
    """The ranks come from a study, which is not run here; of which parameters they tell is asked."""
    assert script("make_assumed").out_of_date() == [], "run: python docs/make_assumed.py runs/assumed"


def test_every_parameter_stands_on_a_page_of_the_background():
    reference = script("make_reference")
    pages = "\n".join(page.read_text() for page in (DOCS / "background").glob("*.md"))
    missing = [block.__name__ for block in reference.BLOCKS if f"<!-- parameters: {block.__name__} -->" not in pages]
    assert missing == ["Marrow"], "only the size of the pool is told in words"


def test_more_than_half_of_the_parameters_are_assumed():
    reference = script("make_reference")
    sources = [d.source for block in reference.BLOCKS for d in reference.leaves(block) if d.source is not None]
    assumed = [source for source in sources if reference.kind_of(source) == "assumed"]
    assert len(assumed) > len(sources) / 2, "README and the ODD page say so"


# ---- links


def anchors(page: Path) -> set[str]:
    """Anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", CODE_BLOCK.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path):
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", CODE_BLOCK.sub("", page.read_text())):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        if not there.exists() or not there.is_relative_to(ROOT) or (anchor and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


def test_the_index_leads_to_every_page():
    index = (DOCS / "README.md").read_text()
    missing = [page for page in DOCS.rglob("*.md") if page.name != "README.md" and page.name not in index]
    assert missing == []


# ---- keys


def is_a_key(path: str) -> bool:
    """Whether a scenario or a study has this key, in any unit; `NAME` and names of the examples fit any name."""
    return any(_is_a_key_of(file, path) for file in (ScenarioFile, StudyDocument))


def _is_a_key_of(file: type[Block], path: str) -> bool:
    shape: Shape = Blocks((file,))
    names = path.split(".")
    for place, name in enumerate(names):
        if isinstance(shape, Listed):
            shape = shape.of
        if isinstance(shape, Named):
            shape = shape.child(name)
        elif isinstance(shape, Blocks):
            keys = shape.keys()
            if name not in keys:
                return False
            shape = shape.child(keys[name][0].name)
        else:
            return False
        if shape is None and place + 1 < len(names):
            return False
    return True


def keys_said(page: str) -> set[str]:
    """What stands in backticks and looks like block.key, or block.key=value."""
    words = re.findall(r"`([A-Za-z_]\w*(?:\.\w+)+)(?:[=:][^`]*)?`", CODE_BLOCK.sub("", page))
    return {word for word in words if not word.endswith(FILES) and word.partition(".")[0] not in OBJECTS}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_key_that_a_page_mentions_exists(page: Path):
    assert [key for key in sorted(keys_said(page.read_text())) if not is_a_key(key)] == []


def test_an_invented_key_is_found():
    page = "`niche.capacity_cost` `niche.capacity` `bloud.enabled` `clones.NAME.vaf` `time.duration_weeks` `state.py`"
    assert keys_said(page) == {
        "niche.capacity_cost", "niche.capacity", "bloud.enabled", "clones.NAME.vaf", "time.duration_weeks",
    }  # fmt: skip
    assert [key for key in sorted(keys_said(page)) if not is_a_key(key)] == ["bloud.enabled", "niche.capacity"]


def test_the_page_of_keys_names_every_directive_and_block():
    keys = (DOCS / "reference" / "keys.md").read_text()
    assert [word for word in (*DIRECTIVES, *ScenarioFile.model_fields) if f"`{word}" not in keys] == []


# ---- decisions


def test_a_kernel_without_the_runtime_cannot_make_an_array():
    """Decision 0003 rests on a private option of numba: this fails if it goes away or no longer acts."""

    @numba.njit(_nrt=False)
    def fill(array: np.ndarray) -> float:
        array[0] = 1.0
        return float(array[0])

    @numba.njit(_nrt=False)
    def make(length: int) -> np.ndarray:
        return np.zeros(length)

    assert fill(np.zeros(2)) == 1.0
    with pytest.raises(numba.TypingError):
        make(2)
