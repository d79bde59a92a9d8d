"""Fixtures: the real MCP servers (one each for the whole run), the gateway, and the secrets whose traces are searched for."""

import contextlib
import pathlib
import signal
import tempfile

import pytest
from box import Box, packaged
from canaries import canary
from gateway import ALICE, BOB, Gateway, header, world
from oauth_scene import Scene
from playwright.sync_api import sync_playwright
from sdk import fixture_server
from upstream import Upstream


# Whoever starts this in the background may have Ctrl-C ignored, and so would all that is started here.
signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture(scope="session")
def daemons(runs):
    """Starts gateways; each has a directory of its own under `runs`, and is ended by who started it."""
    return lambda config, **options: Gateway(next_directory(runs), config, **options)


@pytest.fixture(scope="module", params=[False, True], ids=["http", "https"])
def encrypted(request):
    """Whether agents come by TLS: what holds for one holds for the other."""
    return request.param


@pytest.fixture
def start(daemons):
    """Starts gateways that end with the scenario."""
    with contextlib.ExitStack() as stack:
        yield lambda config, **options: stack.enter_context(daemons(config, **options))


@pytest.fixture(scope="session")
def real_directory():
    """Where the OAuth providers that others wrote keep what they write; it is theirs, and no secret there is a leak of ours."""
    with tempfile.TemporaryDirectory() as directory:
        yield pathlib.Path(directory)


@pytest.fixture(scope="module")
def chromium():
    """A browser, in which every person has a profile of his own. It ends with the module: its event loop and another's cannot both run."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def scene(start):
    """Scenes with OAuth, made of what differs."""
    with contextlib.ExitStack() as stack:
        def make(*arguments, **options):
            made = Scene(start, *arguments, **options)
            stack.callback(made.end)
            return made
        yield make


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """The Debian package, made once."""
    return packaged(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def empty_box(tmp_path_factory):
    """A machine with a systemd of its own, on which nothing of ours is installed."""
    with Box(tmp_path_factory.mktemp("box")) as box:
        yield box


@pytest.fixture(scope="module")
def box(empty_box, package):
    """A machine on which the package has been installed."""
    empty_box.install(package)
    return empty_box


@pytest.fixture(scope="module")
def raw(box):
    """A scripted MCP server on the network of the module's box."""
    with box.network():
        peer = Upstream()
    with peer:
        yield peer


@pytest.fixture
def upstream():
    with Upstream() as peer:
        yield peer


def next_directory(runs):
    number = len(list(runs.iterdir()))
    while True:
        directory = runs / f"gateway-{number}"
        # Of two threads that come at once, one gets the next.
        with contextlib.suppress(FileExistsError):
            directory.mkdir()
            return directory
        number += 1


@pytest.fixture(scope="session")
def mcp(daemons, modern, session, sse):
    """One gateway for the scenarios with real MCP servers; `mcp.tokens[server, user]` is what was deposited."""
    servers = {
        "modern": header(modern.url),
        "older": header(session.url),
        "several": {"url": modern.url, "auth": "header", "headers": {"X-Key": "{key}", "X-Account": "a/{account}"}},
        "keyed": {"url": modern.origin + "/{key}/mcp", "auth": "path"},
        "asked": {"url": modern.url + "?fixed=1", "auth": "query", "query": {"api_key": "{key}"}},
        "open": {"url": modern.url, "auth": "none"},
        "shared": header(modern.url),
        "legacy": {"url": sse.url, "transport": "sse", "auth": "header", "headers": {"X-Key": "{key}"}},
    }
    config = world(servers, instances={"shared": {"level": "project"}}, gateway={"workers": 2}, log={"user": "hashed"})
    with daemons(config) as gateway:
        gateway.tokens = {}
        for name, fields in (("modern", "token"), ("older", "token"), ("several", "key account"), ("keyed", "key"),
                             ("asked", "key"), ("legacy", "key")):
            for user in (ALICE, BOB):
                values = {field: canary(f"{name}-{user[0]}-{field}") for field in fields.split()}
                gateway.tokens[name, user] = next(iter(values.values()))
                gateway.deposit(name, user, **values)
        gateway.tokens["shared", None] = canary("shared")
        gateway.deposit("shared", token=gateway.tokens["shared", None])
        yield gateway
