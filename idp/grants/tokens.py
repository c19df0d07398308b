"""Access and refresh tokens, stored as digests; what they look like is not known here.

A token lives while it has not expired, its code is not revoked, and its epoch is the account's.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import contains_eager

from idp import clock
from idp.accounts.account import Account, AccountStatus
from idp.extensions import affected, db, settings
from idp.grants.models import AuthorizationCode, Token, TokenKind
from idp.security import tokens

_FRESH = insert(cast("Table", Token.__table__))


@dataclass(frozen=True)
class Terms:
    """What a token is tied to: `resource` and `jkt` as in `models`; the life of an access token (None: as
    usual); its value where that is made elsewhere."""

    resource: str | None = None
    jkt: str | None = None
    life: timedelta | None = None
    value: str | None = None


_USUAL = Terms()


def issue(kind: TokenKind, code: AuthorizationCode, scope: str, terms: Terms = _USUAL) -> str:
    """Insert a token that hangs on the code; its value, which is not kept."""
    value = terms.value or tokens.new_token()
    now = clock.now()
    if kind is TokenKind.ACCESS:
        expires_at = now + (terms.life or settings.access_token_lifetime)
    else:
        family_ends = code.created_at + settings.refresh_token_lifetime
        expires_at = min(now + settings.refresh_token_idle, family_ends)
    row = {
        "kind": kind,
        "digest": tokens.digest(value),
        "code_id": code.id,
        "authentication_id": code.authentication_id,
        "account_id": code.account_id,
        "epoch": code.epoch,
        "client_id": code.client_id,
        "scope": scope,
        "resource": terms.resource,
        "jkt": terms.jkt,
        "expires_at": expires_at,
    }
    db.session.execute(_FRESH, row)
    return value


_ALIVE = (
    select(Token)
    .join(Token.code)
    .join(Token.account)
    .join(Token.authentication)
    .options(
        contains_eager(Token.code),
        contains_eager(Token.account),
        contains_eager(Token.authentication),
    )
    .where(
        Token.digest == bindparam("digest"),
        Token.kind == bindparam("kind"),
        Token.expires_at > bindparam("now"),
        Token.epoch == Account.epoch,
        Account.status == AccountStatus.ACTIVE,
        AuthorizationCode.revoked_at.is_(None),
    )
)


def find(value: str, kind: TokenKind) -> Token | None:
    """A living token with its code, account and authentication, in one statement.

    A refresh token that was used already is found too: see `claim`.
    """
    asked = {"digest": tokens.digest(value), "kind": kind, "now": clock.now()}
    return db.session.scalar(_ALIVE, asked)


@dataclass(frozen=True)
class Held:
    """What a client (row id) can still use, since when."""

    client_id: int
    scope: str
    since: datetime


def living(account_id: int, epoch: int) -> list[Held]:
    """By client and scope, the tokens that work for an account."""
    since = func.min(AuthorizationCode.created_at)
    rows = db.session.execute(
        select(Token.client_id, Token.scope, since)
        .join(Token.code)
        .where(
            Token.account_id == account_id,
            Token.epoch == epoch,
            Token.expires_at > clock.now(),
            Token.used_at.is_(None),
            AuthorizationCode.revoked_at.is_(None),
        )
        .group_by(Token.client_id, Token.scope)
    )
    return [Held(*row) for row in rows]


def claim(token: Token) -> bool:
    """Use a refresh token up, once in all: False when somebody was first (RFC 9700 4.14)."""
    return bool(
        affected(
            update(Token)
            .where(Token.id == token.id, Token.used_at.is_(None))
            .values(used_at=clock.now())
        )
    )


def end(token: Token) -> None:
    """Nobody can use it any more; what else hangs on its code lives on. Runs in the caller's transaction."""
    still = (Token.id == token.id, Token.expires_at > clock.now())
    db.session.execute(update(Token).where(*still).values(expires_at=clock.now()))


def purge(limit: int) -> int:
    """Delete up to `limit` expired tokens; how many went.

    A used refresh token stays until it would have expired, so that its reuse is noticed.
    """
    old = select(Token.id).where(Token.expires_at < clock.now()).limit(limit)
    return affected(delete(Token).where(Token.id.in_(old)))
