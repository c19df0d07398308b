"""Opening a case and keeping its choices. Everything runs inside the caller's transaction."""

import secrets
from typing import NamedTuple

from sqlalchemy import delete, select

from idp import clock
from idp.accounts.addresses import EmailAddress
from idp.accounts.profile import Profile
from idp.audit import events
from idp.extensions import affected, db, settings
from idp.legacy import identity as identities
from idp.migration.models import MigrationCase

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""What people can read out on the telephone without doubt."""


class Known(NamedTuple):
    """What the old system says of a person whose password was right."""

    source: str
    key: str
    profile: Profile


def open_or_resume(known: Known) -> MigrationCase | None:
    """The case of this identity, its choices kept if they have not expired. None: already migrated."""
    identity = identities.meet_alone(known.source, known.key)
    if identity.account_id is not None:
        return None
    case = db.session.scalar(select(MigrationCase).where(MigrationCase.identity_id == identity.id))
    new = case is None
    if case is None:
        case = MigrationCase(identity_id=identity.id, reference=new_reference())
        db.session.add(case)
    elif case.expires_at <= clock.now():
        case.email = case.phone = case.phone_refused_at = None
    case.profile = known.profile.as_json()
    _keep(case)
    db.session.flush()
    events.case_opened(source=known.source, reference=case.reference, resumed=not new)
    return case


def choose_email(case: MigrationCase, address: EmailAddress) -> None:
    """Note the new identifier."""
    case.email = address.address
    _keep(case)


def choose_phone(case: MigrationCase, number: str) -> None:
    """Note the number for codes by SMS, E.164."""
    case.phone, case.phone_refused_at = number, None
    _keep(case)


def refuse_phone(case: MigrationCase) -> None:
    """Note that the person gives no number."""
    case.phone, case.phone_refused_at = None, clock.now()
    _keep(case)


def reconsider_phone(case: MigrationCase) -> None:
    """Take a refusal back; a number stays noted."""
    case.phone_refused_at = None
    _keep(case)


def new_reference() -> str:
    """A name for support, such as `K7Q2-M4XD`; tells nothing about the person."""
    letters = [secrets.choice(_ALPHABET) for _ in range(8)]
    return "".join(letters[:4]) + "-" + "".join(letters[4:])


def _keep(case: MigrationCase) -> None:
    case.expires_at = clock.now() + settings.case_lifetime


def purge(limit: int) -> int:
    """Delete up to `limit` cases that expired, and remainders of completed ones after their time."""
    now = clock.now()
    stale = select(MigrationCase.id).where(
        (MigrationCase.completed_at.is_(None) & (MigrationCase.expires_at < now))
        | (MigrationCase.completed_at < now - settings.finished_case_kept)
    )
    return affected(delete(MigrationCase).where(MigrationCase.id.in_(stale.limit(limit))))
