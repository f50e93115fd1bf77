"""Solve the layers of a file, and those of its arms over them."""

from __future__ import annotations

from typing import NamedTuple

from mpn_abm.errors import Problem
from mpn_abm.scenario.arms import Overlays, within_arm, without_arm
from mpn_abm.scenario.schema import Spec
from mpn_abm.scenario.solving import solved
from mpn_abm.scenario.tree import Entry


class Solved(NamedTuple):
    """What was said, and the values, None if something is wrong with them."""

    tree: Entry
    spec: Spec | None


def assembled(
    of_file: list[Entry], overlays: Overlays, days: set[float], problems: list[Problem], where: str = "arms"
) -> tuple[Solved, dict[str, Solved]]:
    """The file itself and its arms, which the file says at `where`; what is wrong is added to the problems, once."""
    known = [told for told in problems if not told.path.startswith(f"{where}.")]
    tree, spec, own = solved(of_file, days, known)
    arms: dict[str, Solved] = {}
    of_arms: list[Problem] = []
    for name, overlay in overlays.items():
        arm_tree, arm_spec, theirs = solved([*of_file, *overlay], days, [*known, *without_arm(name, problems, where)])
        arms[name] = Solved(arm_tree, arm_spec)
        of_arms += within_arm(name, (told for told in theirs if told not in own), where)
    problems += [*own, *of_arms]
    return Solved(tree, spec), arms
