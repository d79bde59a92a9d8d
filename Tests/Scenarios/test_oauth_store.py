"""The secret store fails while tokens are refreshed: nothing that a provider gave is lost, and nothing is asked of it in vain."""

import json
import time

import pytest
from conftest import next_directory
from fault_relay import Faults as StoreFaults
from fault_relay import FaultRelay, field, KEEP
from gateway import ALICE
from oauth_scene import metrics
from parameter_store import AWS, reference
from processes import eventually
from provider import Provider


@pytest.fixture(scope="module")
def aws(runs):
    with AWS(next_directory(runs)) as running:
        yield running


@pytest.fixture
def relay(aws):
    with FaultRelay(aws.port) as running:
        yield running


made = iter(range(1000))


def with_store(scene, aws, relay, life):
    prefix = f"/oauth{next(made)}"
    provider = Provider(life=life)
    found = scene(provider, sections={"secrets": aws.store(endpoint=relay.endpoint, prefix=prefix)}, environment=aws.environment())
    found.stored = lambda: (aws.get(reference("crm", ALICE, prefix=prefix) + ".grant") or {}).get("fields", {})
    return found


def only(operation, fault):
    """The fault for one operation; the others pass."""
    def either(relay, connection, message):
        if field(message[0], b"x-amz-target").decode().endswith(operation):
            return fault(relay, connection, message)
        connection.sendall(relay.forward(message))
        return KEEP
    return either


@pytest.mark.parametrize("fault", [StoreFaults.hang, StoreFaults.internal_errors], ids=lambda fault: fault.__name__)
def test_a_grant_that_the_store_does_not_confirm_is_used_and_written_later(scene, aws, relay, fault):
    scene = with_store(scene, aws, relay, life=5)
    scene.connect()
    assert scene.stored()["refresh_token"] == scene.family.current
    relay.fault = only("PutParameter", fault)
    old = scene.family.current
    began = time.monotonic()
    while scene.family.rotations == 0 and time.monotonic() < began + 6:
        scene.good()
        time.sleep(0.05)
    assert scene.family.rotations == 1 and scene.stored()["refresh_token"] == old
    eventually(lambda: scene.good() and "kept in memory" in scene.gateway.log() and unsaved(scene) == 1, 4, 0.05)
    assert scene.resource.bad == {}
    status = json.loads(scene.gateway.command("status", "--json").stdout)
    assert status["oauth"]["unsaved"] == 1
    relay.fault = None
    relay.close_connections()
    eventually(lambda: scene.good() and scene.stored()["refresh_token"] == scene.family.current, 40, 0.1)
    eventually(lambda: unsaved(scene) == 0)
    assert scene.provider.older_shown == 0
    scene.gateway.process.end()
    scene.gateway.start()
    scene.good()
    assert (scene.provider.older_shown, scene.provider.families_revoked) == (0, 0)


def unsaved(scene):
    [value] = [float(value) for name, value in metrics(scene.gateway).items() if "unsaved" in name]
    return value


def test_no_refresh_begins_while_the_circuit_is_open_and_the_token_lives(scene, aws, relay):
    scene = with_store(scene, aws, relay, life=10)
    scene.connect()
    began = time.monotonic()
    scene.good()
    relay.leave()
    # A miss of another person's has the store asked, until the circuit opens.
    def is_open():
        scene.ask("stranger@acme.com")
        return json.loads(scene.gateway.command("status", "--json").stdout)["store"]["remote"]["circuit"] == "open"
    eventually(is_open, 5)
    while time.monotonic() < began + 7:
        scene.good()
        time.sleep(0.05)
    assert scene.refreshes == 0
    relay.come_back()
    scene.refreshed(1, 20)
    eventually(lambda: scene.stored()["refresh_token"] == scene.family.current, 20)
    assert scene.resource.bad == {}


def test_a_daemon_that_ends_writes_what_the_store_has_not_confirmed(scene, aws, relay):
    scene = with_store(scene, aws, relay, life=3)
    scene.connect()
    relay.fault = only("PutParameter", StoreFaults.internal_errors)
    eventually(lambda: scene.good() and scene.family.rotations == 1, 6, 0.05)
    eventually(lambda: unsaved(scene) == 1)
    relay.fault = None
    scene.gateway.process.end()
    assert scene.stored()["refresh_token"] == scene.family.current
