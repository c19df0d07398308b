"""The demo's relying parties, of the house and not: Authlib's Flask client with discovery, PKCE and nonce."""

import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, render_template, session, url_for
from requests import RequestException
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response


@dataclass(frozen=True)
class Face:
    """What people see of a relying party, what it asks to learn, and the name of its own cookie."""

    name: str
    greeting: str
    offer: str
    scope: str
    cookie: str


HOUSE = Face(
    name="e-services",
    greeting="Bienvenue sur les",
    offer="Impôts, attestations, rendez-vous : vos démarches en ligne, à toute heure.",
    scope="openid profile email phone address",
    cookie="portal-session",
)
ARCHIVE = Face(
    name="Archives cantonales",
    greeting="Bienvenue aux",
    offer="Actes, plans et registres. Cette application n’est pas de la maison : elle demande votre accord.",
    scope="openid profile email",
    cookie="archive-session",
)


@dataclass(frozen=True)
class PortalOptions:
    """What a relying party knows: its provider, its credentials, and a key for its own cookie."""

    issuer: str
    client_id: str
    client_secret: str
    cookie_key: str
    face: Face = HOUSE


def create_app(options: PortalOptions) -> Flask:
    """A portal with one button."""
    app, face = Flask("idp.demo"), options.face
    app.jinja_env.globals["face"] = face
    app.secret_key = options.cookie_key
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    # Cookies ignore ports: nobody else on the same host may meet this one's.
    app.config.update(
        SESSION_COOKIE_NAME=face.cookie,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )
    provider = OAuth(app).register(
        "seuil",
        server_metadata_url=f"{options.issuer}/.well-known/openid-configuration",
        client_id=options.client_id,
        client_secret=options.client_secret,
        client_kwargs={"scope": face.scope, "code_challenge_method": "S256"},
    )
    _add_pages(app)
    _add_sign_in(app, provider)
    _add_sign_out(app, provider)
    return app


def _add_pages(app: Flask) -> None:
    @app.get("/")
    def home() -> str:
        return _page(user=session.get("user"), signed_out=session.pop("signed_out", False))

    @app.get("/privacy")
    def privacy() -> str:
        return _page(privacy=True)

    @app.errorhandler(404)
    def missing(_error: NotFound) -> tuple[str, int]:
        return _page(missing=True), 404


def _add_sign_in(app: Flask, provider: Any) -> None:
    @app.get("/login")
    def login() -> Response:
        back = url_for("callback", _external=True)
        answer: Response = provider.authorize_redirect(back, nonce=secrets.token_urlsafe(16))
        return answer

    @app.get("/callback")
    def callback() -> Response | tuple[str, int]:
        """Redeem the code; Authlib checks state, nonce, signature, issuer and audience."""
        try:
            token = provider.authorize_access_token()
            claims = {**token["userinfo"], **provider.userinfo(token=token)}
        except (OAuthError, RequestException, ValueError) as error:
            return _page(problem=getattr(error, "error", type(error).__name__)), 400
        session.clear()
        session["user"] = claims
        session["id_token"] = token["id_token"]
        return redirect(url_for("home"), 303)


def _add_sign_out(app: Flask, provider: Any) -> None:
    @app.get("/logout")
    def logout() -> Response:
        hint = session.pop("id_token", "")
        session.clear()
        session["signed_out"] = True
        back = url_for("home", _external=True)
        asked = {"id_token_hint": hint, "post_logout_redirect_uri": back}
        end = provider.load_server_metadata()["end_session_endpoint"]
        return redirect(f"{end}?{urlencode(asked)}", 303)


def _page(**words: Any) -> str:
    return render_template("portal.html", **words)
