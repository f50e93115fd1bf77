"""Begin a study in a folder, go on with it, or add runs to it; nothing that was done there is lost."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from ruamel.yaml import YAML

import mpn_abm
from mpn_abm.columns import STUDY_TABLES
from mpn_abm.errors import OutputExistsError
from mpn_abm.files import LOCK, PART, TABLE_VERSION, Writer, published_together, text
from mpn_abm.result import PACKAGES
from mpn_abm.scenario.studies.study_file import StudyFile
from mpn_abm.studies.folder import PARTS, PATIENTS, PLAN, ROWS_PER_GROUP, STUDY, Folder
from mpn_abm.studies.identity import OF_PATIENT, paths_of
from mpn_abm.studies.plan import plan_of
from mpn_abm.studies.renumbering import merged_plan, moved
from mpn_abm.studies.thinning import kept
from mpn_abm.tables import ARROW_TYPES

MOST_DIFFERENCES = 3


def opened(folder: Folder, study: StudyFile, overwrite: bool = False) -> pd.DataFrame:
    """The plan of a study in its folder, which is ready to be worked on.

    A folder with the same study is gone on with; where the study has all of the runs that are there and more, those
    are added. None is taken away: fewer runs need a folder of their own.

    Raises
    ------
    OutputExistsError
        If something else is in the folder, and ``overwrite`` is not set.
    """
    plan = plan_of(study)
    if overwrite:
        folder.empty()
    elif folder.is_study:
        return _gone_on_with(folder, study, plan)
    else:
        refuse_what_is_there(folder, study)
    _write(folder, study, plan)
    return plan


def refuse_what_is_there(folder: Folder, study: StudyFile) -> None:
    """See that nothing is there but what a beginning of this study that was killed has left."""
    said = folder.path / STUDY
    # of the same name but with other words it is somebody's own, and so is the file of patients beside it
    is_begun = said.is_file() and said.read_bytes() == study.to_yaml().encode()
    ours = {LOCK, STUDY, PATIENTS} if is_begun else {LOCK}
    for file in folder.path.iterdir():
        is_empty_table = file.name in PARTS and file.is_dir() and not any(file.iterdir())
        if not (file.name in ours or PART.fullmatch(file.name) or is_empty_table):
            raise OutputExistsError(
                f"{folder.path}: exists and holds no study; choose another --out or say --overwrite"
            )


def _gone_on_with(folder: Folder, study: StudyFile, plan: pd.DataFrame) -> pd.DataFrame:
    old = folder.plan()
    said = (folder.path / STUDY).read_text()
    places = _places(old, plan)
    is_kept_alike = folder.provenance.get("kept") == kept(study)
    if places is None or not is_kept_alike:
        told = "; ".join(differences(said, study.to_yaml(), folder.provenance)) or "its runs are others"
        holds = "holds another study"
        if is_kept_alike and _places(plan, old) is not None:
            holds = f"holds {len(old):,} runs, this file asks for {len(plan):,} of them"
        raise OutputExistsError(f"{folder.path}: {holds} ({told}); choose another --out or say --overwrite")
    new = merged_plan(old, plan, places)
    if new.equals(old):
        if said != study.to_yaml():
            # other endpoints or claims on the same runs
            with published_together(folder.path) as write:
                write(STUDY, text(study.to_yaml()))
        return old
    moved(folder, old, new, places)
    _write(folder, study, new)
    return new


def _places(old: pd.DataFrame, new: pd.DataFrame) -> pd.Series | None:
    """Where each of the old runs stands in the new plan; None if one is missing there."""
    there, wanted = (_by_key(plan) for plan in (new, old))
    places = pd.Series(range(len(new)), index=there).reindex(wanted)
    return None if places.isna().any() else places.astype("int64").reset_index(drop=True)


def _by_key(plan: pd.DataFrame) -> pd.MultiIndex:
    """The keys of runs; runs with the same key are numbered."""
    return pd.MultiIndex.from_arrays([plan["key"], plan.groupby("key").cumcount()])


def _write(folder: Folder, study: StudyFile, plan: pd.DataFrame) -> None:
    with published_together(folder.path) as write:
        write(STUDY, text(study.to_yaml()))
        if study.kind == "trial":
            write(PATIENTS, lambda file: patients_in(plan).to_parquet(file, index=False))
        write(PLAN, plan_writer(plan, provenance_of(study)))
    # names of tables that are there tell a reader where to look
    for table in PARTS[: 2 if study.output.trajectory != "none" else 0]:
        (folder.path / table).mkdir(exist_ok=True)


def patients_in(plan: pd.DataFrame) -> pd.DataFrame:
    """The patients of a trial, a row each, as `patients_file` takes them."""
    once = plan.drop_duplicates("patient").sort_values("patient")
    randomised = len(plan) == len(once) and plan["arm"].notna().all() and plan["arm"].nunique() > 1
    beside = [name for name in OF_PATIENT if name in plan]
    return once[["patient", *(["arm"] if randomised else []), *beside, *paths_of(plan)]]


def plan_writer(plan: pd.DataFrame, provenance: dict[str, Any]) -> Writer:
    """Write a plan as Parquet."""
    fields = [
        pa.field(column.name, ARROW_TYPES[column.kind], metadata={"unit": column.unit, "meaning": column.meaning})
        for column in STUDY_TABLES["plan"]
    ]
    beside = {"weight": ("-", "weight of the patient"), "dropout_day": ("day", "when the patient is lost from view")}
    for name in OF_PATIENT:
        if name in plan:
            unit, meaning = beside[name]
            fields.append(pa.field(name, pa.float64(), metadata={"unit": unit, "meaning": meaning}))
    for path in paths_of(plan):
        kind = pa.float64() if pd.api.types.is_numeric_dtype(plan[path]) else pa.string()
        fields.append(pa.field(path, kind, metadata={"unit": "as in the file", "meaning": "value at this path"}))
    schema = pa.schema(fields, metadata={b"mpn_abm": json.dumps(provenance, sort_keys=True).encode()})
    arrays = [pa.Array.from_pandas(plan[field.name], type=field.type) for field in schema]
    table = pa.Table.from_arrays(arrays, schema=schema)
    return lambda file: pq.write_table(table, file, compression="zstd", row_group_size=ROWS_PER_GROUP)


def provenance_of(study: StudyFile) -> dict[str, Any]:
    """Program, scenario and packages behind the tables of a study."""
    return {
        "program": "mpn_abm",
        "version": mpn_abm.__version__,
        "table_version": TABLE_VERSION,
        "study": study.name,
        "kind": study.kind,
        "scenario": study.scenario.spec.name,
        "scenario_sha256": study.scenario.sha256,
        "seed": study.scenario.spec.seed,
        "kept": kept(study),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


# ---- what differs


def _plain(content: str) -> Any:
    return YAML(typ="safe", pure=True).load(StringIO(content))


def differences(old: str, new: str, provenance: Mapping[str, Any]) -> list[str]:
    """The first few things in which the study that is there differs from the one that is asked for."""
    found = []
    if provenance.get("version") != mpn_abm.__version__:
        found.append(f"made by mpn_abm {provenance.get('version')}, this is {mpn_abm.__version__}")
    there, here = (dict(_leaves(_plain(content))) for content in (old, new))
    for path in dict.fromkeys([*there, *here]):
        if there.get(path) != here.get(path):
            found.append(f"{path}: {_shown(there, path)} there, {_shown(here, path)} here")
    more = len(found) - MOST_DIFFERENCES
    return [*found[:MOST_DIFFERENCES], *([f"and {more} more"] if more > 0 else [])]


def _shown(leaves: Mapping[str, Any], path: str) -> str:
    return str(leaves[path]) if path in leaves else "nothing"


def _leaves(content: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(content, dict) and content:
        for name, child in content.items():
            yield from _leaves(child, f"{path}.{name}" if path else str(name))
    else:
        yield path, content
