"""Small studies for the tests: two clones on 8 x 8 sites for four weeks."""

from unit.small import bare

import mpn_abm.scenario.studies.study_file as study_file

VAF, DOSE = "clones.mutant.vaf", "treatments.ruxolitinib.dose_mg"
DRUG = {"ruxolitinib": {"dose_mg": 20, "times_per_day": 2, "start_day": 0}}
ARMS = {"control": {}, "treated": {"treatments": DRUG}}


def base(**blocks):
    """The scenario below a study, with a clone of which the vaf can be set."""
    clones = {"healthy": {"genotype": "wild_type"}, "mutant": {"genotype": "JAK2_V617F", "vaf": 0.2}}
    return {key: value for key, value in bare(clones=clones, **blocks).items() if key != "schema"}


def sweep(parameters, scenario=None, **block):
    """A sweep over parameters."""
    return {"scenario": scenario or base(), "sweep": {"parameters": parameters, **block}}


def trial(scenario=None, arms=ARMS, beside=None, **block):
    """A trial of ten patients in two arms."""
    said = {"patients": 10, "seed": 5, "arms": arms, **block}
    return {"scenario": scenario or base(), "trial": {k: v for k, v in said.items() if v is not None}, **(beside or {})}


def load(content, **options):
    """The study of a mapping."""
    return study_file.load_study(content, **options)
