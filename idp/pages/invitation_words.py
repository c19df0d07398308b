"""What the pages after an invitation say."""

from collections.abc import Callable
from typing import cast

from flask_babel import gettext

from idp.flow.invited import InvitationRefused
from idp.flow.newcomer import ProfileProblem
from idp.pages.words import Problem, wait

_ = cast("Callable[..., str]", gettext)


def refused(refusal: InvitationRefused) -> Problem:
    """One text for every code that does not work."""
    if refusal.wait:
        return Problem(
            "invitation", _("Trop d’essais. Réessayez %(again)s.", again=wait(refusal.wait))
        )
    text = _(
        "Ce code d’invitation ne fonctionne pas. Vérifiez chaque lettre ; s’il a plus de quelques jours "
        "ou a déjà servi, demandez-en un autre à l’assistance."
    )
    return Problem("invitation", text)


def not_invited() -> Problem:
    """Another address than the newcomer's."""
    text = _(
        "L’invitation est pour l’adresse qui était inscrite ici. Si elle n’est pas juste, adressez-vous à "
        "l’assistance."
    )
    return Problem("email", text)


def profile(problem: ProfileProblem) -> Problem:
    """What a newcomer has to tell."""
    texts = {
        ProfileProblem.GIVEN_NAME: _("Donnez votre prénom."),
        ProfileProblem.FAMILY_NAME: _("Donnez votre nom."),
        ProfileProblem.BIRTHDATE: _("Donnez votre date de naissance, par exemple 14.03.1950."),
    }
    return Problem(problem.value, texts[problem])
