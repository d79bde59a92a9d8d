"""Where AWS credentials come from, as AWS runs it: container endpoint, instance metadata and STS for web identities. What they give, moto has minted."""

import datetime
import json
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from canaries import canary
from fault_relay import KEEP, answer, field

XML = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>
<AccessKeyId>{AccessKeyId}</AccessKeyId><SecretAccessKey>{SecretAccessKey}</SecretAccessKey><SessionToken>{Token}</SessionToken>
<Expiration>{Expiration}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""


class Sources:
    """One server for all of them. It gives nothing without the token that is due; `life` is how long what it gives is good for."""

    def __init__(self, aws, role):
        self.aws, self.role, self.life = aws, role, 3600
        self.token, self.session = canary("source-token"), canary("metadata-session")
        self.as_xml, self.broken = False, False
        self.minted, self.asked = {}, []
        sources = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def handle_any(self):
                body = self.rfile.read(int(self.headers["content-length"] or 0)).decode()
                sources.asked.append((self.command, self.path))
                status, text = (500, "broken") if sources.broken else sources.answer(self.command, self.path, self.headers, body)
                self.send_response(status)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_PUT = do_POST = handle_any

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, method, path, headers, body):
        match method, path:
            case "GET", "/container":
                return (200, json.dumps(self.mint())) if headers["authorization"] == self.token else (401, "")
            case "PUT", "/latest/api/token":
                return (200, self.session) if headers["x-aws-ec2-metadata-token-ttl-seconds"] else (400, "")
            case "GET", "/latest/meta-data/iam/security-credentials/":
                return (200, "instance-role") if headers["x-aws-ec2-metadata-token"] == self.session else (401, "")
            case "GET", "/latest/meta-data/iam/security-credentials/instance-role":
                return (200, json.dumps({"Code": "Success"} | self.mint())) if headers["x-aws-ec2-metadata-token"] == self.session else (401, "")
            case "POST", "/":
                form = {name: values[0] for name, values in urllib.parse.parse_qs(body).items()}
                wanted = {"Action": "AssumeRoleWithWebIdentity", "RoleArn": self.role, "WebIdentityToken": self.token}
                if "authorization" in headers or wanted.items() - form.items():
                    return 400, json.dumps({"Error": {"Code": "InvalidIdentityToken", "Message": f"no {self.token}"}})
                minted = self.mint()
                if self.as_xml:
                    return 200, XML.format(**minted)
                given = {"SessionToken" if name == "Token" else name: value for name, value in minted.items()}
                given["Expiration"] = self.minted[minted["AccessKeyId"]]
                return 200, json.dumps({"AssumeRoleWithWebIdentityResponse": {"AssumeRoleWithWebIdentityResult": {"Credentials": given}}})
        return 404, "not here"

    def mint(self):
        """Credentials of the role, which moto takes, and this `expiring` for `life` seconds."""
        given = self.aws.client("sts").assume_role(RoleArn=self.role, RoleSessionName="minted")["Credentials"]
        end = int(time.time()) + self.life
        self.minted[given["AccessKeyId"]] = end
        return {"AccessKeyId": given["AccessKeyId"], "SecretAccessKey": given["SecretAccessKey"], "Token": given["SessionToken"],
                "Expiration": datetime.datetime.fromtimestamp(end, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}

    def expiring(self, used):
        """A fault for the relay before moto: refuses what was minted and has ended. `used` gets every access key with whether it was taken."""
        def fault(relay, connection, message):
            key = field(message[0], b"authorization").decode().partition("Credential=")[2].partition("/")[0]
            good = time.time() < self.minted.get(key, 0)
            used.append((key, good))
            if not good:
                return answer(connection, 400, {"__type": "ExpiredTokenException", "message": "The security token included in the request is expired"})
            connection.sendall(relay.forward(message))
            return KEEP
        return fault

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
