"""A plain OAuth client, to know what a provider does before the gateway asks it."""

import base64
import hashlib
import secrets
import urllib.parse

import httpx2

BACK = "http://127.0.0.1:9/callback"


class OAuthClient:
    def __init__(self, metadata, identifier=None, secret=None, redirect_uri=BACK, method="none"):
        self.metadata, self.identifier, self.secret, self.redirect_uri, self.method = metadata, identifier, secret, redirect_uri, method
        self.http = httpx2.Client(timeout=15)

    def register(self, method="none", **more):
        document = {"client_name": "reference", "redirect_uris": [self.redirect_uri], "grant_types": ["authorization_code", "refresh_token"],
                    "response_types": ["code"], "token_endpoint_auth_method": method} | more
        answer = self.http.post(self.metadata["registration_endpoint"], json=document)
        assert answer.status_code in (200, 201), answer.text
        self.identifier, self.secret, self.method = answer.json()["client_id"], answer.json().get("client_secret"), method
        return answer.json()

    def authorize(self, browser, scope, **more):
        """The code, when the person has been there and back."""
        self.verifier, state = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {"response_type": "code", "client_id": self.identifier, "redirect_uri": self.redirect_uri, "state": state, "scope": scope,
                 "code_challenge": challenge, "code_challenge_method": "S256"} | more
        there = browser.follow(self.metadata["authorization_endpoint"] + "?" + urllib.parse.urlencode(asked), until=self.redirect_uri)
        back = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(there).query))
        assert back["state"] == state and back.get("iss", self.metadata["issuer"]) == self.metadata["issuer"], back
        assert "code" in back, back
        return back["code"]

    def ask(self, endpoint="token_endpoint", **form):
        """The answer of an endpoint, asked as the client that this is."""
        data, auth = form | {"client_id": self.identifier}, None
        if self.method == "client_secret_basic":
            auth = (self.identifier, self.secret)
        elif self.method == "client_secret_post":
            data["client_secret"] = self.secret
        return self.http.post(self.metadata[endpoint], data=data, auth=auth)

    def exchange(self, code, verifier=None):
        return self.ask(grant_type="authorization_code", code=code, redirect_uri=self.redirect_uri, code_verifier=verifier or self.verifier)

    def refresh(self, token, **more):
        return self.ask(grant_type="refresh_token", refresh_token=token, **more)
