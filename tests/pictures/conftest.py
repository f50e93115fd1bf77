"""What several modules draw from."""

import pytest
from pictures import recordings


@pytest.fixture(scope="session")
def sweep(tmp_path_factory):
    """The folder of a small sweep."""
    return recordings.sweep(tmp_path_factory.mktemp("studies") / "sweep")


@pytest.fixture(scope="session")
def trial(tmp_path_factory):
    """The folder of a small trial with weights and with a plan of others."""
    return recordings.trial(tmp_path_factory.mktemp("studies") / "trial")
