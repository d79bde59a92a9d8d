"""An issuer of user tokens: its keys, which it publishes and changes, and tokens as it signs them, or as others would."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import canaries
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm


class TokenIssuer:
    """Serves its metadata and its keys on a port of its own. `down`: it answers 503; `asked` counts who wanted its keys."""

    def __init__(self):
        self.keys, self.down, self.asked, self.life = {}, False, 0, 300
        self.add("first")
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                documents = {"/.well-known/oauth-authorization-server": issuer.metadata, "/keys": issuer.key_set}
                if self.path == "/keys":
                    issuer.asked += 1
                made = documents.get(self.path)
                status = 503 if issuer.down else 200 if made else 404
                body = json.dumps(made()).encode() if status == 200 else b""
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Cache-Control", f"max-age={issuer.life}")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def metadata(self):
        return {"issuer": self.url, "jwks_uri": self.url + "/keys"}

    def key_set(self):
        public = [json.loads(ECAlgorithm.to_jwk(key.public_key())) | {"kid": kid, "use": "sig", "alg": "ES256"} for kid, key in self.keys.items()]
        return {"keys": public}

    def add(self, kid):
        self.keys[kid] = ec.generate_private_key(ec.SECP256R1())

    def claims(self, user, **changes):
        usual = {"iss": self.url, "aud": "claviger", "exp": int(time.time()) + 600, "iat": int(time.time()), "email": user, "jti": canaries.canary("jti")}
        return {name: value for name, value in (usual | changes).items() if value is not None}

    def token(self, user="alice@acme.com", kid="first", key=None, headers=None, **claims):
        """A token, its text among the secrets that are searched for."""
        text = jwt.encode(self.claims(user, **claims), key or self.keys[kid], "ES256", headers={"kid": kid} | (headers or {}))
        return remembered(text)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def remembered(token):
    """Its signature is what makes it a token; its header is anybody's."""
    canaries.made.append(token.rsplit(".", 1)[1] or token)
    return token


def part(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
