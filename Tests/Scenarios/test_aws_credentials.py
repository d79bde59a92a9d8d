"""The gateway's own AWS credentials, from every source. What each gives signs reads of the store that moto verifies; what ends is renewed before."""

import json
import os
import stat
import time

import pytest
from aws_sources import Sources
from canaries import canary
from conftest import next_directory
from fault_relay import FaultRelay
from gateway import ALICE, agent, header, world
from parameter_store import ACCOUNT, AWS, EVERYTHING, REGION, reference, secret_of
from processes import eventually
from upstream import Upstream
from wire import JSON, ask, rpc

TRUSTING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
READING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ssm:GetParameters", "Resource": "*"}]}
ASSUMING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}
ROLE, MIDDLE = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("gateway", "middle"))


@pytest.fixture(scope="module")
def aws(runs):
    with AWS(next_directory(runs)) as aws:
        iam = aws.client("iam")
        for name, policy in (("gateway", READING), ("middle", ASSUMING)):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUSTING))
            iam.put_role_policy(RoleName=name, PolicyName="scenario", PolicyDocument=json.dumps(policy))
        # May take a role on, and read nothing itself.
        aws.bare = aws.user("may-assume", ASSUMING)
        aws.reader = aws.user("may-read", READING)
        aws.value = secret_of("alice")
        aws.put(reference("crm", ALICE), token=aws.value)
        yield aws


@pytest.fixture
def sources(aws):
    with Sources(aws, ROLE) as sources:
        yield sources


def telling(seen, peer):
    body = (seen["authorization"] or "none").encode()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body)


@pytest.fixture
def served(start, aws, runs):
    """Starts a gateway with nothing of AWS but what is given: `served(variables, config=…, credentials=…)`."""
    with Upstream(telling) as upstream:
        def serve(variables, *, config="", credentials="", endpoint=None, cache=None, ready=True):
            home = next_directory(runs)
            (home / ".aws").mkdir()
            for name, text in (("config", config), ("credentials", credentials)):
                (home / ".aws" / name).write_text(text)
                (home / ".aws" / name).chmod(0o600)
            empty = {name: "" for name in os.environ if name.startswith("AWS_")}
            environment = empty | {"HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL_STS": aws.endpoint} | variables
            settings = world({"crm": header(upstream.url)}, secrets=aws.store(endpoint), **({"cache": cache} if cache else {}))
            gateway = start(settings, environment=environment, ready=ready)
            gateway.home = home
            return gateway

        yield serve


def token(gateway):
    answer = ask(gateway.port, "POST", "/mcp/crm", agent(ALICE) | JSON, rpc())
    return answer.body.decode().removeprefix("Bearer ") if answer.status == 200 and not answer["x-claviger-refusal"] else answer["x-claviger-refusal"]


def keys(pair, profile):
    return f"[{profile}]\naws_access_key_id = {pair[0]}\naws_secret_access_key = {pair[1]}\n"


def standing(gateway):
    done = gateway.command("status", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["store"]["remote"]


def test_keys_of_the_environment_and_of_a_profile(aws, served):
    access, secret = aws.reader
    gateway = served({"AWS_ACCESS_KEY_ID": access, "AWS_SECRET_ACCESS_KEY": secret}, credentials=keys(("AKIANOBODY", "x"), "default"))
    assert token(gateway) == aws.value
    assert standing(gateway)["credentials"] == "environment"
    gateway = served({"AWS_PROFILE": "ops"}, credentials=keys(aws.reader, "ops") + keys(("AKIANOBODY", "x"), "default"))
    assert token(gateway) == aws.value
    assert standing(gateway)["credentials"] == f"profile ops of {gateway.home}/.aws/credentials"
    assert "credentials_expire" not in standing(gateway)
    assert "everyone may read" not in gateway.log()


def test_a_role_with_a_source_profile(aws, served):
    gateway = served({}, config=f"[default]\nrole_arn = {ROLE}\nsource_profile = base\n", credentials=keys(aws.bare, "base"))
    assert token(gateway) == aws.value
    remote = standing(gateway)
    assert remote["credentials"] == f"profile default (role {ROLE}), as profile base of {gateway.home}/.aws/credentials"
    ahead = time.mktime(time.strptime(remote["credentials_expire"][:19], "%Y-%m-%dT%H:%M:%S")) - time.mktime(time.gmtime())
    assert 3500 < ahead < 3700, "an hour is what STS gives"
    assert f"until {remote['credentials_expire']}" in gateway.command("status").stdout


def test_a_chain_of_roles(aws, served):
    config = (f"[profile ops]\nrole_arn = {ROLE}\nsource_profile = middle\nrole_session_name = chained\n"
              f"[profile middle]\nrole_arn = {MIDDLE}\nsource_profile = base\n")
    gateway = served({"AWS_PROFILE": "ops"}, config=config, credentials=keys(aws.bare, "base"))
    assert token(gateway) == aws.value
    assert standing(gateway)["credentials"].startswith(f"profile ops (role {ROLE}), as profile middle (role {MIDDLE}), as profile base")


def test_a_program(aws, served, sources, tmp_path):
    given = sources.mint()
    output = {"Version": 1, "SessionToken": given.pop("Token")} | given
    script = tmp_path / "get credentials"
    script.write_text(f"#!/bin/sh\n[ \"$1\" = 'a b' ] && [ -z \"$NOTIFY_SOCKET\" ] || exit 9\necho {canary('stderr')} >&2\ncat <<'END'\n{json.dumps(output)}\nEND\n")
    script.chmod(0o700)
    gateway = served({"NOTIFY_SOCKET": "/nowhere"}, config=f"[default]\ncredential_process = '{script}' \"a b\"\n")
    assert token(gateway) == aws.value
    assert standing(gateway)["credentials"] == "credential_process of profile default"


def test_a_web_identity(aws, served, sources, tmp_path):
    file = tmp_path / "token"
    file.write_text(sources.token + "\n")
    for sources.as_xml in (False, True):
        gateway = served({"AWS_WEB_IDENTITY_TOKEN_FILE": str(file), "AWS_ROLE_ARN": ROLE, "AWS_ENDPOINT_URL_STS": sources.endpoint})
        assert token(gateway) == aws.value
        assert standing(gateway)["credentials"] == f"web identity token {file} (role {ROLE})"


def test_a_container_endpoint(aws, served, sources, tmp_path):
    # As Kubernetes lays tokens down: a link to where they are.
    (tmp_path / "data").write_text(sources.token + "\n")
    (tmp_path / "token").symlink_to("data")
    gateway = served({"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{sources.endpoint}/container", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": f"{tmp_path}/token"})
    assert token(gateway) == aws.value
    assert standing(gateway)["credentials"] == "container endpoint 127.0.0.1"


def test_instance_metadata_version_2(aws, served, sources):
    gateway = served({"AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": sources.endpoint})
    assert token(gateway) == aws.value
    assert standing(gateway)["credentials"] == "instance metadata (role instance-role)"
    assert sources.asked[0] == ("PUT", "/latest/api/token")


def test_what_ends_is_renewed_before_and_no_call_fails(aws, served, sources):
    """Lives of ten seconds, renewed in their middle; a call a second reads the store, and the relay refuses what has ended."""
    sources.life, used = 10, []
    with FaultRelay(aws.port) as relay:
        relay.fault = sources.expiring(used)
        gateway = served({"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{sources.endpoint}/container", "AWS_CONTAINER_AUTHORIZATION_TOKEN": sources.token},
                         endpoint=relay.endpoint, cache={"ttl": "1s"})
        began = time.monotonic()
        while time.monotonic() - began < 18:
            assert token(gateway) == aws.value, gateway.log()[-2000:]
            # From the first renewal on the source fails, until that was noticed, which is long before the credentials end.
            sources.broken = len({key for key, _ in used}) == 2 and "AWS credentials not renewed" not in gateway.log()
            time.sleep(0.1)
    assert all(good for _, good in used), used
    assert 3 <= len({key for key, _ in used}) <= 5
    assert "AWS credentials not renewed, the present ones (container endpoint 127.0.0.1) serve until their end" in gateway.log()
    assert " refusal=" not in gateway.log()


def test_a_source_that_is_configured_and_broken_is_named_and_nothing_stands_in_for_it(aws, served, sources):
    for config, words in (
        ("[default]\nrole_arn = r\nsource_profile = a\n[profile a]\nrole_arn = s\nsource_profile = default\n", "in a circle: default → a → default"),
        ("[default]\nsso_session = x\n", "aws configure export-credentials --profile default"),
        ("[default]\nnonsense\n", ".aws/config:2: neither a [section] nor a setting"),
    ):
        gateway = served({"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{sources.endpoint}/container", "AWS_CONTAINER_AUTHORIZATION_TOKEN": sources.token},
                         config=config, ready=False)
        eventually(lambda: not gateway.process.is_running)
        assert words in gateway.log()
    assert sources.asked == []


def test_with_nothing_configured_the_daemon_says_what_it_looked_at(served):
    gateway = served({}, ready=False)
    eventually(lambda: not gateway.process.is_running)
    for word in ("AWS_ACCESS_KEY_ID is not set", "profile default", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_EC2_METADATA_DISABLED"):
        assert word in gateway.log()


def test_a_program_that_fails_is_run_again_and_what_it_writes_is_never_said(aws, served, sources, tmp_path):
    script, secret = tmp_path / "get", canary("program")
    script.write_text(f"#!/bin/sh\necho {secret}\necho {secret} >&2\nexit 3\n")
    script.chmod(0o700)
    gateway = served({}, config=f"[default]\ncredential_process = {script}\n")
    assert token(gateway) == "store_unavailable"
    given = sources.mint()
    output = {"Version": 1, "SessionToken": given.pop("Token")} | given
    script.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(output)}\nEND\n")
    eventually(lambda: token(gateway) == aws.value, seconds=40, every=0.5)
    eventually(lambda: "it ended with exit status 3" in gateway.log())
    assert secret not in gateway.log()


def test_a_credentials_file_that_everyone_may_read_is_warned_of(aws, served):
    gateway = served({}, credentials=keys(aws.reader, "default"))
    path = gateway.home / ".aws/credentials"
    gateway.process.end()
    path.chmod(stat.S_IRUSR | stat.S_IROTH)
    gateway.start()
    assert token(gateway) == aws.value
    eventually(lambda: f"chmod 600 {path}" in gateway.log())
    gateway.process.end()
    assert gateway.log().count(f"chmod 600 {path}") == 1
