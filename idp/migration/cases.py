"""Opening a case and keeping its choices. Everything runs inside the caller's transaction."""

from typing import Any, NamedTuple

from sqlalchemy import select, update

from idp import clock
from idp.accounts.addresses import EmailAddress
from idp.accounts.profile import Profile
from idp.audit import cases as told
from idp.audit import events
from idp.extensions import db, settings
from idp.legacy import identity as identities
from idp.legacy import registry
from idp.legacy.identity import LegacyIdentity
from idp.legacy.source import Person
from idp.migration.models import MigrationCase
from idp.security.readable import new_reference

_OLD_EMAIL, _OLD_PHONE, _IDENTIFIER = "old_email", "old_phone", "identifier"


class Known(NamedTuple):
    """What the old system says of a person whose password was right; `group` is a word to count by, `email`
    and `phone` are what it has on record, `identifier` is what it calls the person."""

    source: str
    key: str
    profile: Profile
    group: str = ""
    email: str = ""
    phone: str = ""
    identifier: str = ""

    @classmethod
    def of(cls, source: str, person: Person, typed: str) -> "Known":
        """A row of a source, found by what was `typed`."""
        group = person.attributes.get("group", "")
        identifier = person.identifier or typed
        return cls(
            source, person.key, person.profile, group, person.email, person.phone, identifier
        )

    @classmethod
    def again(cls, source: str, key: str, stored: dict[str, Any]) -> "Known":
        """Read back what `as_json` wrote."""
        texts = (
            str(stored.get(name) or "") for name in ("group", _OLD_EMAIL, _OLD_PHONE, _IDENTIFIER)
        )
        return cls(source, key, Profile.from_json(stored), *texts)

    def as_json(self) -> dict[str, Any]:
        """What is said of the person, for a JSON column."""
        return {
            **self.profile.as_json(),
            "group": self.group,
            **self.on_record(),
            _IDENTIFIER: self.identifier,
        }

    def on_record(self) -> dict[str, str]:
        """How the old system reaches the person, for a JSON column."""
        return {_OLD_EMAIL: self.email, _OLD_PHONE: self.phone}


def open_or_resume(known: Known) -> MigrationCase | None:
    """The case of this identity, its choices kept if they have not expired. None: already migrated.

    A disputed one stays as it is: look at `open` before anything follows from it.
    """
    called = known.identifier[:254] or None
    identity = identities.meet_alone(known.source, known.key, called)
    if identity.account_id is not None:
        return None
    case = db.session.scalar(select(MigrationCase).where(MigrationCase.identity_id == identity.id))
    new = case is None
    if case is None:
        case = MigrationCase(identity_id=identity.id, reference=new_reference())
        db.session.add(case)
    elif case.disputed_at is not None:
        return case
    elif case.expires_at <= clock.now():
        case.email = case.phone = case.phone_refused_at = case.reminder_email = None
    if new or known.source != registry.RESERVED:
        case.profile = {**known.profile.as_json(), **known.on_record()}
        case.group_name = known.group[:64] or None
        identity.identifier = called
    _keep(case)
    db.session.flush()
    events.case_opened(source=known.source, reference=case.reference, resumed=not new)
    return case


def on_record(case: MigrationCase) -> tuple[str, str]:
    """The address and the number by which the old system reaches the person, unchecked; each may be empty."""
    return str(case.profile.get(_OLD_EMAIL) or ""), str(case.profile.get(_OLD_PHONE) or "")


def choose_email(case: MigrationCase, address: EmailAddress) -> None:
    """Note the new identifier, to which a code is on its way."""
    case.email = address.address
    case.code_sent_at = case.code_sent_at or clock.now()
    _keep(case)


def mailbox_proven(case: MigrationCase, address: str, locale: str) -> None:
    """For statistics, and for a reminder there if the person stops: the code came back. No proof: that is
    the interaction's."""
    case.mailbox_proven_at = case.mailbox_proven_at or clock.now()
    case.reminder_email, case.reminder_locale = address, locale


def confirmed(case: MigrationCase) -> None:
    """For statistics: the person has read which identifier is theirs."""
    case.confirmed_at = case.confirmed_at or clock.now()


def phone_proven(case: MigrationCase) -> None:
    """For statistics: the number is settled."""
    case.phone_settled_at = case.phone_settled_at or clock.now()


def met_conflict(case: MigrationCase) -> None:
    """For statistics: a proven address was somebody's already."""
    case.conflict_at = case.conflict_at or clock.now()


def choose_phone(case: MigrationCase, number: str) -> None:
    """Note the number for codes by SMS, E.164."""
    case.phone, case.phone_refused_at = number, None
    _keep(case)


def refuse_phone(case: MigrationCase) -> None:
    """Note that the person gives no number."""
    case.phone, case.phone_refused_at = None, clock.now()
    case.phone_settled_at = case.phone_settled_at or clock.now()
    _keep(case)


def reconsider_phone(case: MigrationCase) -> None:
    """Take a refusal back; a number stays noted."""
    case.phone_refused_at = None
    _keep(case)


def dispute(case_id: int) -> None:
    """Somebody whom it concerns says «this was not me»: nobody goes on until support has looked."""
    case = held(case_id)
    case.disputed_at = case.disputed_at or clock.now()
    case.reminder_email = None
    told.disputed(reference=case.reference)


def held(case_id: int) -> MigrationCase:
    """The case as it is now; nobody else changes it until the caller's transaction ends."""
    return db.session.get_one(MigrationCase, case_id, populate_existing=True, with_for_update=True)


def settle(case: MigrationCase) -> None:
    """Support has looked: the case is disputed no longer."""
    case.disputed_at = None


def settle_all(account_id: int) -> None:
    """The same, of every identity that an account holds."""
    mine = select(LegacyIdentity.id).where(LegacyIdentity.account_id == account_id)
    db.session.execute(
        update(MigrationCase)
        .where(MigrationCase.identity_id.in_(mine), MigrationCase.disputed_at.is_not(None))
        .values(disputed_at=None)
    )


def begin_anew(case: MigrationCase) -> None:
    """As if nobody had chosen anything."""
    case.email = case.phone = case.phone_refused_at = case.reminder_email = None
    case.completed_at = case.disputed_at = case.conflict_at = None
    case.code_sent_at = case.mailbox_proven_at = None
    case.confirmed_at = case.phone_settled_at = None
    _keep(case)


def of_identity(identity_id: int) -> MigrationCase | None:
    """The case of an old identity; a finished one is kept for a while only."""
    return db.session.scalar(select(MigrationCase).where(MigrationCase.identity_id == identity_id))


def _keep(case: MigrationCase) -> None:
    case.expires_at = clock.now() + settings.case_lifetime
