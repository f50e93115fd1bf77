"""What is worth knowing of a study that is right."""

from __future__ import annotations

from collections.abc import Iterator

from mpn_abm.scenario.studies.blocks import AnySpec, SensitivitySpec, SweepSpec, TrialSpec


def notes_of(spec: AnySpec) -> Iterator[str]:
    """Notes for whoever reads the file."""
    has_sequence = isinstance(spec, SweepSpec | SensitivitySpec) and spec.method in ("sobol", "saltelli")
    samples = getattr(spec, "samples", None) or 1
    if has_sequence and samples.bit_count() > 1:
        below = 1 << (samples.bit_length() - 1)
        yield f"samples: {samples}: points of a Sobol sequence are even for powers of 2, here {below} or {2 * below}"
    if isinstance(spec, TrialSpec) and spec.power is not None and spec.power.most_patients is not None:
        more = f"{spec.power.most_patients}: more than {spec.patients} are run where these do not tell the power"
        yield f"power.most_patients: {more}"
