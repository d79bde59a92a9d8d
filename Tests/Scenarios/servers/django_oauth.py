"""django-oauth-toolkit as a provider: PKCE required, rotation, reuse revokes the family. Usage: django_oauth.py PORT DIRECTORY LIFE

Registration is open. People sign in on Django's own page, as alice or bob, with the password `password`, and consent on the toolkit's.
"""

import pathlib
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

port, directory, life = int(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])

LOGIN = """<form method="post">{% csrf_token %}{{ form.as_p }}<input type="hidden" name="next" value="{{ next }}"><button>Sign in</button></form>"""

settings.configure(
    SECRET_KEY="scenario", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"], LOGIN_URL="/login/", USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": directory / f"django-{port}.sqlite3", "OPTIONS": {
        "timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=wal; PRAGMA synchronous=off"}}},
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"], DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "oauth2_provider"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.csrf.CsrfViewMiddleware",
                "django.contrib.auth.middleware.AuthenticationMiddleware"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {
        "loaders": [("django.template.loaders.locmem.Loader", {"login.html": LOGIN}), "django.template.loaders.app_directories.Loader"],
        "context_processors": ["django.template.context_processors.request", "django.contrib.auth.context_processors.auth"]}}],
    OAUTH2_PROVIDER={
        "SCOPES": {"read": "Reading", "write": "Writing"}, "DEFAULT_SCOPES": ["read"], "ACCESS_TOKEN_EXPIRE_SECONDS": life,
        "PKCE_REQUIRED": True, "ROTATE_REFRESH_TOKEN": True, "REFRESH_TOKEN_REUSE_PROTECTION": True, "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 0,
        "DCR_ENABLED": True, "DCR_REGISTRATION_PERMISSION_CLASSES": ("oauth2_provider.dcr.AllowAllDCRPermission",),
        "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True, "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
        "OAUTH2_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED": ["client_secret_post", "client_secret_basic", "none"],
        "ALLOWED_SCHEMES": ["http", "https"]})
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.views import LoginView  # noqa: E402

urlpatterns = [path("login/", LoginView.as_view(template_name="login.html")), path("", include("oauth2_provider.urls"))]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads, request_queue_size = True, 128


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    for name in ("alice", "bob"):
        get_user_model().objects.create_user(name, password="password")
    make_server("127.0.0.1", port, get_wsgi_application(), Server, Quiet).serve_forever()
