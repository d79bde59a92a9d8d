"""An authorization server of ours: strict where it should be, and wrong in every way that a scenario asks for.

Rotation with reuse detection: a refresh token shown a second time revokes its family. It counts what a well-behaved client never causes.
"""

import base64
import contextlib
import hashlib
import json
import secrets
import threading
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from canaries import canary

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


@dataclass
class Client:
    """`method` is one of none, client_secret_basic, client_secret_post, private_key_jwt; `key` the public key of the last, as PEM."""

    method: str = "none"
    secret: str | None = None
    key: str | None = None
    redirect_uris: list = field(default_factory=list)


@dataclass
class Family:
    """What one consent gave: all its refresh tokens, of which the last is good."""

    client: str
    scopes: list
    resource: str | None
    current: str | None = None
    rotations: int = 0
    rotated: float = 0.0
    revoked: str | None = None
    in_flight: int = 0
    newest: object = None  # the access token that came with the current refresh token.
    was_in_use: bool = False  # whether that had been shown to the resource when an older refresh token came.


@dataclass
class Access:
    family: Family | None
    scopes: list
    ends: float
    resource: str | None
    revoked: bool = False
    used: bool = False


@dataclass
class Asked:
    """A request as it came: its endpoint, its form, and how the client proved itself."""

    endpoint: str
    form: dict
    client: str | None = None
    method: str | None = None
    at: float = field(default_factory=time.monotonic)

    def __getitem__(self, name):
        return self.form.get(name)


class No(Exception):
    """An OAuth error."""

    def __init__(self, error, words="", status=400):
        self.error, self.words, self.status = error, words, status


class Provider:
    """On a port of its own. Everything that decides its behaviour is an attribute, and may be changed while it runs."""

    def __init__(self, life=3600, marked=True, path=""):
        """`marked`: its secrets are canaries. `path`: of the issuer."""
        self.life, self.says_life = life, True  # False: no expires_in; any other value is said instead.
        self.rotates, self.detects_reuse, self.gives_refresh = True, True, True
        self.registers, self.takes_documents = 201, False  # 200 or None; client_id may be a URL.
        self.registered_method = "none"
        self.announces_iss, self.iss = True, None  # None: its own.
        self.denies = None  # an OAuth error that the authorization endpoint answers with.
        self.amended, self.places = {}, {}  # metadata that differs; paths answered by a function of the exchange.
        self.fault, self.faults = None, []  # of the token endpoint: always; or once each, in their order.
        self.mark = canary if marked else lambda label: f"{label}-{secrets.token_urlsafe(32)}"
        self.clients, self.families, self.access, self.refresh, self.codes = {}, [], {}, {}, {}
        self.asked, self.lock, self.assertions = [], threading.RLock(), set()
        self.families_revoked, self.older_shown, self.at_once = 0, 0, 0
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_):
                pass

            def handle_any(self):
                with contextlib.suppress(OSError):
                    Exchange(provider, self).run()

            do_GET = do_POST = handle_any

        class Server(ThreadingHTTPServer):
            daemon_threads, request_queue_size = True, 256

        self.server = Server(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        self.path, self.issuer = path, self.origin + path
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def count(self, endpoint="token", **form):
        """How many requests came to the endpoint with these values."""
        return len(self.requests(endpoint, **form))

    def requests(self, endpoint="token", **form):
        with self.lock:
            return [each for each in self.asked if each.endpoint == endpoint and form.items() <= each.form.items()]

    def metadata(self):
        methods = ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]
        found = {
            "issuer": self.issuer, "authorization_endpoint": self.issuer + "/authorize", "token_endpoint": self.issuer + "/token",
            "revocation_endpoint": self.issuer + "/revoke", "introspection_endpoint": self.issuer + "/introspect",
            "registration_endpoint": self.issuer + "/register" if self.registers else None,
            "token_endpoint_auth_methods_supported": methods, "code_challenge_methods_supported": ["S256"],
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials", EXCHANGE], "response_types_supported": ["code"],
            "authorization_response_iss_parameter_supported": self.announces_iss or None,
            "client_id_metadata_document_supported": self.takes_documents or None} | self.amended
        return {name: value for name, value in found.items() if value is not None}

    # What the resource asks.

    def look(self, token):
        """The access token's entry where it is good now; else a word: unknown, revoked, expired."""
        with self.lock:
            access = self.access.get(token)
            if access is None:
                return "unknown"
            if access.revoked or access.family and access.family.revoked:
                return "revoked"
            access.used = True
            return access if time.monotonic() < access.ends else "expired"

    def revoke(self, family, why):
        with self.lock:
            if family.revoked is None:
                family.revoked = why
                self.families_revoked += 1

    def revoke_access(self):
        """All access tokens there are; their families live."""
        with self.lock:
            for access in self.access.values():
                access.revoked = True

    # What clients ask.

    def client(self, identifier):
        if identifier in self.clients:
            return self.clients[identifier]
        if self.takes_documents and (identifier or "").startswith("http"):
            with urllib.request.urlopen(identifier, timeout=5) as answer:
                document = json.load(answer)
            if document.get("client_id") != identifier:
                raise No("invalid_client", "the document names another client")
            self.clients[identifier] = Client(document.get("token_endpoint_auth_method", "none"), redirect_uris=document["redirect_uris"])
            return self.clients[identifier]
        raise No("invalid_client", "unknown client", 401)

    def authorize(self, asked):
        client, redirect = self.client(asked["client_id"]), asked["redirect_uri"]
        if redirect not in client.redirect_uris:
            raise No("invalid_request", "redirect_uri is not the client's")
        back = {"state": asked["state"]}
        if self.announces_iss or self.iss:
            back["iss"] = self.iss or self.issuer
        if self.denies:
            back["error"] = self.denies
        elif asked["response_type"] != "code" or asked["code_challenge_method"] != "S256" or len(asked["code_challenge"] or "") != 43:
            back["error"] = "invalid_request"
        else:
            back["code"] = self.mark("code")
            self.codes[back["code"]] = asked
        return redirect + "?" + urllib.parse.urlencode({name: value for name, value in back.items() if value is not None})

    def prove(self, asked, authorization):
        """The client, which has shown what it registered with."""
        form = asked.form
        if form.get("client_assertion_type") == ASSERTION:
            asked.client, asked.method = jwt.decode(form["client_assertion"], options={"verify_signature": False})["iss"], "private_key_jwt"
        elif (authorization or "").startswith("Basic "):
            pair = base64.b64decode(authorization[6:]).decode().split(":", 1)
            asked.client, secret = (urllib.parse.unquote_plus(part) for part in pair)
            asked.method = "client_secret_basic"
        else:
            asked.client, secret = form.get("client_id"), form.get("client_secret")
            asked.method = "client_secret_post" if secret else "none"
        client = self.client(asked.client)
        if asked.method != client.method:
            raise No("invalid_client", f"{client.method} is wanted", 401)
        if asked.method == "private_key_jwt":
            try:
                claims = jwt.decode(form["client_assertion"], client.key, ["ES256", "RS256"], audience=[self.issuer, self.issuer + "/token"],
                                    options={"require": ["exp", "iss", "sub", "jti"]})
            except jwt.InvalidTokenError as error:
                raise No("invalid_client", str(error), 401) from error
            if claims["sub"] != asked.client or claims["jti"] in self.assertions:
                raise No("invalid_client", "an assertion is for one use, by the client itself", 401)
            self.assertions.add(claims["jti"])
        elif asked.method != "none" and not secrets.compare_digest(secret, client.secret):
            raise No("invalid_client", "wrong secret", 401)
        return client

    def give(self, family, scopes, resource, refresh):
        """An answer of the token endpoint; what it says is in force."""
        access = self.mark("access")
        self.access[access] = Access(family, scopes, time.monotonic() + self.life, resource)
        answer = {"access_token": access, "token_type": "bearer", "scope": " ".join(scopes)}
        if self.says_life is not False:
            answer["expires_in"] = self.life if self.says_life is True else self.says_life
        if refresh:
            answer["refresh_token"], family.newest = refresh, self.access[access]
        return answer

    def new_refresh(self, family):
        family.current, family.rotated = self.mark("refresh"), time.monotonic()
        self.refresh[family.current] = family
        return family.current

    def by_code(self, asked):
        begun = self.codes.pop(asked["code"], None)
        if begun is None or begun["client_id"] != asked.client or begun["redirect_uri"] != asked["redirect_uri"]:
            raise No("invalid_grant", "no such code")
        proof = base64.urlsafe_b64encode(hashlib.sha256((asked["code_verifier"] or "").encode()).digest()).rstrip(b"=").decode()
        if not secrets.compare_digest(proof, begun["code_challenge"]):
            raise No("invalid_grant", "wrong verifier")
        family = Family(asked.client, (begun["scope"] or "").split(), begun["resource"])
        self.families.append(family)
        return self.give(family, family.scopes, family.resource, self.new_refresh(family) if self.gives_refresh else None)

    def by_refresh(self, asked):
        token = asked["refresh_token"]
        family = self.refresh.get(token)
        if family is None or family.client != asked.client:
            raise No("invalid_grant", "no such refresh token")
        if token != family.current:
            self.older_shown += 1
            family.was_in_use = family.newest.used
            if self.detects_reuse:
                self.revoke(family, f"reuse after rotation {family.rotations}")
        if family.revoked:
            raise No("invalid_grant", "revoked")
        if not self.rotates:
            return self.give(family, family.scopes, family.resource, None)
        family.rotations += 1
        return self.give(family, family.scopes, family.resource, self.new_refresh(family))

    def by_exchange(self, asked):
        subject = self.look(asked["subject_token"])
        if isinstance(subject, str) or asked["subject_token_type"] != ACCESS_TOKEN:
            raise No("invalid_request", f"the subject token is {subject}")
        return self.give(subject.family, (asked["scope"] or "").split(), asked["resource"], None) | {"issued_token_type": ACCESS_TOKEN}

    def tokens(self, asked, authorization):
        with self.lock:
            self.prove(asked, authorization)
            match asked["grant_type"]:
                case "authorization_code":
                    return self.by_code(asked)
                case "refresh_token":
                    return self.by_refresh(asked)
                case "client_credentials":
                    return self.give(None, (asked["scope"] or "").split(), asked["resource"], None)
                case grant if grant == EXCHANGE:
                    return self.by_exchange(asked)
        raise No("unsupported_grant_type")

    def register(self, document):
        identifier = f"client-{secrets.token_hex(6)}"
        method = self.registered_method
        client = Client(method, None if method == "none" else self.mark("client"), redirect_uris=document["redirect_uris"])
        self.clients[identifier] = client
        given = document | {"client_id": identifier, "token_endpoint_auth_method": method, "client_id_issued_at": int(time.time())}
        return given | ({"client_secret": client.secret, "client_secret_expires_at": 0} if client.secret else {})

    def forget_clients(self):
        """As a provider does that loses its registrations."""
        with self.lock:
            self.clients.clear()

    def revocation(self, asked):
        token = asked["token"]
        if token in self.refresh:
            self.revoke(self.refresh[token], "asked for")
        elif token in self.access:
            self.access[token].revoked = True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Exchange:
    """One request to the provider. A fault gets it, and calls `answer`, `commit` or `drop`, or lets it go on with `proceed`."""

    def __init__(self, provider, handler):
        self.provider, self.handler = provider, handler
        self.url = urllib.parse.urlsplit(handler.path)
        self.body = handler.rfile.read(int(handler.headers["content-length"] or 0))
        text = self.url.query if handler.command == "GET" else self.body.decode()
        form = {name: values[0] for name, values in urllib.parse.parse_qs(text).items()}
        self.asked = Asked(self.url.path.removeprefix(provider.path).lstrip("/"), form)

    def run(self):
        provider, asked = self.provider, self.asked
        with provider.lock:
            provider.asked.append(asked)
        special = provider.places.get(self.url.path)
        if special:
            return special(self)
        if "/.well-known/" in self.url.path:
            known = [f"/.well-known/oauth-authorization-server{provider.path}", f"/.well-known/openid-configuration{provider.path}",
                     f"{provider.path}/.well-known/openid-configuration"]
            return self.answer(200, provider.metadata()) if self.url.path in known else self.answer(404, b"")
        try:
            self.dispatch()
        except No as no:
            self.answer(no.status, {"error": no.error, "error_description": no.words})

    def dispatch(self):
        provider, asked = self.provider, self.asked
        match self.handler.command, asked.endpoint:
            case "GET", "authorize":
                self.answer(302, b"", Location=provider.authorize(asked))
            case "POST", "token":
                with self.counted():
                    with provider.lock:
                        fault = provider.faults.pop(0) if provider.faults else provider.fault
                    (fault or Exchange.proceed)(self)
            case "POST", "register" if provider.registers:
                self.answer(provider.registers, provider.register(json.loads(self.body)))
            case "POST", "revoke":
                with provider.lock:
                    provider.prove(asked, self.handler.headers["authorization"])
                    provider.revocation(asked)
                self.answer(200, b"")
            case "POST", "introspect":
                found = provider.look(asked["token"])
                self.answer(200, {"active": False} if isinstance(found, str) else {"active": True, "scope": " ".join(found.scopes)})
            case _:
                self.answer(404, b"")

    @contextlib.contextmanager
    def counted(self):
        """How many ask for the same grant at once."""
        provider = self.provider
        with provider.lock:
            family = provider.refresh.get(self.asked["refresh_token"])
            if family:
                family.in_flight += 1
                provider.at_once = max(provider.at_once, family.in_flight)
        try:
            yield
        finally:
            if family:
                with provider.lock:
                    family.in_flight -= 1

    def commit(self):
        """Does what was asked, and gives the answer that is due: (status, body)."""
        try:
            return 200, self.provider.tokens(self.asked, self.handler.headers["authorization"])
        except No as no:
            return no.status, {"error": no.error, "error_description": no.words}

    def proceed(self):
        self.answer(*self.commit())

    def answer(self, status, body, **headers):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler = self.handler
        handler.send_response(status)
        fields = {"Content-Type": "application/json", "Cache-Control": "no-store", "Content-Length": str(len(data))} | headers
        for name, value in fields.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(data)

    def drop(self):
        """Closes without a word."""
        self.handler.close_connection = True


class Faults:
    """What may happen to a request to the token endpoint."""

    @staticmethod
    def internal_error(exchange):
        exchange.answer(500, b"<h1>Internal Server Error</h1>", Content_Type="text/html")

    @staticmethod
    def unavailable(exchange):
        exchange.answer(503, {"error": "temporarily_unavailable"})

    @staticmethod
    def too_many(exchange):
        exchange.answer(429, {"error": "slow_down"}, Retry_After="2")

    @staticmethod
    def unanswered(exchange):
        """Nothing was done."""
        exchange.drop()

    @staticmethod
    def lost(exchange):
        """It was done, and nobody is told."""
        exchange.commit()
        exchange.drop()

    @staticmethod
    def cut(exchange):
        """It was done, and half of it is told."""
        status, body = exchange.commit()
        data = json.dumps(body).encode()
        exchange.handler.wfile.write(b"HTTP/1.1 %d OK\r\nContent-Length: %d\r\n\r\n" % (status, len(data)) + data[: len(data) // 2])
        exchange.drop()

    @staticmethod
    def empty_400(exchange):
        exchange.answer(400, b"")

    @staticmethod
    def invalid_grant(exchange):
        exchange.answer(400, {"error": "invalid_grant"})

    @staticmethod
    def invalid_grant_as_401(exchange):
        exchange.answer(401, {"error": "invalid_grant"})

    @staticmethod
    def invalid_code_as_403(exchange):
        exchange.answer(403, {"error": "invalid_code"})

    @staticmethod
    def invalid_client(exchange):
        exchange.answer(401, {"error": "invalid_client"}, WWW_Authenticate="Basic")

    @staticmethod
    def no_json(exchange):
        exchange.answer(200, b"{\"access_token\": \"half")

    @staticmethod
    def huge(exchange):
        exchange.answer(200, b" " * (4 << 20) + b"{}")


def slow(seconds, then=Exchange.proceed):
    """A fault: `then`, but late."""
    def fault(exchange):
        time.sleep(seconds)
        then(exchange)
    return fault


def told(status, body=b"", **headers):
    """For `Provider.places`: always this."""
    return lambda exchange: exchange.answer(status, body, **headers)
