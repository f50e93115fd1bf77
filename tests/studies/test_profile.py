"""A profile says what a machine offers; what is wrong with it is told all at once."""

import pytest

from mpn_abm.errors import MissingFileError, ScenarioError
from mpn_abm.studies.profile import read_profile, slurm_options


def profile(tmp_path, text):
    file = tmp_path / "machine.yaml"
    file.write_text(text)
    return read_profile(file)


def test_a_profile_is_read_with_its_units(tmp_path):
    said = profile(
        tmp_path,
        "{executor: slurm, jobs: 64, slurm: {partition: long, account: lab, time_hours: 2, memory_mb: 1.0e3, "
        "setup: 'module load python'}}",
    )
    assert (said.executor, said.jobs, said.scheduler) == ("slurm", 64, None)
    assert said.slurm.asked() == {
        "partition": "long",
        "account": "lab",
        "time_minutes": 120,
        "memory_mb": 1000,
        "setup": "module load python",
    }
    # what is asked can be said by a caller
    assert slurm_options(said.slurm.asked()) == said.slurm
    assert profile(tmp_path, "schema: mpn-abm/1\nscheduler: tcp://head:8786").scheduler == "tcp://head:8786"


def test_all_mistakes_are_told_at_once_and_where_they_stand(tmp_path):
    with pytest.raises(ScenarioError) as caught:
        profile(
            tmp_path,
            "executor: slrum\njob: 4\nextends: x.yaml\nslurm:\n  partitoin: long\n  account: 'a b'\n"
            "  time_minutes: 0\n  memory_mb: 1.5\n  setup: [1]\n",
        )
    told = str(caught.value).splitlines()
    expected = [
        ("1:1: executor: slrum: expected one of local, dask, slurm", "did you mean 'slurm'?"),
        ("2:1: job: unknown key", "did you mean 'jobs'?"),
        ("3:1: extends: unknown key", "expected one of executor, jobs, scheduler, slurm"),
        ("5:3: slurm.partitoin: unknown key", "did you mean 'partition'?"),
        ("6:3: slurm.account: a b: expected the name of an account, without spaces", ""),
        ("7:3: slurm.time_minutes: 0: expected 1 to 525600 minutes", ""),
        ("8:3: slurm.memory_mb: 1.5: expected a whole number", ""),
        ("9:3: slurm.setup: [1]: expected text", ""),
    ]
    assert len(told) == len(expected)
    for line, (begin, end) in zip(told, expected, strict=True):
        assert line.startswith(f"{tmp_path / 'machine.yaml'}:{begin}"), line
        assert line.endswith(end), line


def test_a_line_of_a_shell_cannot_come_in_with_a_name(tmp_path):
    with pytest.raises(ScenarioError, match=r"slurm.partition: .*without spaces"):
        profile(tmp_path, 'slurm: {partition: "x\\n#SBATCH --uid=0"}')


def test_a_caller_is_told_of_words_that_slurm_does_not_take():
    with pytest.raises(ScenarioError, match=r"slurm\.partion: unknown key, did you mean 'partition'\?"):
        slurm_options({"partion": "long"})


def test_a_profile_that_is_not_there(tmp_path):
    with pytest.raises(MissingFileError, match=r"none\.yaml: No such file"):
        read_profile(tmp_path / "none.yaml")
