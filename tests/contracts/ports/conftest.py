"""Where the ports of AWS find the local cloud."""

import pytest

from tests.conftest import Environment


@pytest.fixture
def cloud_environment(cloud: Environment, monkeypatch: pytest.MonkeyPatch) -> Environment:
    for name, value in cloud.items():
        monkeypatch.setenv(name, value)
    return cloud
