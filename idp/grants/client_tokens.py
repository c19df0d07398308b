"""Access tokens that a client has for itself (RFC 6749 4.4): they hang on nobody's sign-in."""

from sqlalchemy import delete, select, update

from idp import clock
from idp.extensions import affected, db, settings
from idp.grants.models import ClientToken
from idp.grants.tokens import Terms
from idp.security import tokens


def issue(client_id: int, scope: str, terms: Terms) -> str:
    """Insert a token of the client (row id), for the resource server of the terms; its value, not kept."""
    value = terms.value or tokens.new_token()
    db.session.add(
        ClientToken(
            digest=tokens.digest(value),
            client_id=client_id,
            scope=scope,
            resource=terms.resource,
            jkt=terms.jkt,
            expires_at=clock.now() + (terms.life or settings.access_token_lifetime),
        )
    )
    return value


def find(value: str) -> ClientToken | None:
    """A living token."""
    return db.session.scalar(
        select(ClientToken).where(
            ClientToken.digest == tokens.digest(value), ClientToken.expires_at > clock.now()
        )
    )


def end(token: ClientToken) -> None:
    """Nobody can use it any more. Runs in the caller's transaction."""
    still = (ClientToken.id == token.id, ClientToken.expires_at > clock.now())
    db.session.execute(update(ClientToken).where(*still).values(expires_at=clock.now()))


def purge(limit: int) -> int:
    """Delete up to `limit` expired tokens; how many went."""
    old = select(ClientToken.id).where(ClientToken.expires_at < clock.now()).limit(limit)
    return affected(delete(ClientToken).where(ClientToken.id.in_(old)))
