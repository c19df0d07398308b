"""Outcomes in words. Public texts are constants; only waits and limits are filled in."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import cast

from flask_babel import format_datetime, gettext
from flask_babel import ngettext as _plural

from idp.accounts.password import PasswordProblem
from idp.accounts.phones import PhoneProblem
from idp.challenges.results import CodeProblem, CodeRefused, SendProblem, SendRefused
from idp.extensions import settings
from idp.flow.joining import JoinRefused
from idp.flow.sign_in import Refusal, SignInRefused
from idp.pages import doors

_ = cast("Callable[..., str]", gettext)
ngettext = cast("Callable[..., str]", _plural)


@dataclass(frozen=True)
class Problem:
    """One thing wrong: the id of the field to mend, and what to do. `recovers`: a new password helps; `barred`:
    nothing that is typed here does; `reference`: the case that the text names for support."""

    field: str
    text: str
    recovers: bool = False
    barred: bool = False
    reference: str | None = None


def wait(time: timedelta) -> str:
    """«dans 24 secondes», «dans 3 minutes»."""
    seconds = ceil(time.total_seconds())
    if seconds < 60:
        return ngettext("dans %(num)s seconde", "dans %(num)s secondes", seconds)
    minutes = ceil(seconds / 60)
    if minutes < 120:
        return ngettext("dans %(num)s minute", "dans %(num)s minutes", minutes)
    hours = ceil(minutes / 60)
    return ngettext("dans %(num)s heure", "dans %(num)s heures", hours)


def sign_in_problem(refused: SignInRefused) -> Problem:
    """Why nobody is signed in. WRONG says the same for everybody."""
    match refused.reason:
        case Refusal.BUSY:
            text = busy()
        case Refusal.THROTTLED:
            again = wait(refused.wait or timedelta(seconds=1))
            text = _("Trop d’essais. Réessayez %(again)s.", again=again)
        case Refusal.WRONG:
            text = _wrong(refused)
        case _:
            text = _told_to_the_right_password(refused)
    barred = refused.reason in _BARRED
    return Problem("identifier", text, barred=barred, reference=refused.reference)


_BARRED = {
    *(Refusal.BUSY, Refusal.THROTTLED, Refusal.LOCKED),
    *(Refusal.MUST_CHANGE, Refusal.SUPPORT),
}


def _told_to_the_right_password(refused: SignInRefused) -> str:
    match refused.reason:
        case Refusal.LOCKED:
            return _("Ce compte est bloqué dans l’ancien système. Adressez-vous à l’assistance.")
        case Refusal.MUST_CHANGE:
            return _(
                "Ce mot de passe doit d’abord être changé dans l’ancien système. "
                "Adressez-vous à l’assistance."
            )
        case Refusal.RECOVERY:
            return _(
                "Trop de codes faux ont été saisis pour ce compte. Choisissez un nouveau mot de "
                "passe avec « Mot de passe oublié ? »."
            )
        case Refusal.MOVED:
            return _(
                "Votre identifiant est maintenant %(email)s : connectez-vous avec cette adresse email.",
                email=refused.identifier,
            )
        case _:
            return _(
                "Pour ouvrir ce compte, il faut une vérification par l’assistance. Donnez-lui cette "
                "référence : %(reference)s.",
                reference=refused.reference or "",
            )


def busy() -> str:
    """Nothing was looked at."""
    return _("Trop de personnes se connectent en ce moment. Réessayez dans quelques secondes.")


def busy_problem(field: str) -> Problem:
    """The same, where something was typed."""
    return Problem(field, busy())


def _wrong(refused: SignInRefused) -> str:
    if doors.shut(refused.door):
        text = _(
            "Aucun compte ne s’ouvre avec cet identifiant et ce mot de passe. Si votre identifiant "
            "est votre adresse email, vérifiez les deux et réessayez."
        )
    else:
        text = _("Identifiant ou mot de passe incorrect. Vérifiez les deux et réessayez.")
    if refused.source_unavailable:
        text += " " + _(
            "Il se peut aussi que l’ancien système ne réponde pas en ce moment : si vous vous "
            "connectez pour la première fois, réessayez dans quelques minutes."
        )
    return " ".join(filter(None, (text, doors.perhaps(refused.door))))


def code_problem(refused: CodeRefused) -> Problem:
    """Why a code was refused."""
    match refused.problem:
        case CodeProblem.MALFORMED:
            text = _("Saisissez les %(digits)s chiffres du code.", digits=settings.code_digits)
        case CodeProblem.WRONG:
            text = _("Ce code n’est pas le bon. Vérifiez le dernier message reçu.")
        case CodeProblem.EXPIRED:
            text = _("Ce code n’est plus valable. Demandez-en un nouveau.")
        case CodeProblem.EXHAUSTED:
            again = wait(refused.wait or timedelta(minutes=1))
            text = _("Trop de codes faux. Réessayez %(again)s avec un nouveau code.", again=again)
        case CodeProblem.RECOVERY:
            text = _(
                "Trop de codes faux ont été saisis pour ce compte. Choisissez un nouveau mot de "
                "passe avec « Mot de passe oublié ? »."
            )
    return Problem("code", text, recovers=refused.problem is CodeProblem.RECOVERY)


def code_status(refused: CodeRefused) -> int:
    """HTTP status of a refused code: 429 (RFC 6585 4) when waiting would help."""
    return 429 if refused.problem in {CodeProblem.EXHAUSTED, CodeProblem.RECOVERY} else 422


def send_refusal(refused: SendRefused) -> str:
    """Why no code was sent."""
    if refused.problem is SendProblem.NO_SMS:
        return _(
            "L’envoi de SMS dans ce pays n’est pas possible en ce moment. Donnez un autre numéro, ou "
            "aucun : vous recevrez les codes par email."
        )
    again = wait(refused.wait)
    if refused.problem is SendProblem.TOO_SOON:
        return _("Un code vient d’être envoyé. Réessayez %(again)s.", again=again)
    return _("Trop de codes ont été demandés. Réessayez %(again)s.", again=again)


def send_status(refused: SendRefused) -> int:
    """HTTP status of a code that was not sent: 429 (RFC 6585 4) when waiting would help."""
    return 422 if refused.problem is SendProblem.NO_SMS else 429


def send_problem(field: str, refused: SendRefused) -> Problem:
    """The same, where what was typed has to wait."""
    return Problem(field, send_refusal(refused))


def phone_problem(problem: PhoneProblem) -> Problem:
    """Why a number cannot be used."""
    texts = {
        PhoneProblem.INVALID: _(
            "Ce n’est pas un numéro de téléphone. Exemple : 079 123 45 67 ou +33 6 12 34 56 78."
        ),
        PhoneProblem.COUNTRY: _(
            "Nous n’envoyons pas de SMS dans ce pays. Donnez un autre numéro, ou aucun."
        ),
        PhoneProblem.NOT_MOBILE: _(
            "Ce numéro ne peut pas recevoir de SMS. Donnez un numéro de mobile, ou aucun."
        ),
    }
    return Problem("phone", texts[problem])


def email_problem() -> Problem:
    """A text that is no address."""
    return Problem("email", _("Ce n’est pas une adresse email. Exemple : nom@exemple.ch."))


def present_problem(pause: timedelta | None) -> Problem:
    """The present password was wrong, or typed too often."""
    if pause is None:
        return Problem("present", _("Ce n’est pas votre mot de passe actuel."))
    return Problem("present", _("Trop d’essais. Réessayez %(again)s.", again=wait(pause)))


def join_problem(refused: JoinRefused) -> Problem:
    """Why the account with the proven address is not joined."""
    if refused.recovers:
        text = _told_to_the_right_password(SignInRefused(Refusal.RECOVERY))
    elif refused.wait is not None:
        text = _("Trop d’essais. Réessayez %(again)s.", again=wait(refused.wait))
    else:
        text = _("Ce n’est pas le mot de passe de ce compte. Vérifiez-le et réessayez.")
    return Problem("password", text)


def taken_problem() -> Problem:
    """An address that is somebody else's, told to who reads its mail."""
    text = _("Cette adresse est déjà l’identifiant d’un autre compte : donnez-en une autre.")
    return Problem("email", text)


def held_problem(field: str, until: datetime) -> Problem:
    """Contacts that stay as they are for a while."""
    return Problem(field, held(until))


def held(until: datetime) -> str:
    """Why, and until when."""
    return _(
        "Votre compte a changé il y a peu : par sécurité, votre adresse et votre numéro ne peuvent pas "
        "être changés avant le %(day)s.",
        day=moment(until),
    )


def moment(time: datetime) -> str:
    """«23 novembre 2026, 14:05», by the deployment's clock."""
    return str(format_datetime(time, "d MMMM y, HH:mm"))


def day(time: datetime) -> str:
    """«23 novembre 2026», likewise."""
    return str(format_datetime(time, "d MMMM y"))


def password_problem(problem: PasswordProblem) -> Problem:
    """What is wrong with a new password."""
    texts = {
        PasswordProblem.MISMATCH: _("Les deux mots de passe ne sont pas les mêmes."),
        PasswordProblem.TOO_SHORT: _(
            "Ce mot de passe est trop court : il faut au moins %(least)s caractères.",
            least=settings.password_min,
        ),
        PasswordProblem.TOO_LONG: _(
            "Ce mot de passe est trop long : %(most)s caractères au plus.",
            most=settings.password_max,
        ),
        PasswordProblem.PERSONAL: _(
            "Ce mot de passe contient votre nom, votre adresse ou votre identifiant. "
            "Choisissez-en un autre."
        ),
        PasswordProblem.COMMON: _(
            "Ce mot de passe est trop répandu : il fait partie de ceux que l’on essaie en premier. "
            "Choisissez-en un autre."
        ),
        PasswordProblem.WEAK: _(
            "Ce mot de passe est trop facile à deviner. Ajoutez un ou deux mots inattendus."
        ),
        PasswordProblem.LEGACY: _("C’est votre ancien mot de passe. Choisissez-en un nouveau."),
        PasswordProblem.PRESENT: _("C’est votre mot de passe actuel. Choisissez-en un nouveau."),
    }
    field = "confirmation" if problem is PasswordProblem.MISMATCH else "password"
    return Problem(field, texts[problem])
