"""Tokens stay good: refreshed ahead and one at a time, through rotation, lost answers and outages; and what is over is said to be over."""

import concurrent.futures
import time

import pytest
from gateway import ALICE, BOB
from oauth_scene import metrics
from processes import eventually
from protected import Protected
from provider import Faults, Provider, slow
from wire import rpc

OVER = [Faults.invalid_grant, Faults.invalid_grant_as_401, Faults.empty_400, Faults.invalid_code_as_403]
PASSING = [Faults.internal_error, Faults.unavailable, Faults.too_many, Faults.no_json, Faults.huge, slow(20)]


def names(fault):
    return getattr(fault, "__name__", "slow")


def restart(scene):
    scene.gateway.process.end()
    scene.gateway.start()


def calls(scene, count, user=ALICE):
    """So many at once."""
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return [each.result() for each in [pool.submit(scene.ask, user) for _ in range(count)]]


# While all is well.


def test_no_expired_token_goes_upstream_and_nobody_notices(scene):
    scene = scene(Provider(life=2))
    scene.connect()
    scene.refreshed(3)
    assert set(scene.resource.judged) <= {"good", "none"} and scene.provider.older_shown == 0


def test_fifty_who_come_first_cause_one_refresh(scene):
    scene = scene()
    scene.connect()
    restart(scene)
    assert [answer.status for answer in calls(scene, 50)] == [200] * 50
    assert scene.refreshes == 1 and scene.provider.at_once == 1


def test_the_new_refresh_token_is_in_the_store_before_its_access_token_is_used(scene):
    scene = scene(Provider(life=1))
    scene.connect()
    scene.refreshed(2)
    for _ in range(3):
        scene.gateway.process.end(how=9)
        scene.gateway.start()
        scene.good()
    assert (scene.provider.older_shown, scene.provider.families_revoked) == (0, 0)


@pytest.mark.parametrize("says", [False, None, 0, -5, 10**12, "3600", "soon", 3600.5, [1]], ids=repr)
def test_what_a_provider_says_of_a_life_is_borne(scene, says):
    scene = scene()
    scene.provider.says_life = says
    scene.connect()
    scene.good()
    restart(scene)
    scene.good()
    assert scene.refreshes == 1


def test_without_a_life_a_401_ends_it(scene):
    scene = scene(Provider(life=1))
    scene.provider.says_life = False
    scene.connect()
    scene.good()
    time.sleep(1)
    scene.good()
    assert scene.refreshes == 1 and scene.resource.bad == {"expired": 1}


def test_a_refresh_token_that_is_not_replaced_is_kept(scene):
    scene = scene(Provider(life=1))
    scene.provider.rotates = False
    scene.connect()
    eventually(lambda: scene.good() and scene.refreshes >= 2, 10, 0.05)
    restart(scene)
    scene.good()
    assert len({each["refresh_token"] for each in scene.provider.requests(grant_type="refresh_token")}) == 1


def test_a_provider_without_refresh_tokens_gives_what_it_gives(scene):
    scene = scene()
    scene.provider.gives_refresh = False
    scene.connect()
    scene.good()
    scene.provider.revoke_access()
    assert "/connect/acme/crm" in scene.refused("credential_rejected")


# Faults of the provider.


@pytest.mark.parametrize("fault", [Faults.unanswered, Faults.cut], ids=names)
def test_a_refresh_that_was_not_answered_is_sent_again(scene, fault):
    """With a provider that takes the token that it has replaced, as long as nobody has used the new one."""
    scene = scene(Provider(life=2))
    scene.provider.detects_reuse = False
    scene.connect()
    scene.provider.faults = [fault]
    scene.refreshed(2)
    assert scene.resource.bad == {} and not scene.provider.faults


def test_an_answer_that_is_truly_lost_ends_the_grant_and_the_gateway_says_so(scene):
    scene = scene(Provider(life=2))
    scene.connect()
    scene.good()
    scene.provider.faults = [Faults.lost]
    eventually(lambda: scene.ask()["x-claviger-refusal"] == "credential_rejected", 10, 0.05)
    assert scene.provider.families_revoked == 1
    assert "/connect/acme/crm" in scene.refused("credential_rejected")
    is_over(scene)
    scene.connect()
    scene.refreshed()


def is_over(scene):
    """What is listed says what to do."""
    [entry] = scene.grants()
    assert entry["rejected"] and "connect" in entry["remedy"], entry


@pytest.mark.parametrize("fault", OVER, ids=names)
def test_a_grant_that_is_over_is_one_persons_matter(scene, fault):
    scene = scene(Provider(life=2))
    scene.connect()
    scene.connect(BOB)
    hers = scene.provider.families[0]

    def only_hers(exchange):
        fault(exchange) if exchange.provider.refresh.get(exchange.asked["refresh_token"]) is hers else exchange.proceed()

    scene.provider.fault = only_hers
    eventually(lambda: scene.ask()["x-claviger-refusal"] == "credential_rejected", 10, 0.05)
    assert "/connect/acme/crm" in scene.refused("credential_rejected")
    for _ in range(5):
        scene.refused("credential_rejected")
        scene.good(BOB)
    tried = [scene.provider.refresh[each["refresh_token"]] for each in scene.provider.requests(grant_type="refresh_token")]
    assert tried.count(hers) == 1
    assert [each["user"] for each in scene.grants() if each.get("rejected")] == [ALICE]
    scene.provider.fault = None
    scene.connect()
    scene.good()


def test_an_outage_marks_nothing_and_the_token_serves_while_it_lives(scene):
    """Whatever its form: each provider fails in another, all at the same time."""
    scenes = [scene(Provider(life=9)) for _ in PASSING]
    with concurrent.futures.ThreadPoolExecutor(len(scenes)) as pool:
        for done in [pool.submit(through_an_outage, *each) for each in zip(scenes, PASSING)]:
            done.result()


def through_an_outage(scene, fault):
    scene.connect()
    scene.good()
    scene.provider.fault = fault
    # In the second half of its life another is asked for, and a second before its end it counts as over.
    eventually(lambda: scene.good() and scene.refreshes >= 1, 7.8, 0.05)
    answer = eventually(lambda: next((each for each in [scene.ask()] if each.status != 200), None), 15, 0.05)
    assert (answer.status, answer["x-claviger-refusal"]) == (503, "store_unavailable"), fault
    assert 1 <= int(answer["retry-after"]) <= 60
    assert scene.resource.bad == {}, "never an expired token"
    assert not any(each.get("rejected") for each in scene.grants())
    scene.provider.fault = None
    eventually(lambda: scene.ask().status == 200, 40, 0.1)


def test_the_provider_is_not_stormed_while_it_is_down(scene):
    scene = scene(Provider(life=1))
    scene.connect()
    scene.provider.fault = Faults.internal_error
    eventually(lambda: scene.ask().status == 503)
    before = scene.refreshes
    for _ in range(4):
        calls(scene, 25)
        time.sleep(0.25)
    assert scene.refreshes - before <= 2 and scene.provider.at_once == 1


# At call time.


def test_a_401_brings_one_refresh_and_one_replay(scene):
    scene = scene()
    scene.connect()
    scene.good()
    scene.provider.revoke_access()
    answers = calls(scene, 20)
    assert [answer.status for answer in answers] == [200] * 20
    assert scene.refreshes == 1
    assert scene.good() and scene.refreshes == 1


def test_a_401_to_a_body_that_is_not_kept_is_refused_and_the_next_call_goes_through(scene):
    scene = scene()
    scene.connect()
    scene.good()
    scene.provider.revoke_access()
    answer = scene.ask(body=rpc(text="x" * (65 << 10)))
    assert answer["x-claviger-refusal"] == "credential_rejected" or answer.status == 200
    scene.good()
    assert scene.refreshes <= 1


def test_a_second_401_is_refused_with_the_way_to_reconnect_and_forces_nothing_more(scene):
    scene = scene()
    scene.connect()
    scene.good()
    scene.resource.refuses = True
    assert "/connect/acme/crm" in scene.refused("credential_rejected")
    for _ in range(10):
        scene.refused("credential_rejected")
    assert scene.refreshes <= 1
    scene.resource.refuses = False
    scene.good()


def test_scopes_that_do_not_suffice_are_asked_for_at_the_next_connection(scene):
    provider = Provider()
    scene = scene(provider, resource=Protected(provider, scopes=["read"]))
    scene.connect()
    scene.good()
    scene.resource.needs = ["write", "admin"]
    words = scene.refused("credential_rejected")
    assert "needs more rights" in words and "/connect/acme/crm" in words
    assert scene.refreshes == 0, "a refresh gives no more scopes"
    scene.connect()
    assert set(provider.requests("authorize")[-1]["scope"].split()) == {"read", "write", "admin"}
    assert set(scene.good()["scopes"]) == {"read", "write", "admin"}


def test_what_is_told_in_metrics(scene):
    scene = scene(Provider(life=1))
    scene.connect()
    scene.refreshed(2)
    scene.provider.faults = [Faults.internal_error]
    eventually(lambda: scene.ask() and scene.refreshes > scene.family.rotations, 10, 0.05)
    eventually(lambda: scene.ask().status == 200 and scene.refreshes == scene.family.rotations + 1, 10, 0.1)
    scene.provider.fault = Faults.invalid_grant
    eventually(lambda: scene.ask()["x-claviger-refusal"] == "credential_rejected", 10, 0.05)
    told = metrics(scene.gateway)
    found = {result: float(told[f'claviger_oauth_token_requests_total{{result="{result}"}}']) for result in ("done", "refused", "ended")}
    assert found == {"done": scene.family.rotations, "refused": 1, "ended": 1}
