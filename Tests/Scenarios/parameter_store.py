"""AWS as the scenarios have it: moto's server with signatures and policies checked, and boto3 as the operator's own tools."""

import base64
import hashlib
import json
import os

import boto3
from botocore.config import Config
from canaries import canary
from processes import ROOT, Process, accepts, free_port

MOTO = ROOT / ".build/venv-aws/bin/moto_server"
REGION, PREFIX = "eu-west-1", "/claviger"
ACCOUNT = "123456789012"

# What README's documentation gives the gateway: its own prefix, nothing else.
RESOURCE = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{PREFIX}/*"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class AWS:
    """A running moto. The first three calls make the administrator; from then on every signature and policy is checked."""

    def __init__(self, directory):
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        environment = dict(os.environ, INITIAL_NO_AUTH_ACTION_COUNT="3", PYTHONUNBUFFERED="1")
        self.process = Process([MOTO, "-H", "127.0.0.1", "-p", self.port], directory / "moto.log", environment)
        self.process.ready(lambda: accepts(self.port))
        self.administrator = ("AKIAUNSIGNED", "unsigned")
        self.administrator = self.user("administrator", EVERYTHING)

    def client(self, service, keys=None):
        access, secret, *token = keys or self.administrator
        return boto3.client(service, region_name=REGION, endpoint_url=self.endpoint, aws_access_key_id=access, aws_secret_access_key=secret,
                            aws_session_token=token[0] if token else None, config=Config(retries={"max_attempts": 0}, read_timeout=10))

    def user(self, name, policy):
        """A new user's access key and secret key."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="scenario", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]

    def environment(self, keys=None):
        """What a gateway's environment says, so that it finds these credentials and no others."""
        access, secret, *token = keys or self.administrator
        empty = {name: "" for name in os.environ if name.startswith("AWS_")}
        return empty | {"AWS_ACCESS_KEY_ID": access, "AWS_SECRET_ACCESS_KEY": secret, "AWS_EC2_METADATA_DISABLED": "true"} | (
            {"AWS_SESSION_TOKEN": token[0]} if token else {})

    def store(self, endpoint=None, **more):
        """The configuration's `secrets` section."""
        return {"parameter_store": {"region": REGION, "prefix": PREFIX, "endpoint": endpoint or self.endpoint} | more}

    # As an operator does it, with AWS's own tools.

    def put(self, reference, **fields):
        self.client("ssm").put_parameter(Name=reference, Value=json.dumps(fields), Type="SecureString", Overwrite=True)

    def get(self, reference):
        """The parameter, with its fields under `fields`; None where there is none."""
        ssm = self.client("ssm")
        try:
            parameter = ssm.get_parameter(Name=reference, WithDecryption=True)["Parameter"]
        except ssm.exceptions.ParameterNotFound:
            return None
        return parameter | {"fields": json.loads(parameter["Value"])}

    def delete(self, reference):
        self.client("ssm").delete_parameter(Name=reference)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.end()


def reference(server, user=None, project="acme", prefix=PREFIX):
    """As contract.md computes it."""
    if user is None:
        return f"{prefix}/{project}/shared/{server}"
    digest = base64.b32encode(hashlib.sha256(user.encode()).digest()).decode().rstrip("=").lower()
    return f"{prefix}/{project}/users/{digest}/{server}"


def secret_of(user):
    """A canary that shows whose it is."""
    return canary(f"ps-{user[:8]}")
