"""Django's settings: those of the recipe, with what only the test knows, which stands in PARTY as JSON."""

import json
import os

from tests.support.recipes import recipe

_given = json.loads(os.environ["PARTY"])

SECRET_KEY = "of this party"
DEBUG = True  # errors by name
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "tests.relying_parties.django_party.urls"
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": _given["database"]}}
MIGRATION_MODULES = dict.fromkeys(("auth", "contenttypes", "sessions"))
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"

exec(recipe("python", "mozilla_django_oidc", _given["recipe"]))
