"""The metadata on the session's Postgres."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from modulo.adapters.postgres.engine import engine
from modulo.settings import Settings
from tests.conftest import Environment
from tests.metadata_world import Metadata, postgres_metadata, settings_of


@pytest.fixture(scope="module")
def settings(postgres: Environment) -> Settings:
    return settings_of(postgres)


@pytest.fixture(scope="module")
def stored(settings: Settings) -> Iterator[Metadata]:
    with postgres_metadata(settings) as metadata:
        yield metadata


@pytest.fixture
def pool(settings: Settings) -> Iterator[Engine]:
    made = engine(settings, settings.database_url)
    yield made
    made.dispose()
