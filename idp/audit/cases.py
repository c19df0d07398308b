"""Security events of single migrations that somebody disputes, joins or undoes: see `events`."""

from idp.audit.writing import record


def disputed(*, reference: str) -> None:
    """Whoever the old system knows, or the account's owner, says «this was not me»."""
    record("case_disputed", reference=reference)


def joined(*, sub: str, source: str, reference: str, client_id: str) -> None:
    """The owner of an account showed that another old identity is theirs too."""
    record("case_joined", account=sub, client=client_id, source=source, reference=reference)


def reopened(*, reference: str, why: str, actor: str) -> None:
    """Support lets a case go on that was disputed or had expired."""
    record("case_reopened", actor=actor, reference=reference, why=why)


def reverted(*, sub: str, reference: str, closed: bool, why: str, actor: str) -> None:
    """Support gave an old identity back; `closed`: its account held no other, and is no more."""
    record(
        "migration_reverted",
        account=sub,
        actor=actor,
        reference=reference,
        account_closed=closed,
        why=why,
    )


def legacy_map_written(*, client_id: str, count: int, actor: str) -> None:
    """So many old identifiers, with the `sub` of who holds them, were written down for a relying party."""
    record("legacy_map_written", client=client_id, actor=actor, count=count)


def merged(
    *, sub: str, reference: str | None = None, other: str | None = None, why: str, actor: str
) -> None:
    """Support gave an account what a case stood for, or the account with the `other` subject."""
    given = {"reference": reference} if reference else {"other": other or ""}
    record("merged", account=sub, actor=actor, why=why, **given)
