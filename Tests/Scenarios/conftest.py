"""Fixtures: the real MCP servers (one each for the whole run), the gateway, and the secrets whose traces are searched for."""

import pytest
from sdk import fixture_server


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """The directory under which everything that is started writes."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def modern(runs):
    with fixture_server("modern", runs) as server:
        yield server


@pytest.fixture(scope="session")
def session(runs):
    with fixture_server("session", runs) as server:
        yield server


@pytest.fixture(scope="session")
def sse(runs):
    with fixture_server("sse", runs) as server:
        yield server
