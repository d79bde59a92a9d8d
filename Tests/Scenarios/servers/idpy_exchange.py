"""idpyoidc as an identity provider whose tokens can be exchanged (RFC 8693). Usage: idpy_exchange.py PORT DIRECTORY LIFE CLIENTS-JSON

Nobody signs in: whoever comes is diana. It gives a new refresh token and still takes the old one. GET /look?token=T tells whose a token is.
"""

import json
import os
import sys

from flask import Flask, Response, request
from idpyoidc.server import Server
from idpyoidc.server.configure import OPConfiguration
from werkzeug.serving import make_server

port, directory, life, clients = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), json.loads(sys.argv[4])
issuer = f"http://127.0.0.1:{port}"
ACCESS, REFRESH = ("urn:ietf:params:oauth:token-type:" + kind for kind in ("access_token", "refresh_token"))
METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
os.chdir(directory)


def policy(asked, context, subject_token, **_):
    """Whoever may ask at all gets, for whatever target, what the subject has."""
    asked["scope"] = asked.get("scope") or subject_token.scope
    return asked


def jwt(life):
    return {"class": "idpyoidc.server.token.jwt_token.JWTToken", "kwargs": {"lifetime": life, "aud": [issuer]}}


configuration = {
    "issuer": issuer,
    "key_conf": {"key_defs": [{"type": "RSA", "use": ["sig"]}, {"type": "EC", "crv": "P-256", "use": ["sig"]}], "uri_path": "jwks.json"},
    "token_handler_args": {
        "code": {"kwargs": {"lifetime": 60}},
        "token": jwt(life), "refresh": jwt(86400), "id_token": {"class": "idpyoidc.server.token.id_token.IDToken", "kwargs": {}}},
    "authz": {"class": "idpyoidc.server.authz.AuthzHandling", "kwargs": {"grant_config": {"usage_rules": {
        "authorization_code": {"supports_minting": ["access_token", "refresh_token", "id_token"], "max_usage": 1},
        "access_token": {"supports_minting": ["access_token"], "expires_in": life},
        "refresh_token": {"supports_minting": ["access_token", "refresh_token", "id_token"]}}, "expires_in": 86400}}},
    "endpoint": {
        "provider_config": {"path": ".well-known/openid-configuration", "class": "idpyoidc.server.oidc.provider_config.ProviderConfiguration",
                          "kwargs": {"client_authn_method": None}},
        "authorization": {"path": "authorization", "class": "idpyoidc.server.oidc.authorization.Authorization", "kwargs": {
            "client_authn_method": None, "response_types_supported": ["code"], "response_modes_supported": ["query"]}},
        "token": {"path": "token", "class": "idpyoidc.server.oidc.token.Token", "kwargs": {
            "client_authn_method": METHODS, "grant_types_helpers": {
                "authorization_code": {"class": "idpyoidc.server.oidc.token_helper.access_token.AccessTokenHelper"},
                "refresh_token": {"class": "idpyoidc.server.oidc.token_helper.refresh_token.RefreshTokenHelper"},
                "urn:ietf:params:oauth:grant-type:token-exchange": {
                    "class": "idpyoidc.server.oauth2.token_helper.token_exchange.TokenExchangeHelper", "kwargs": {
                        "subject_token_types_supported": [ACCESS, REFRESH], "requested_token_types_supported": [ACCESS],
                        "policy": {"": {"function": policy}}}}}}}},
    "authentication": {"anon": {"acr": "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified", "class": "idpyoidc.server.user_authn.user.NoAuthn",
                                "kwargs": {"user": "diana"}}},
    "userinfo": {"class": "idpyoidc.server.user_info.UserInfo", "kwargs": {"db": {"diana": {"sub": "diana"}}}},
    "add_on": {"pkce": {"function": "idpyoidc.server.oauth2.add_on.pkce.add_support", "kwargs": {
        "essential": True, "code_challenge_method": ["S256"]}}},
    "session_params": {"encrypter": {"kwargs": {"password": os.urandom(16).hex(), "salt": os.urandom(16).hex()}}},
    "preference": {"scopes_supported": ["openid", "profile", "offline_access"]}, "client_db": {}, "httpc_params": {"verify": False}, "template_dir": ".",
}
server = Server(OPConfiguration(configuration, base_path=directory, port=port, domain="127.0.0.1"), cwd=directory)
for name, client in clients.items():
    server.context.cdb[name] = client | {"redirect_uris": [[each, {}] for each in client["redirect_uris"]]}
app = Flask(__name__)


def answer(name):
    endpoint = server.get_endpoint(name)
    head = {"headers": {key.lower(): value for key, value in request.headers.items()}, "method": request.method, "url": request.url}
    asked = request.form.to_dict() if request.method == "POST" else request.args.to_dict()
    parsed = endpoint.parse_request(asked, http_info=head)
    error = "error" in parsed
    given = parsed if error else endpoint.process_request(parsed, http_info=head)
    if not error and "http_response" in given:
        return Response(given["http_response"])
    if "error" in given and "response_args" not in given:
        return Response(given.to_json(), 400, content_type="application/json")
    told = endpoint.do_response(request=parsed, **given)
    if name == "authorization":
        return Response("", 302, {"Location": told["response"]})
    return Response(told["response"], told.get("response_code", 200), told.get("http_headers"))


@app.get("/.well-known/openid-configuration")
def metadata():
    return answer("provider_config")


@app.get("/authorization")
def authorization():
    return answer("authorization")


@app.post("/token")
def token():
    return answer("token")


@app.get("/look")
def look():
    """What a resource server would ask."""
    manager = server.context.session_manager
    try:
        found = manager.get_session_info_by_token(request.args["token"], grant=True, handler_key="access_token")
        known = manager.find_token(found["branch_id"], request.args["token"])
    except Exception as error:
        return {"active": False, "why": str(error)}
    return {"active": known.is_active(), "user": found["user_id"], "client": found["client_id"], "scope": known.scope}


if __name__ == "__main__":
    make_server("127.0.0.1", port, app, threaded=True).serve_forever()
