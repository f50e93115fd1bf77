"""The page: Mesa's controls and sliders beside the marrow, its charts, what is given, and what can be saved."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, TypeVar

import solara
import solara.lab
from mesa.visualization import Slider, SolaraViz
from mesa.visualization.utils import force_update, update_counter
from reacton.core import get_render_context
from solara.server.kernel_context import get_current_context, has_current_context
from solara.util import CancelledError

from mpn_abm.dashboard import saving, views
from mpn_abm.dashboard.experiment import Experiment
from mpn_abm.dashboard.knobs import knobs_of
from mpn_abm.dashboard.live import LiveMarrow
from mpn_abm.dashboard.opened import OPENED
from mpn_abm.dashboard.painting import data_url, paint
from mpn_abm.errors import MpnAbmError
from mpn_abm.pictures.palette import EXPOSURE, PAPER
from mpn_abm.scenario.examples import file_of, scenario_files
from mpn_abm.scenario.scenario import load

# milliseconds between two pictures, and steps: few enough for five pictures a second at the peak of the T cells
PLAY_INTERVAL, RENDER_INTERVAL = 1, 3
INFUSIONS = {"1 million": 1e6, "10 million": 1e7, "100 million": 1e8, "1 billion": 1e9}
RATIOS = {"0.1 per target": 0.1, "0.3 per target": 0.3, "1 per target": 1.0, "3 per target": 3.0, "10 per target": 10.0}
STYLE = (
    f":root {{ --bar: {EXPOSURE}; --paper: {PAPER} }}"
    + """
.marrow { image-rendering: pixelated; width: 100%; display: block; background: var(--paper) }
.marrow, .swatch { border: 1px solid rgba(128, 128, 128, .5) }
.chart { width: 100%; max-width: 520px; display: block; font-family: Roboto, sans-serif; fill: currentColor }
.chart .title { font-size: 13px; font-weight: 500 } .chart .unit { font-weight: 400; opacity: .7 }
.chart .key, .chart .row { font-size: 11px } .chart .tick { font-size: 10.5px; opacity: .8 }
.chart .end { text-anchor: end } .chart .middle { text-anchor: middle }
.chart .grid { stroke: currentColor; stroke-opacity: .15 } .chart .base { stroke: currentColor; stroke-opacity: .6 }
.chart .curve { fill: none; stroke-width: 1.8 } .chart .mark { stroke: currentColor; stroke-dasharray: 3 3; opacity: .6}
.chart .bar { fill: var(--bar); opacity: .55 }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: 6px 14px }
.legend { display: flex; flex-wrap: wrap; gap: 4px 14px; font-size: 13px; margin-top: 6px }
.swatch { display: inline-block; width: 12px; height: 12px; margin-right: 5px; vertical-align: -1px }
.deeds { font-size: 14px; margin: 0; padding-left: 18px }
"""
)
Value = TypeVar("Value")


class Kept(Protocol[Value]):
    """A value that draws the page anew when it is set: a ``solara.Reactive``."""

    value: Value


Model = Kept[LiveMarrow]


@solara.component
def Page() -> None:
    """The whole page."""
    browser = solara.get_session_id()
    model: Model = solara.use_reactive(solara.use_memo(lambda: OPENED.marrow_of(browser), []))
    # another number makes Mesa's controls anew, with the sliders of another scenario
    generation = solara.use_reactive(0)
    OPENED.keep(browser, model.value)
    base = solara.use_memo(lambda: _without_deeds(model.value.experiment), [generation.value])
    solara.Style(STYLE)
    solara.Title(f"{base.scenario.spec.name} · mpn_abm")
    Beside(model, generation)
    SolaraViz(
        model,
        components=[],
        play_interval=PLAY_INTERVAL,
        render_interval=RENDER_INTERVAL,
        model_params={"experiment": base, **_sliders(base)},
        name=base.scenario.spec.name,
    ).key(f"controls {generation.value}")
    Bench(model)


def _without_deeds(experiment: Experiment) -> Experiment:
    while experiment.before is not None:
        experiment = experiment.before
    return experiment


def _sliders(experiment: Experiment) -> dict[str, Slider]:
    return {
        knob.path: Slider(f"{knob.label} ({knob.value:g})", knob.value, knob.low, knob.high, knob.step)
        for knob in knobs_of(experiment.scenario)
    }


@solara.component
def Beside(model: Model, generation: Kept[int]) -> None:
    """What stands under Mesa's controls: the deeper a component, the lower Solara puts it."""
    with solara.Div():
        Below(model, generation)


@solara.component
def Below(model: Model, generation: Kept[int]) -> None:
    """A hint at the sliders, and other scenarios."""
    with solara.Sidebar():
        hint = "Reset begins again on day 0 with the sliders as they stand, and forgets what was clicked."
        with solara.Div(style={"padding": "8px 18px"}):
            solara.Text(hint)
        Examples(model, generation)


@solara.component
def Bench(model: Model) -> None:
    """The marrow with its charts and what can be done to it."""
    busy = solara.use_reactive(False)
    problem = solara.use_reactive("")
    layer = solara.use_reactive(0)

    def do(change: Callable[[Experiment, float], Experiment]) -> None:
        problem.value = ""
        busy.value = True
        try:
            model.value = model.value.after(change)
        except MpnAbmError as error:
            problem.value = str(error)
        finally:
            busy.value = False

    Headline(model.value)
    solara.ProgressLinear(busy.value)
    if problem.value or model.value.refused:
        solara.Error(problem.value or model.value.refused)
    with solara.Columns([4, 7], gutters_dense=True):
        with solara.Column():
            Marrow(model.value, layer)
            Treat(model, do, busy.value)
            Done(model, do, busy.value)
            Save(model, layer.value)
        with solara.Column():
            Charts(model.value)


@solara.component
def Headline(model: LiveMarrow) -> None:
    """The day, in words."""
    update_counter.get()
    # a page that is changed while another thread draws it is drawn again, and gives up after a hundred times
    model.wait = partial(_until_drawn, get_render_context().thread_lock)
    question = model.experiment.scenario.spec.question
    if question:
        solara.Text(question, style={"font-size": "18px", "padding": "4px 12px 0"})
    solara.Text(views.headline_of(model), classes=["headline"], style={"font-weight": "500", "padding": "0 12px"})


def _until_drawn(lock: Any) -> None:
    if not has_current_context() or get_current_context().closed_event.is_set():
        # a page that was closed while it played: another one may have the marrow now
        raise CancelledError
    with lock:
        pass


@solara.component
def Marrow(model: LiveMarrow, layer: Kept[int]) -> None:
    """The picture, with its legend; of a 3-D marrow the layer that is chosen."""
    update_counter.get()
    depth = model.shape[2] if len(model.shape) == 3 else 1
    z = min(layer.value, depth - 1)
    if depth > 1:
        solara.SliderInt("layer z", value=layer, min=0, max=depth - 1)
    attributes = {"src": data_url(paint(model, z)), "alt": views.alt_text_of(model)}
    solara.v.Html(tag="img", class_="marrow", attributes=attributes)
    solara.HTML(tag="div", unsafe_innerHTML=views.legend_of(model), classes=["legend"])


@solara.component
def Charts(model: LiveMarrow) -> None:
    """All charts, below and beside one another."""
    update_counter.get()
    with solara.Div(classes=["charts"]):
        for title, drawn in views.charts_of(model).items():
            solara.HTML(tag="div", unsafe_innerHTML=drawn, attributes={"data-chart": title})


@solara.component
def Treat(model: Model, do: Callable[..., None], busy: bool) -> None:
    """Give a drug, stop one, infuse CAR T cells."""
    update_counter.get()
    spec = model.value.experiment.scenario.spec
    ways = views.ways_to_dose(spec)
    drug = solara.use_reactive("ruxolitinib")
    doses = solara.use_reactive({})
    infusions = RATIOS if spec.marrow.scale == "tissue" else INFUSIONS
    infusion = solara.use_reactive("")
    chosen = drug.value if drug.value in ways else next(iter(ways))
    way = ways[chosen]
    dose = doses.value.get(chosen, way.usual)
    cells = infusion.value if infusion.value in infusions else list(infusions)[2]
    off = busy or not model.value.running

    def give() -> None:
        said = {way.key: float(dose), **({} if way.times_per_day is None else {"times_per_day": way.times_per_day})}
        do(lambda experiment, day: experiment.give(chosen, day, **said))

    def infuse() -> None:
        key = "effector_to_target" if spec.marrow.scale == "tissue" else "dose_cells"
        do(lambda experiment, day: experiment.infuse(day, **{key: infusions[cells]}))

    with solara.Card("Treat now", margin=0):
        with solara.Row():
            solara.Select("drug", values=list(ways), value=chosen, on_value=drug.set)
            solara.InputFloat(way.label, value=dose, on_value=lambda value: doses.set({**doses.value, chosen: value}))
            solara.Button("Give", color="primary", on_click=give, disabled=off or not dose or dose < 0)
        with solara.Row():
            solara.Select("CAR T cells", values=list(infusions), value=cells, on_value=infusion.set)
            solara.Button("Infuse", color="primary", on_click=infuse, disabled=off)
        with solara.Row(style={"flex-wrap": "wrap", "row-gap": "8px"}):
            for name in model.value.experiment.stoppable(model.value.day):
                stop = _stopper(do, name)
                label = f"Stop {views.DRUG_NAMES.get(name, name)}"
                solara.Button(label, outlined=True, on_click=stop, disabled=off).key(label)


def _stopper(do: Callable[..., None], drug: str) -> Callable[[], None]:
    return lambda: do(lambda experiment, day: experiment.stop(drug, day))


@solara.component
def Done(model: Model, do: Callable[..., None], busy: bool) -> None:
    """What was clicked, and a way back."""
    experiment = model.value.experiment

    def undo() -> None:
        do(lambda now, _: now.before or now)

    def replay() -> None:
        model.value = LiveMarrow(model.value.experiment)
        force_update()

    with solara.Card("Clicked", margin=0):
        if experiment.deeds:
            items = "".join(f"<li>{views.words(deed)}</li>" for deed in experiment.deeds)
            solara.HTML(tag="ul", unsafe_innerHTML=items, classes=["deeds"])
        else:
            solara.Text("Nothing yet. Each click becomes a treatment from the day on which it was clicked.")
        with solara.Row():
            solara.Button("Undo", on_click=undo, disabled=busy or not experiment.deeds, text=True)
            solara.Button("Replay from day 0", on_click=replay, disabled=busy or not experiment.deeds, text=True)


@solara.component
def Save(model: Model, layer: int) -> None:
    """The scenario, the picture and the state, as files."""
    update_counter.get()
    now = model.value
    files = {
        "Scenario": (f"{now.experiment.scenario.spec.name}.yaml", now.experiment.to_yaml),
        "Picture": (saving.name_of(now, ".png"), lambda: saving.picture_of(now, layer)),
        "State": (saving.name_of(now, ".parquet"), lambda: saving.state_of(now)),
    }
    with solara.Card("Save", margin=0):
        with solara.Row(style={"flex-wrap": "wrap"}):
            for label, (name, content) in files.items():
                with solara.FileDownload(content, filename=name).key(label):
                    solara.Button(label, outlined=True)
        solara.Text("`mpn-abm run` of the scenario repeats this experiment with the same bits.")


@solara.component
def Examples(model: Model, generation: Kept[int]) -> None:
    """Another scenario of the library."""
    problem = solara.use_reactive("")

    def pick(name: Any) -> None:
        problem.value = ""
        if not name:
            return
        try:
            model.value = LiveMarrow(Experiment(load(file_of(name))))
            generation.value += 1
        except MpnAbmError as error:
            problem.value = str(error)

    with solara.Card("Examples"):
        solara.v.Autocomplete(
            label="a scenario of the library", items=list(scenario_files()), v_model=None, on_v_model=pick
        )
        if problem.value:
            solara.Error(problem.value)
