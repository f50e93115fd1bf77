"""A profile: what a machine offers to studies, in a file of its own, so that a study says nothing of machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import StringConstraints

from mpn_abm.errors import ScenarioError
from mpn_abm.mechanisms.declaration import Block, Whole, setting
from mpn_abm.scenario.documents import read_file
from mpn_abm.scenario.layers import canonical
from mpn_abm.scenario.schema import SCHEMA
from mpn_abm.scenario.shape import Blocks
from mpn_abm.scenario.tree import Entry, Origin, entry_from, in_reading_order, problem
from mpn_abm.scenario.validation import validated

# a word of a shell: it stands in a line of the script
Word = Annotated[str, StringConstraints(pattern=r"^[^\s\"'`$\\]+$", max_length=200)]


class SlurmOptions(Block):
    """What SLURM is asked for, for each task of the array job."""

    partition: Word | None = setting(None, doc="the partition", expects="the name of a partition, without spaces")
    account: Word | None = setting(None, doc="who is charged", expects="the name of an account, without spaces")
    time: float | None = setting(None, unit="minute", low=1, high=525_600, doc="time limit of a task")
    memory_mb: Whole | None = setting(None, low=1, high=10_000_000, doc="memory of a task in megabytes")
    setup: str = setting("", doc="shell lines before the work, such as `module load python`")

    def asked(self) -> dict[str, Any]:
        """What was said, by its key."""
        said = {**self.model_dump(exclude={"time"}), "time_minutes": self.time}
        return {key: value for key, value in said.items() if value not in (None, "")}


class Profile(Block):
    """Where the shards of a study are worked on, and by how many at a time."""

    executor: Literal["local", "dask", "slurm"] = setting("local", doc="who works on the shards")
    jobs: Whole | None = setting(None, low=1, high=100_000, doc="shards at a time")
    scheduler: Word | None = setting(
        None,
        doc="a Dask scheduler",
        expects="the address of a Dask scheduler that runs already, such as tcp://HOST:8786",
    )
    slurm: SlurmOptions = setting(SlurmOptions(), doc="what SLURM is asked for")


class _File(Block):
    profile: Profile


def read_profile(path: str | PathLike[str]) -> Profile:
    """Read and check a profile.

    Parameters
    ----------
    path : path
        A YAML file such as ``{executor: slurm, jobs: 64, slurm: {partition: long, time_minutes: 120}}``.

    Raises
    ------
    ScenarioError
        If anything in it is wrong; carries all problems at once.
    MissingFileError
        If there is no such file.
    """
    return _checked(read_file(Path(path)))


def slurm_options(said: Mapping[str, Any]) -> SlurmOptions:
    """Check what SLURM is asked for, as a caller says it."""
    return _checked(entry_from({"slurm": said}, Origin("options"))).slurm


def _checked(root: Entry) -> Profile:
    said = dict(root.value)
    problems = []
    if (schema := said.pop("schema", None)) is not None and schema.value != SCHEMA:
        problems.append(problem(schema, ("schema",), f"expected {SCHEMA}, or no such line in a profile"))
    # one level down, as the keys of a scenario that stand at the top of a file mean nothing here
    tree = Entry({"profile": root.with_value(said)}, root.origin)
    checked, found = validated(canonical(tree, Blocks((_File,)), problems), _File)
    problems += found
    if problems or checked is None:
        own = (replace(one, path=one.path.removeprefix("profile").removeprefix(".")) for one in problems)
        raise ScenarioError(in_reading_order(own))
    return checked.profile
