"""Scopes in the words of the people whom they are about."""

from collections.abc import Callable
from typing import cast

from flask_babel import gettext
from flask_babel import ngettext as _plural

from idp.clients import registry
from idp.extensions import settings
from idp.web import locale

_ = cast("Callable[..., str]", gettext)
ngettext = cast("Callable[..., str]", _plural)


def in_words(scopes: frozenset[str]) -> list[str]:
    """What an application with these scopes learns or may do, always in the same order.

    A scope that has no words is called by its name, and by that of its resource server: nothing is left out.
    """
    words = _words()
    known = [words[scope] for scope in words if scope in scopes]
    return [*known, *(_elsewhere(scope) for scope in sorted(scopes - words.keys()))]


def _elsewhere(scope: str) -> str:
    server = registry.server_of_scope(scope)
    if server is None:
        return scope
    reads = locale.select()
    name = server.in_language(reads).client_name
    if words := server.words_of(scope, reads):
        return f"{words} ({name})"
    return _("utiliser %(name)s en votre nom (%(scope)s)", name=name, scope=scope)


def _words() -> dict[str, str]:
    days = settings.refresh_token_lifetime.days
    return {
        "openid": _("vous reconnaître à chaque connexion"),
        "profile": _("connaître votre nom, votre prénom, votre date de naissance et votre langue"),
        "email": _("connaître votre adresse email"),
        "phone": _("connaître votre numéro de téléphone, si vous en avez donné un"),
        "address": _("connaître votre adresse postale"),
        "legacy": _("connaître vos identifiants dans les anciens systèmes"),
        "offline_access": ngettext(
            "garder cet accès en votre absence, pendant %(num)s jour au plus",
            "garder cet accès en votre absence, pendant %(num)s jours au plus",
            days,
        ),
    }
