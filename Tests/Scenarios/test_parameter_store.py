"""Parameter Store as the secret store: what AWS's own tools put is used, what is deposited AWS's own tools see; every request is really signed."""

import json
import os
import re
import socket

import pytest
from canaries import canary
from conftest import next_directory
from fault_relay import FaultRelay
from gateway import ALICE, BOB, agent, command, header, world
from parameter_store import AWS, PREFIX, REGION, reference, secret_of
from processes import ROOT, eventually, refusing_port
from upstream import Upstream
from wire import JSON, ask, request, rpc


def allowing(*actions):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}


def documented():
    """The two policies of the documentation: their actions. moto knows no resources and no conditions."""
    text = (ROOT / "Sources/Credentials/Documentation.docc/ParameterStore.md").read_text()
    for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL):
        actions = [statement["Action"] for statement in json.loads(block)["Statement"]]
        yield allowing(*(action for entry in actions for action in ([entry] if isinstance(entry, str) else entry)))


READING, WRITING = documented()


@pytest.fixture(scope="module")
def aws(runs):
    with AWS(next_directory(runs)) as aws:
        aws.writer = aws.user("gateway-writing", WRITING)
        aws.reader = aws.user("gateway-reading", READING)
        yield aws


def telling(seen, peer):
    """Answers with the Authorization it saw."""
    body = (seen["authorization"] or "none").encode()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body)


@pytest.fixture
def served(start, aws):
    """Starts a gateway on that store: `served(keys, store…, cache=…)`."""
    with Upstream(telling) as upstream:
        def serve(keys=None, *, cache=None, store=None, ready=True, environment=None):
            config = world({"crm": header(upstream.url), "shared": header(upstream.url)}, instances={"shared": {"level": "project"}},
                           gateway={"workers": 2}, secrets=store or aws.store(), **({"cache": cache} if cache else {}))
            gateway = start(config, environment=aws.environment(keys or aws.writer) | (environment or {}), ready=ready)
            gateway.upstream = upstream
            return gateway

        yield serve


def call(gateway, user=ALICE, server="crm"):
    return ask(gateway.port, "POST", f"/mcp/{server}", agent(user) | JSON, rpc())


def token(gateway, user=ALICE, server="crm"):
    answer = call(gateway, user, server)
    return answer.body.decode().removeprefix("Bearer ") if answer.status == 200 and not answer["x-claviger-refusal"] else answer["x-claviger-refusal"]


def test_what_awss_own_tools_put_is_injected(aws, served):
    values = {ALICE: secret_of("alice"), BOB: secret_of("bob")}
    for user, value in values.items():
        aws.put(reference("crm", user), token=value)
    aws.put(reference("shared"), token=(shared := secret_of("shared")))
    gateway = served(aws.reader)
    assert {user: token(gateway, user) for user in values} == values
    assert token(gateway, server="shared") == shared
    assert token(gateway, "nobody@acme.com") == "credential_missing"


DEPOSITOR = "depositor@acme.com"


def test_what_is_deposited_awss_own_tools_see(aws, served):
    key = aws.client("kms").create_key()["KeyMetadata"]["KeyId"]
    aws.client("kms").create_alias(AliasName="alias/claviger", TargetKeyId=key)
    gateway = served(store=aws.store(kms_key="alias/claviger", tier="intelligent"))
    value = canary("deposited") + '\\"/'
    gateway.deposit("crm", DEPOSITOR, token=value)
    found = aws.get(reference("crm", DEPOSITOR))
    assert (found["fields"], found["Type"]) == ({"token": value}, "SecureString")
    described = aws.client("ssm").describe_parameters(Filters=[{"Key": "Name", "Values": [reference("crm", DEPOSITOR)]}])["Parameters"][0]
    assert (described["KeyId"], described.get("Tier")) == ("alias/claviger", "Intelligent-Tiering")
    assert token(gateway, DEPOSITOR) == value
    gateway.deposit("crm", DEPOSITOR, token=(second := canary("second")))
    assert token(gateway, DEPOSITOR) == second and aws.get(reference("crm", DEPOSITOR))["Version"] == 2


def test_a_deletion_is_in_force_at_once_and_in_the_store(aws, served):
    gateway = served()
    gateway.deposit("crm", BOB, token=secret_of("bob"))
    assert aws.get(reference("crm", BOB)) and token(gateway, BOB) != "credential_missing"
    gateway.withdraw("crm", BOB)
    assert aws.get(reference("crm", BOB)) is None and token(gateway, BOB) == "credential_missing"
    done = gateway.command("credential", "delete", "--project", "acme", "--server", "crm", "--user", BOB)
    assert done.returncode == 1 and "no such credential" in done.stderr.lower()


def test_a_listing_goes_through_all_pages(aws, served):
    users = [f"listed{number}@acme.com" for number in range(23)]
    for user in users:
        aws.put(reference("crm", user), token=secret_of("listed"))
    aws.put("/claviger/acme2/shared/crm", token=secret_of("other"))
    gateway = served()
    gateway.deposit("crm", users[0], token=secret_of("listed"))
    done = gateway.command("credential", "list", "--project", "acme")
    assert done.returncode == 0 and users[0] in done.stdout
    paths = [p["Name"] for page in aws.client("ssm").get_paginator("get_parameters_by_path").paginate(Path=f"{PREFIX}/acme", Recursive=True) for p in page["Parameters"]]
    assert len(done.stdout.strip().splitlines()) - 1 == len(paths) >= 23


def test_a_rotation_underneath_is_seen_when_the_time_is_over(aws, served):
    aws.put(reference("crm", ALICE), token=(old := secret_of("old")))
    gateway = served(aws.reader, cache={"ttl": "1s"})
    assert token(gateway) == old
    aws.put(reference("crm", ALICE), token=(new := secret_of("new")))
    assert eventually(lambda: token(gateway) == new, 5)


def test_a_parameter_that_is_not_encrypted_is_not_used(aws, served):
    aws.client("ssm").put_parameter(Name=reference("crm", "plain@acme.com"), Value='{"token":"plain"}', Type="String")
    gateway = served(aws.reader)
    answer = call(gateway, "plain@acme.com")
    assert (answer.status, answer["x-claviger-refusal"]) == (502, "credential_invalid")
    eventually(lambda: "SecureString" in gateway.log())


def test_a_value_longer_than_its_tier_is_refused_with_the_setting(aws, served):
    gateway = served()
    done = gateway.command("credential", "set", "--project", "acme", "--server", "crm", "--user", ALICE, input=f"token={'x' * 5000}\n")
    assert done.returncode == 1 and "tier: intelligent" in done.stderr and "xxx" not in done.stderr


# Permissions


def test_a_wrong_secret_key_is_said_and_nothing_is_injected(aws, served):
    gateway = served((aws.writer[0], "wrong" * 8))
    answer = call(gateway)
    assert (answer.status, answer["x-claviger-refusal"]) == (503, "store_unavailable") and int(answer["retry-after"]) >= 1
    assert not gateway.upstream.requests
    eventually(lambda: "secret access key is not the one of the access key" in gateway.log())


def test_without_permission_the_action_is_named(aws, served):
    gateway = served(aws.user("gateway-without", allowing("ssm:GetParametersByPath")))
    assert token(gateway) == "store_unavailable"
    eventually(lambda: "ssm:GetParameters" in gateway.log())
    gateway = served(aws.reader)
    done = gateway.command("credential", "set", "--project", "acme", "--server", "crm", "--user", ALICE, input=f"token={canary('denied')}\n")
    assert done.returncode == 1 and "ssm:PutParameter" in done.stderr


# Start and check


def test_without_a_region_it_does_not_start(aws, served):
    gateway = served(store={"parameter_store": {"endpoint": aws.endpoint}}, ready=False)
    gateway.process._child.wait(20)
    assert gateway.process._child.returncode == 78 and "AWS_REGION" in gateway.log()


def test_the_environment_names_the_region(aws, served):
    gateway = served(store={"parameter_store": {"endpoint": aws.endpoint}}, environment={"AWS_REGION": REGION})
    assert eventually(lambda: f"Parameter Store of {REGION}" in gateway.log() and "it answers" in gateway.log())


def test_a_store_on_this_machine_is_asked_past_any_proxy(aws, served):
    aws.put(reference("crm", ALICE), token=(value := secret_of("direct")))
    proxy = f"http://127.0.0.1:{refusing_port()}"
    gateway = served(aws.reader, environment={"http_proxy": proxy, "HTTPS_PROXY": proxy, "ALL_PROXY": proxy, "NO_PROXY": "", "no_proxy": ""})
    assert token(gateway) == value


def test_without_credentials_it_does_not_start(aws, served, tmp_path):
    gateway = served(("", ""), environment={"HOME": str(tmp_path)}, ready=False)
    gateway.process._child.wait(20)
    assert gateway.process._child.returncode == 78 and "no AWS credentials" in gateway.log()


def test_it_starts_without_the_store_and_serves_when_it_comes(aws, served):
    aws.put(reference("crm", ALICE), token=(value := secret_of("late")))
    relay = FaultRelay(aws.port)
    relay.leave()
    gateway = served(store=aws.store(relay.endpoint))
    answer = call(gateway)
    assert (answer.status, answer["x-claviger-refusal"]) == (503, "store_unavailable") and int(answer["retry-after"]) >= 1
    relay.come_back()
    assert eventually(lambda: token(gateway) == value, 20, every=0.2)
    relay.leave()


def test_status_says_where_the_store_is_and_who_we_are_there(aws, served):
    gateway = served()
    token(gateway)
    text = gateway.command("status").stdout
    assert "parameter_store" in text and aws.endpoint in text and REGION in text and "circuit closed" in text and "credentials from environment" in text
    assert aws.writer[1] not in text


def check(config, directory, environment):
    (directory / "gateway.yaml").write_text(json.dumps(config))
    return command("check", "--online", "--config", directory, environment=dict(os.environ, **environment))


def test_check_online_asks_the_store(aws, tmp_path, upstream):
    servers = {"crm": header(upstream.url)}
    good = check(world(servers, secrets=aws.store()), tmp_path, aws.environment(aws.reader))
    assert good.returncode == 0 and "it answers" in good.stdout, good
    wrong = check(world(servers, secrets=aws.store()), tmp_path, aws.environment((aws.reader[0], "wrong" * 8)))
    assert wrong.returncode == 78 and "secret access key" in wrong.stderr and "secrets.parameter_store: " in wrong.stderr
    denied = check(world(servers, secrets=aws.store()), tmp_path, aws.environment(aws.user("gateway-checking", allowing("iam:GetUser"))))
    assert denied.returncode == 78 and f"ssm:GetParameters on {PREFIX}/_check" in denied.stderr
    nobody = check(world(servers, secrets=aws.store(f"http://127.0.0.1:{refusing_port()}")), tmp_path, aws.environment(aws.reader))
    assert nobody.returncode == 78 and REGION in nobody.stderr and nobody.stderr.count("127.0.0.1") == 1 and "does something listen there" in nobody.stderr
    other = check(world(servers, secrets=aws.store(upstream.url.removesuffix("/mcp"))), tmp_path, aws.environment(aws.reader))
    assert other.returncode == 78 and "endpoint" in other.stderr
    assert check(world(servers), tmp_path, {}).returncode == 0


# Considerate


def storm(gateway, users):
    """A connection for each user's one request; all are sent before an answer is read."""
    connections = []
    for user in users:
        connection = socket.create_connection(("127.0.0.1", gateway.port), timeout=30)
        connections.append((user, connection))
    for user, connection in connections:
        connection.sendall(request("POST", "/mcp/crm", agent(user) | JSON, rpc()))
    answers = {}
    for user, connection in connections:
        answers.setdefault(user, []).append(connection.recv(65536))
        connection.close()
    return answers


@pytest.fixture
def counted(aws, served):
    """A gateway whose calls are counted, once its first word was said."""
    relay = FaultRelay(aws.port)
    gateway = served(aws.reader, store=aws.store(relay.endpoint))
    eventually(lambda: "it answers" in gateway.log())
    relay.calls.clear()
    relay.log.clear()
    gateway.relay = relay
    yield gateway
    relay.leave()


def test_a_thousand_first_requests_of_one_user_are_one_call(aws, counted):
    aws.put(reference("crm", "storm@acme.com"), token=(value := secret_of("storm")))
    answers = storm(counted, ["storm@acme.com"] * 1000)["storm@acme.com"]
    assert len(answers) == 1000 and all(value.encode() in answer for answer in answers)
    assert dict(counted.relay.calls) == {"GetParameters": 1}


def test_a_thousand_users_are_at_most_150_calls_within_the_quota(aws, counted):
    users = [f"storm{number}@acme.com" for number in range(1000)]
    values = {user: secret_of("storm") for user in users[::20]}
    for user, value in values.items():
        aws.put(reference("crm", user), token=value)
    answers = storm(counted, users)
    for user in users:
        expected = values[user] if user in values else "credential_missing"
        assert expected.encode() in answers[user][0], answers[user]
    assert set(counted.relay.calls) == {"GetParameters"} and counted.relay.calls["GetParameters"] <= 150
    times = sorted(entry[0] for entry in counted.relay.log)
    # Thirty leave in any second, which a unit test counts; what is held up on its way may arrive closer together, and must stay within AWS's forty.
    assert max(sum(1 for time in times if first <= time < first + 1) for first in times) <= 40
