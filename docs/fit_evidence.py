"""Fit parameters to published figures of the evidence, a group at a time; the points stay in a CSV file.

python docs/fit_evidence.py GROUP --out DIR [--points 60] [--jobs 2]

Loss of a point: the sum over the group's targets of weight times z squared beyond the edge of the band, where z counts
in half widths of the band; a target that is held costs nothing but a tenth of its distance from the published value, so
that of points that hold the same the nearer one wins. Figures of role `test` are never looked at. Experiments are the
small ones of `mpn-abm evidence --quick` with more patients, the same at every point, with the same random numbers.
Points come from optuna's TPE with a fixed seed, the defaults first.
"""

import argparse
import math
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
from ruamel.yaml import YAML

from mpn_abm.evidence.answers import Answer, answers
from mpn_abm.evidence.blocks import Target
from mpn_abm.evidence.experiments import loaded
from mpn_abm.evidence.targets import read_targets
from mpn_abm.scenario.examples import target_files
from mpn_abm.scenario.scenario import load
from mpn_abm.scenario.studies.study_file import load_study

SEED = 1


@dataclass(frozen=True)
class Group:
    """What is fitted to what: parameters with low, high and whether by their logarithm; patients of each experiment."""

    parameters: dict[str, tuple[float, float, bool]]
    targets: tuple[str, ...]
    patients: int


GROUPS = {
    # chronic disease first, then what scar and second hits add to it
    "chronic": Group(
        {
            "progression.transformation_rate_per_year": (4e-8, 3e-7, True),
            "fibrosis.drive": (0.01, 0.1, True),
            "progression.et_death_rate_per_year": (0.004, 0.02, True),
            "progression.pv_death_rate_per_year": (0.01, 0.05, True),
        },
        ("pv_mf_15y", "et_mf_20y", "pv_lt_10y", "pv_lt_15y", "et_lt_20y", "os_et_tef14", "os_pv_tef14", "ppvmf_os"),
        300,
    ),
    "advanced": Group(
        {
            "progression.scar_factor": (1.0, 8.0, False),
            "progression.asxl1_factor": (1.0, 12.0, False),
            "progression.tp53_factor": (3.0, 30.0, True),
            "progression.mf_death_rate_per_year": (0.05, 0.15, False),
        },
        (
            "pmf_lt5_low", "pmf_lt5_high", "ap_share", "bp_tp53", "os_pmf_tef14", "os_pmf_calr", "ap_os", "bp_os_bsc",
            "ppvmf_os",
        ),
        300,
    ),
    "transplant": Group(
        {
            "transplant.mortality_year_1_per_year": (0.2, 0.4, False),
            "transplant.mortality_later_per_year": (0.005, 0.08, True),
            "transplant.mismatched_factor": (1.0, 2.5, False),
        },
        ("hct_os1", "hct_os5", "hct_nrm1", "hct_nrm5", "hct_trm_seed"),
        400,
    ),
    # how fast scar goes; what it takes to lay it down is fitted with the chronic diseases
    "scar": Group(
        {"fibrosis.resolution_rate_per_day": (0.004, 0.02, True)},
        ("fib_regress_d30", "fib_regress_d100", "sct_d30", "sct_d100_2012"),
        200,
    ),
    "ruxolitinib": Group(
        {
            "spleen.mass_weight": (0.0, 0.3, False),
            "spleen.cytokine_weight": (0.3, 0.7, False),
            "jak_stat.response_loss_rate_per_year": (0.1, 0.3, True),
            "genotypes.JAK2_V617F.inhibition_cost_per_year": (0.7, 3.0, True),
            "trial.cohort.patient.inhibition_cost.log_sd": (0.2, 1.0, False),
        },
        (
            "c1_svr35_w24", "c1_svr35_placebo", "c1_tss50_w24", "c1_vaf_w24", "c1_molresp", "rux_stop_1y",
            "rux_stop_3y",
        ),
        400,
    ),
    "polycythaemia": Group(
        {
            "genotypes.JAK2_V617F_HOM.red_cell_gain": (0.3, 1.2, False),
            "genotypes.JAK2_V617F_HOM.inhibition_cost_per_year": (2.0, 10.0, True),
        },
        ("resp_vaf_w32", "resp_vaf_w80", "resp_svr35_w32", "resp_hct_w32", "counts_pv_dx"),
        400,
    ),
    "counts": Group(
        {"genotypes.JAK2_V617F.platelet_gain": (3.0, 10.0, False)},
        ("counts_et_plt", "counts_pv_plt", "counts_pv_dx", "vaf_et_jak2"),
        60,
    ),
    # steepness and halves of what T cells answer to, then how fast they divide and what engagement spares them
    "antigen": Group(
        {
            "antigen.response_steepness": (1.0, 3.0, False),
            "antigen.lysis_half_molecules": (200.0, 500.0, True),
            "antigen.activation_half_molecules": (1000.0, 6000.0, True),
        },
        ("cd20_lysis_240", "cd20_lysis_high", "cd20_lytic_threshold", "cd20_cytokine_ratio"),
        120,
    ),
    "car_t": Group(
        {"car_t.division_rate_per_day": (0.889, 2.0, True), "car_t.grace_days": (0.0, 1.0, False)},
        ("zuma_d14_ratio", "stein_alpha_hl"),
        6,
    ),
    "rebound": Group(
        {"jak_stat.rebound_jak2": (0.2, 3.0, False)},
        ("rux_rds",),
        250,
    ),
}  # fmt: skip


def cost(target: Target, answer: Answer) -> float:
    """Weight times the squared way to the band, in half widths of it."""
    if answer.value is None:
        return 9.0 * target.weight
    low = -math.inf if target.low is None else target.low
    high = math.inf if target.high is None else target.high
    width = (high - low) / 2.0 if math.isfinite(high - low) else max(abs(low if math.isfinite(low) else high), 1e-9)
    away = max(low - answer.value, answer.value - high, 0.0) / width
    near = 0.0 if target.value is None else (answer.value - target.value) / width
    return target.weight * (min(away, 3.0) ** 2 + 0.01 * min(abs(near), 3.0) ** 2)


class Fit:
    """The experiments of a group, run at one point after another."""

    def __init__(self, group: Group, folder: Path, jobs: int) -> None:
        self.group, self.folder, self.jobs = group, folder, jobs
        self.experiments = []
        for path in target_files():
            file = read_targets(path)
            asked = {name: one for name, one in file.targets.items() if name in group.targets}
            assert all(one.role != "test" for one in asked.values()), "a figure of role test is never fitted"
            names = dict.fromkeys(one.experiment for one in asked.values() if one.experiment)
            for name, experiment in loaded(file, True, names).items():
                mine = {one: target for one, target in asked.items() if target.experiment == name}
                self.experiments.append((experiment, mine))

    def usual(self, path: str) -> float:
        """The value that is shipped, in the first experiment of the group."""
        content = YAML(typ="safe", pure=True).load(StringIO(self.experiments[0][0].study.to_yaml()))
        if not path.startswith("trial.cohort."):
            return float(load(content["scenario"]).get(path))
        name, part = path.removeprefix("trial.cohort.").rsplit(".", 1)
        return float(content["trial"]["cohort"][name][part])

    def at(self, values: dict[str, float]) -> dict[str, Any]:
        """Loss and the value of every target at a point."""
        found: dict[str, Any] = {**values, "loss": 0.0}
        for experiment, asked in self.experiments:
            # below the arms, as one of them may switch off what is fitted
            content = YAML(typ="safe", pure=True).load(StringIO(experiment.study.to_yaml()))
            content["scenario"] |= {path: value for path, value in values.items() if not path.startswith("trial.")}
            patients = {path: value for path, value in values.items() if path.startswith("trial.")}
            # the points of a sweep stay
            if content.get("trial"):
                patients["trial.patients"] = self.group.patients
            study = load_study(content, overrides=patients, trusted=True)
            done = replace(experiment, study=study).run(self.folder / "experiments", {"jobs": self.jobs}, None)
            for name, answer in answers(asked, study, done).items():
                found[name] = answer.value
                found["loss"] += cost(asked[name], answer)
        return found


def main() -> None:
    """Fit a group."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("group", choices=tuple(GROUPS))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--points", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    said = parser.parse_args()
    group, points = GROUPS[said.group], []
    fit = Fit(group, said.out, said.jobs)

    def loss(trial: optuna.Trial) -> float:
        values = {
            path: trial.suggest_float(path, low, high, log=log) for path, (low, high, log) in group.parameters.items()
        }
        points.append(fit.at(values))
        pd.DataFrame(points).to_csv(said.out / f"{said.group}.csv", index=False)
        print(", ".join(f"{name} {value:.4g}" for name, value in points[-1].items() if value is not None), flush=True)
        return float(points[-1]["loss"])

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=SEED))
    study.enqueue_trial({path: fit.usual(path) for path in group.parameters})
    said.out.mkdir(parents=True, exist_ok=True)
    study.optimize(loss, n_trials=said.points)
    print("best:", study.best_params, "loss", study.best_value)


if __name__ == "__main__":
    main()
