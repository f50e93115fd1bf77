"""From rates to whole numbers: hazards of a step and the 64-bit marks they become."""

from typing import NamedTuple

from .draws import LARGEST64, threshold64


class Hazards(NamedTuple):
    """Hazards per step of one genotype: division b, loss d, mutation m of every kind."""

    division: float
    loss: float
    mutation: tuple

    @property
    def mutations(self):
        total = 0.0
        for m in self.mutation:
            total += m
        return total


class Thresholds(NamedTuple):
    """64-bit marks of one genotype: division B, its part S per scar byte, loss D, mutation M of every kind."""

    division: int
    scarred: int
    loss: int
    mutation: tuple


def scar_part(mark, cost):
    """What one byte of scar takes from a mark: the whole mark at cost 1 and byte 255, never more."""
    return ((mark >> 16) * int(65536 * cost)) // 255


def capped_thresholds(hazards, rho, scar_cost):
    """Marks that together stay below 2^64: mutation first, then division, then loss."""
    room = LARGEST64
    mutation = []
    for m in hazards.mutation:
        mutation.append(min(threshold64(m / rho), room))
        room -= mutation[-1]
    division = min(threshold64(hazards.division / rho), room)
    loss = min(threshold64(hazards.loss / rho), room - division)
    return Thresholds(division, scar_part(division, scar_cost), loss, tuple(mutation))
