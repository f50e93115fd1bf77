"""Small marrows in which nothing but drugs and signalling moves, stepped by hand."""

from verification.runs import OFF, scenario

from mpn_abm.batch import Batch
from mpn_abm.compile.program import compile_scenario

STILL = {"hematopoiesis": OFF, "mutation": OFF, "fibrosis": OFF, "antigen": OFF}
CLONES = {"healthy": "wild_type", "jak2": "JAK2_V617F", "calr": "CALR_TYPE1"}


def still(days, treatments, **changes):
    """Three clones on 8 x 8 sites that neither divide nor are lost."""
    return {
        "time": {"duration_days": days, "record_every_days": 1},
        "marrow": {"shape": [8, 8]},
        "clones": {name: {"genotype": genotype, "cells": 20} for name, genotype in CLONES.items()},
        "treatments": treatments,
        **STILL,
        **changes,
    }


def followed(content, look, replicates=(0,)):
    """What `look` says of the signal of every step: a list by step, of arrays with an axis of replicates in front."""
    batch = Batch(compile_scenario(scenario(content).spec), replicates)
    seen = []
    for step in range(batch.program.timetable.steps):
        batch.advance(step + 1, batch.take_rows, lambda boundary: None)
        batch.take_clone_rows()
        batch.take_log()
        seen.append(look(batch.stack).copy())
    return seen


def medication(content, entry):
    """One entry of `medication` in every step."""
    return [float(row[0, entry]) for row in followed(content, lambda stack: stack.signal.medication)]


def told(result, *kinds):
    """(day, kind, name) of the events of some kinds, of replicate 0."""
    events = result.events[(result.events.replicate == 0) & result.events.kind.isin(kinds)]
    return list(events[["day", "kind", "name"]].itertuples(index=False, name=None))


def spans(values):
    """(first, after the last, value) of every stretch of steps with the same value other than 0."""
    found = []
    for step, value in enumerate(values):
        if value == 0.0:
            continue
        if found and found[-1][1] == step and found[-1][2] == value:
            found[-1] = (found[-1][0], step + 1, value)
        else:
            found.append((step, step + 1, value))
    return found
