"""canaille as a provider: OpenID Connect, RFC 8414, open registration, login and consent pages. Usage: canaille_oidc.py PORT LIFE

People sign in as alice, bob or carol, with the password `correct horse battery`. Carol's address is not verified.
"""

import sys
import threading

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from canaille.backends.memory.backend import MemoryBackend
from werkzeug.serving import make_server

any_of = MemoryBackend.do_query


def all_of(self, model, *args, **wanted):
    """As `Backend.query` promises: those that match every argument. Its database in memory gives those that match any, so that for one code
    another code of the same client may be taken."""
    found = any_of(self, model, *args, **wanted)
    for name, value in wanted.items():
        ids = {each.id for each in any_of(self, model, **{name: value})}
        found = [each for each in found if each.id in ids]
    return found


MemoryBackend.do_query = all_of

port, life = int(sys.argv[1]), int(sys.argv[2])
app = create_app({
    "SECRET_KEY": "scenario", "SERVER_NAME": f"127.0.0.1:{port}", "PREFERRED_URL_SCHEME": "http", "SESSION_COOKIE_SECURE": False,
    "OAUTH2_TOKEN_EXPIRES_IN": {name: life for name in ("authorization_code", "refresh_token", "client_credentials")},
    "CANAILLE": {"DATABASE": "memory", "JAVASCRIPT": False, "HTMX": False, "LOGGING": {"version": 1, "disable_existing_loggers": True}, "SMTP": None},
    "CANAILLE_OIDC": {"DYNAMIC_CLIENT_REGISTRATION_OPEN": True, "REQUIRE_NONCE": False, "TRUSTED_DOMAINS": []},
})
# It says nothing of addresses being verified unless it is told to.
app.config["CANAILLE_OIDC"]["USERINFO_MAPPING"]["EMAIL_VERIFIED"] = "{{ 'false' if user.user_name == 'carol' else 'true' }}"

if __name__ == "__main__":
    with app.app_context(), Backend.instance.session():
        for name in ("alice", "bob", "carol"):
            Backend.instance.save(models.User(formatted_name=name, family_name=name, user_name=name, emails=[f"{name}@acme.com"],
                                              password="correct horse battery"))
    # Its database in memory knows no locks. (Threads all the same, for browsers open connections that they leave unused.)
    one = threading.Lock()

    def in_turn(environ, start_response):
        with one:
            return app(environ, start_response)

    make_server("127.0.0.1", port, in_turn, threaded=True).serve_forever()
