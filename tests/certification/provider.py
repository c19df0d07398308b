"""What the plans look at: the provider as it runs, with TLS, its clients, and people who have everything."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from flask import Flask

from config import Settings
from idp.app import create_app
from idp.clients import registration_tokens
from idp.clients.registration import Registration
from idp.extensions import transaction
from idp.keys import kek, signing
from idp.security.versions import FRESH_FOR
from tests.support import database, portal
from tests.support.accounts import make_account
from tests.support.certificates import Authority
from tests.support.inbox import Inbox
from tests.support.ports import free_port, wait_for
from tests.support.server import environment
from tests.support.settings import make_settings

_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


@dataclass(frozen=True)
class Provider:
    """A provider that runs; `configuration` is what a plan has to know of it."""

    issuer: str
    configuration: dict[str, Any]
    inbox: Inbox
    app: Flask

    def somebody(self, number: int) -> tuple[str, str]:
        """A new person: address and phone number. Nobody signs in more often than people may."""
        address, phone = f"person{number}@example.ch", f"+4179{number:07}"
        with self.app.app_context():
            make_account(address, phone)
        return address, phone

    def announce_key(self) -> None:
        """Publish a further key, as `idp keys create --alg RS256` does, and wait until every process has it."""
        with self.app.app_context(), transaction():
            signing.create(signing.new_pair("RS256"))
        time.sleep(2 * FRESH_FOR)


@contextmanager
def serving(callbacks: str, trusted: Path) -> Iterator[Provider]:
    """Run it for a suite whose addresses begin with `callbacks` and whose certificate `trusted` vouches for."""
    inbox = Inbox()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kek.create(folder / "kek.json")
        settings = _settings(folder, inbox)
        app = create_app(settings.model_copy(update={"worker": "external"}))
        with app.app_context():
            configuration = _prepare(callbacks)
        with _running(settings, Authority(folder).issue("localhost"), trusted):
            yield Provider(settings.issuer, configuration, inbox, app)
    inbox.stop()


def _settings(folder: Path, inbox: Inbox) -> Settings:
    return make_settings(
        f"sqlite:///{folder}/seuil.db",
        folder,
        issuer=f"https://localhost:{free_port()}",
        smtp_port=inbox.smtp_port,
        sms_url=inbox.sms_url,
        worker="inline",
        weaker_clients=("no-pkce",),
        registration="token",
        registrations_per_network=10_000,
        client_networks=_LOOPBACK,
        log_level="WARNING",
    )


def _prepare(callbacks: str) -> dict[str, Any]:
    database.prepare()
    suite = Registration(
        client_name="Certification",
        redirect_uris=(f"{callbacks}/callback", f"{callbacks}/callback?dummy1=lorem&dummy2=ipsum"),
        post_logout_redirect_uris=(f"{callbacks}/post_logout_redirect",),
        grant_types=("authorization_code", "refresh_token"),
        scope="openid profile email phone address offline_access",
        require_pkce=False,
    )
    by_post = replace(suite, token_endpoint_auth_method="client_secret_post")
    told = replace(suite, backchannel_logout_uri=f"{callbacks}/backchannel_logout")
    clients = {
        "client": portal.register(suite, "suite"),
        "client2": portal.register(suite, "suite2"),
        "client_secret_post": portal.register(by_post, "suite-post"),
        "client_told": portal.register(told, "suite-told"),
    }
    return {
        name: {"client_id": one.client_id, "client_secret": one.secret}
        for name, one in clients.items()
    } | {"token": _registration_token()}


def _registration_token() -> str:
    with transaction():
        _row, value = registration_tokens.issue(
            "certification", uses=1000, lives=timedelta(days=1), actor="tests", require_pkce=False
        )
    return value


@contextmanager
def _running(settings: Settings, certificate: Path, trusted: Path) -> Iterator[None]:
    port = int(settings.issuer.rpartition(":")[2])
    values = {name: getattr(settings, name) for name in settings.model_fields_set}
    variables = environment(values) | {
        "SSL_CERT_FILE": str(trusted),
        "REQUESTS_CA_BUNDLE": str(trusted),
    }
    files = ["--certfile", str(certificate), "--keyfile", str(certificate)]
    gunicorn = [
        sys.executable,
        "-m",
        "gunicorn",
        "--bind",
        f"localhost:{port}",
        "--threads",
        "8",
        *files,
    ]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([*gunicorn, "wsgi:app"], env=variables, stdout=log, stderr=log)
        try:
            wait_for(port)
            yield
        finally:
            process.terminate()
            process.wait(20)
