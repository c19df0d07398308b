"""Security events of invitations, one typed function each: see `events`."""

from idp.audit.writing import record


def invitation_issued(
    *,
    sub: str | None,
    kind: str,
    about: str,
    contact: str,
    without_phone: bool,
    why: str,
    actor: str,
) -> None:
    """Support handed a code out, to move an old identity (`about`) or to bring the account back; `contact`,
    masked, is told. `without_phone`: the number on record is not asked for."""
    record(
        "invitation_issued",
        account=sub,
        actor=actor,
        kind=kind,
        about=about,
        contact=contact,
        without_phone=without_phone,
        why=why,
    )


def invitation_used(*, kind: str, sub: str | None, about: str, client_id: str) -> None:
    """The code of an invitation was typed; `about` is the old identity."""
    record("invitation_used", account=sub, client=client_id, kind=kind, about=about)


def invitation_refused(*, client_id: str, reference: str) -> None:
    """A text that is no invitation, or none any more; in one interaction one is written in a while."""
    record("invitation_refused", client=client_id, reference=reference)


def brought_back(*, sub: str, old: str, new: str, client_id: str, by_sms: bool) -> None:
    """Whoever lost the mailbox has a new one, and a new password, after an invitation; both masked."""
    record("brought_back", account=sub, client=client_id, old=old, new=new, by_sms=by_sms)
