"""The demo's provider: the real application, prepared as an administrator would with the command line."""

from typing import Any

from flask import Flask
from pydantic import SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from config import Settings
from idp import schema
from idp.app import create_app
from idp.clients import manage
from idp.clients.registration import Registration
from idp.demo import portal
from idp.demo import state as states
from idp.demo.portal import Face
from idp.demo.state import State
from idp.extensions import transaction
from idp.keys import kek, signing


class _DemoSettings(Settings):
    """What the demo says and nothing else: the variables of a shell are another deployment's."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic names them
        init_settings: PydanticBaseSettingsSource,
        *_others: PydanticBaseSettingsSource,
        **_named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments only."""
        return (init_settings,)


def prepared(urls: dict[str, str], smtp_port: int, state: State, kept: dict[str, Any]) -> Flask:
    """The provider, with schema, keys and registrations: the portal's goes to `kept["client"]`, that of the
    application of others to `kept["archive"]`.

    `urls` has `issuer`, `portal`, `archive` and `inbox`.
    """
    settings = _settings(urls, smtp_port, state, kept["sms_token"])
    if not state.kek.exists():
        kek.create(state.kek)
    app = create_app(settings.model_copy(update={"worker": "external"}))
    with app.app_context():
        schema.upgrade()
        with transaction():
            for alg in signing.lacking():
                signing.create(signing.new_pair(alg))
        for name, home, face in (
            ("client", urls["portal"], portal.HOUSE),
            ("archive", urls["archive"], portal.ARCHIVE),
        ):
            kept[name] = _client(home, face, kept.get(name))
    states.remember(state, kept)
    return create_app(settings)


def _settings(urls: dict[str, str], smtp_port: int, state: State, sms_token: str) -> Settings:
    return _DemoSettings(
        issuer=urls["issuer"],
        database_url=f"sqlite:///{state.database}",
        kek_file=state.kek,
        legacy_sources=state.sources,
        worker="inline",
        log_level="WARNING",
        audit_stdout="none",
        smtp_port=smtp_port,
        smtp_security="none",
        mail_from="ne-pas-repondre@e-services.example",
        sms_url=f"{urls['inbox']}/sms",
        sms_token=SecretStr(sms_token),
        support_contact="assistance@e-services.example",
    )


def _client(home: str, face: Face, kept: dict[str, Any] | None) -> dict[str, Any]:
    """A registration; its addresses follow the port of this start."""
    addresses = {
        "redirect_uris": (f"{home}/callback",),
        "post_logout_redirect_uris": (f"{home}/",),
        "client_uri": f"{home}/",
        "initiate_login_uri": f"{home}/login",
        "policy_uri": "" if face is portal.HOUSE else f"{home}/privacy",
    }
    with transaction():
        if kept and manage.get(kept["client_id"]):
            manage.update_client(kept["client_id"], addresses)
            return {**kept, "redirect_uris": [*addresses["redirect_uris"]]}
        more = {"client_name": face.name, "first_party": face is portal.HOUSE}
        client, secret = manage.create(Registration(**more, **addresses))  # type: ignore[arg-type]
        return {
            "client_id": client.client_id,
            "client_secret": secret,
            "redirect_uris": [*addresses["redirect_uris"]],
        }
