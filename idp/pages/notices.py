"""What a page says first, of something that happened elsewhere or before. Constants."""

from collections.abc import Callable
from typing import cast

from flask_babel import gettext

from idp.flow.interaction import Notice

_ = cast("Callable[..., str]", gettext)


def said_first(kind: Notice | None) -> str | None:
    """What the page should say first."""
    if kind is None:
        return None
    texts = {
        Notice.EMAIL_TAKEN: _(
            "Cette adresse email est déjà l’identifiant d’un compte. Une adresse ne peut être "
            "attribuée qu’à une seule personne : donnez-en une autre."
        ),
        Notice.ALREADY_MIGRATED: _(
            "La migration de ce compte vient d’être terminée dans une autre page. Connectez-vous "
            "avec votre adresse email et votre nouveau mot de passe."
        ),
        Notice.CASE_STOPPED: _(
            "Ce changement d’identifiant a été arrêté. Si vous ne savez pas pourquoi, adressez-vous à "
            "l’assistance."
        ),
        **_of_codes(),
        **_of_accounts(),
    }
    return texts[kind]


def _of_codes() -> dict[Notice, str]:
    """What became of a code."""
    return {
        Notice.SEND_REFUSED: _(
            "Trop de codes ont été demandés : aucun nouveau code n’est parti. Réessayez dans "
            "quelques minutes."
        ),
        Notice.SMS_FAILED: _(
            "Le SMS n’a pas pu partir : nous avons envoyé un nouveau code par email."
        ),
        Notice.SMS_UNSENT: _(
            "Le SMS n’a pas pu partir : réessayez dans quelques minutes, ou choisissez un autre "
            "moyen plus bas."
        ),
    }


def _of_accounts() -> dict[Notice, str]:
    """What is said at the sign-in that follows a change of the account."""
    return {
        Notice.RECOVERED: _(
            "Votre nouveau mot de passe est enregistré, et toutes vos connexions ont pris fin. "
            "Connectez-vous avec lui."
        ),
        Notice.RECOVERY_OVER: _(
            "Ce compte vient d’être modifié ailleurs : ce qui a été vérifié ici ne compte plus. Si "
            "vous avez choisi un nouveau mot de passe dans une autre page, connectez-vous avec "
            "lui. Sinon, recommencez."
        ),
        Notice.PASSWORD_CHANGED: _(
            "Votre mot de passe est changé, et toutes vos connexions ont pris fin. Connectez-vous "
            "avec le nouveau."
        ),
        Notice.EMAIL_CHANGED: _(
            "Votre identifiant est changé, et toutes vos connexions ont pris fin. Connectez-vous "
            "avec votre nouvelle adresse."
        ),
    }
