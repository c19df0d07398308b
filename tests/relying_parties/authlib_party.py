"""A relying party on Authlib's Flask client, as an application would have it."""

from typing import Any

from authlib.integrations.flask_client import OAuth
from flask import Flask, jsonify, redirect, session, url_for
from werkzeug.wrappers import Response


def create_app(issuer: str, **registered: Any) -> Flask:
    """A page that says who is here, a way in and a way out; and what went wrong, by the name of its error."""
    app = Flask(__name__)
    app.config.update(SECRET_KEY="of this party", SESSION_COOKIE_NAME="party")
    provider = OAuth(app).register(
        "seuil", server_metadata_url=f"{issuer}/.well-known/openid-configuration", **registered
    )

    @app.get("/")
    def home() -> Response:
        return jsonify(session.get("user"))

    @app.get("/login")
    def login() -> Response:
        answer: Response = provider.authorize_redirect(url_for("callback", _external=True))
        return answer

    @app.get("/callback")
    def callback() -> Response:
        token = provider.authorize_access_token()
        session["user"] = {**token["userinfo"], **provider.userinfo(token=token)}
        session["id_token"] = token["id_token"]
        return redirect(url_for("home"))

    @app.get("/logout")
    def logout() -> Response:
        back, hint = url_for("home", _external=True), session["id_token"]
        session.clear()
        return redirect(provider.create_logout_url(back, hint)["url"])

    @app.errorhandler(Exception)
    def failed(error: Exception) -> tuple[str, int]:
        return type(error).__name__, 401

    return app
