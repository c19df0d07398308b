"""The campaign's door in words: when old identifiers are accepted, the same for everybody."""

from collections.abc import Callable
from datetime import date, datetime
from typing import cast

from flask_babel import format_date, format_datetime, gettext

from idp.migration.campaign import Door, DoorState

_ = cast("Callable[..., str]", gettext)


def shut(door: Door) -> str | None:
    """Why no old identifier is accepted, and what to do; None while some are."""
    match door.state:
        case DoorState.PAUSED if door.until:
            return _(
                "Les premières connexions avec un ancien identifiant sont suspendues jusqu’au "
                "%(moment)s. Revenez ensuite : rien n’est perdu.",
                moment=_moment(door.until),
            )
        case DoorState.PAUSED:
            return _(
                "Les premières connexions avec un ancien identifiant sont suspendues pour le "
                "moment. Revenez plus tard : rien n’est perdu."
            )
        case DoorState.NOT_YET if door.day:
            day = _day(door.day)
            return _("Les anciens identifiants seront acceptés ici dès le %(day)s.", day=day)
        case DoorState.CLOSED if door.day:
            return _(
                "Les anciens identifiants ont été acceptés jusqu’au %(day)s. Si vous n’avez pas "
                "changé le vôtre à temps, adressez-vous à l’assistance : elle vous aidera.",
                day=_day(door.day),
            )
    return None


def perhaps(door: Door) -> str | None:
    """What else may be the reason of a failed sign-in, whoever it was for; what is `shut` is said elsewhere."""
    if door.state is DoorState.PARTLY:
        return _(
            "Il se peut aussi que votre ancien identifiant ne soit pas accepté en ce moment : si "
            "vous vous connectez pour la première fois, adressez-vous à l’assistance."
        )
    return None


def _day(day: date) -> str:
    return str(format_date(day, "d MMMM y"))


def _moment(time: datetime) -> str:
    return str(format_datetime(time, "d MMMM y, HH:mm"))
