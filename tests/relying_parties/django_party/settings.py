"""Django's settings; what only the test knows stands in PARTY: endpoints, client, algorithm, folder."""

import json
import os

_given = json.loads(os.environ["PARTY"])

SECRET_KEY = "of this party"
DEBUG = True  # errors by name
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "tests.relying_parties.django_party.urls"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "mozilla_django_oidc",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{_given['folder']}/party.db"}
}
MIGRATION_MODULES = dict.fromkeys(("auth", "contenttypes", "sessions"))
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"

AUTHENTICATION_BACKENDS = ["mozilla_django_oidc.auth.OIDCAuthenticationBackend"]
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = LOGIN_REDIRECT_URL_FAILURE = "/"
OIDC_RP_CLIENT_ID = _given["client_id"]
OIDC_RP_CLIENT_SECRET = _given["secret"]
OIDC_RP_SIGN_ALGO = _given["alg"]
OIDC_RP_SCOPES = "openid email"
OIDC_USE_PKCE = True
OIDC_TOKEN_USE_BASIC_AUTH = True
OIDC_OP_AUTHORIZATION_ENDPOINT = f"{_given['issuer']}/authorize"
OIDC_OP_TOKEN_ENDPOINT = _given["token_endpoint"]
OIDC_OP_USER_ENDPOINT = f"{_given['issuer']}/userinfo"
OIDC_OP_JWKS_ENDPOINT = f"{_given['issuer']}/jwks"
OIDC_STORE_ID_TOKEN = True
OIDC_OP_LOGOUT_URL_METHOD = "tests.relying_parties.django_party.urls.end_session_url"
ALLOW_LOGOUT_GET_METHOD = True
SEUIL_END_SESSION = f"{_given['issuer']}/logout"
