"""Signing keys: made, published ahead, used, rotated, retired (DESIGN 7).

A key is published from the moment it is made, signs from `activate_at` to `expire_at`, and stays
published until `retire_at`, so that whoever caches our JWKS never meets an unknown `kid`. Its public half
then still reads the ID tokens that come back to us as hints, for as long as anybody may keep one.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey
from jwcrypto import jwk
from sqlalchemy import ColumnElement, case, delete, func, literal, select, update
from sqlalchemy.orm import InstrumentedAttribute

from idp import clock
from idp.errors import ConfigurationError
from idp.extensions import UtcDateTime, affected, db, settings
from idp.keys import wrapping
from idp.keys.models import SigningKey
from idp.security import versions
from idp.security.versions import VersionedCache

ALGORITHMS = ("RS256", "ES256", "PS256", "EdDSA")
"""What a deployment can sign with; the last is by Ed25519."""
USUAL = ("RS256", "ES256")
"""What every deployment signs with."""
_SHAPES: dict[str, dict[str, Any]] = {
    "RS256": {"kty": "RSA", "size": 2048},
    "ES256": {"kty": "EC", "crv": "P-256"},
    "PS256": {"kty": "RSA", "size": 2048},
    "EdDSA": {"kty": "OKP", "crv": "Ed25519"},
}
_NAME = "signing-keys"
CACHED = timedelta(minutes=5)
"""How long relying parties may keep our keys without asking again."""
_NOTICED = timedelta(seconds=5)
"""More than any process needs to notice a change (`versions.FRESH_FOR`)."""
KNOWN = _NOTICED + CACHED
"""After so long every process publishes a key, and whoever had asked just before has asked again."""

PrivateKey = RSAKey | ECKey | OKPKey
_KINDS: dict[str, type[PrivateKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}


@dataclass(frozen=True)
class KeyPair:
    """A key that was made and not yet stored; `private` is wrapped."""

    kid: str
    alg: str
    public: dict[str, Any]
    private: str


@dataclass(frozen=True)
class _Loaded:
    """One key as this process holds it; of a key that is published no more, `key` is the public half."""

    kid: str
    alg: str
    activate_at: datetime
    expire_at: datetime
    retire_at: datetime
    known_until: datetime
    key: PrivateKey
    public: dict[str, Any]


def active(alg: str) -> PrivateKey:
    """The key that signs now: the youngest that is active. Cached, with its `kid`.

    A key whose successor nobody made signs on while it is published, because the other choice is that
    nobody can sign in. Raises ConfigurationError when there is none.
    """
    now = clock.now()
    begun = [key for key in _published() if key.alg == alg and key.activate_at <= now]
    if not begun:
        raise ConfigurationError(f"no active {alg} signing key; make one with `idp keys create`")
    return max(begun, key=lambda key: (now < key.expire_at, key.activate_at)).key


def public_jwks() -> dict[str, list[dict[str, Any]]]:
    """The JWK Set (RFC 7517) of every published key, public members only."""
    return {"keys": [key.public for key in _published()]}


def verification_keys() -> KeySet:
    """What checks our own ID tokens, of whatever age: published keys, and those that time has retired."""
    now = clock.now()
    return KeySet([key.key for key in _cache.get() if key.known_until > now])


def new_pair(alg: str) -> KeyPair:
    """Make a key pair. RSA takes up to half a second, so never inside a transaction."""
    key = jwk.JWK.generate(use="sig", alg=alg, **_SHAPES[alg])
    kid = key.thumbprint()
    return KeyPair(
        kid=kid,
        alg=alg,
        public={**key.export_public(as_dict=True), "kid": kid},
        private=wrapping.wrap(key.export_private().encode(), f"signing-key:{kid}"),
    )


def create(pair: KeyPair) -> SigningKey:
    """Store a key. The first of its algorithm signs at once; others are published for a while before.

    They start no later than the present one ends.
    """
    return _store(pair, _next_start(pair.alg))


def rotate(pair: KeyPair) -> SigningKey:
    """Store a key that signs as soon as nobody's cache lacks it; the others stop a moment later.

    They stay published. After a leak that is too late: `revoke`.
    """
    starts = clock.now() + KNOWN
    fresh = _store(pair, starts)
    db.session.execute(
        update(SigningKey)
        .where(SigningKey.alg == pair.alg, SigningKey.kid != fresh.kid)
        .where(SigningKey.expire_at > starts + _NOTICED)
        .values(_ending(starts + _NOTICED))
    )
    return fresh


def retire(kid: str) -> bool:
    """Forget a key now: whatever it signed no longer verifies, not even for us. False when there is none."""
    now = clock.now()
    ended = affected(
        update(SigningKey)
        .where(SigningKey.kid == kid, SigningKey.known_until > now)
        .values(
            expire_at=_at_most(SigningKey.expire_at, now),
            retire_at=_at_most(SigningKey.retire_at, now),
            known_until=now,
        )
    )
    _changed()
    return bool(ended)


def _at_most(end: InstrumentedAttribute[datetime], now: datetime) -> ColumnElement[datetime]:
    """What was over before stays so."""
    return case((end > now, literal(now, UtcDateTime)), else_=end)


def revoke(kid: str, pair: KeyPair) -> str | None:
    """Stop publishing a key now and let another sign at once, if none does; that one's `kid`.

    The other is one that was announced, which relying parties may know already, or else `pair`, of the same
    algorithm.
    """
    retire(kid)
    now = clock.now()
    mine = select(SigningKey).where(SigningKey.alg == pair.alg, SigningKey.expire_at > now)
    others = list(db.session.scalars(mine.order_by(SigningKey.activate_at)))
    if not others:
        return _store(pair, now).kid
    if others[0].activate_at <= now:
        return None
    others[0].activate_at = now
    return others[0].kid


def succeed(pairs: list[KeyPair]) -> list[str]:
    """Store the successor of every key whose end comes nearer than the publication time; their `kid`s.

    Of several workers that see it at once, one stores the key: `bump` holds the others up.
    """
    versions.bump(_NAME)
    due = ending()
    return [create(pair).kid for pair in pairs if pair.alg in due]


def ending() -> list[str]:
    """Algorithms in use whose last key ends within the publication time."""
    soon = clock.now() + settings.key_publication
    return [alg for alg in ALGORITHMS if (end := _last_end(alg)) and end <= soon]


def lacking() -> list[str]:
    """Usual algorithms that have no published key."""
    return [alg for alg in USUAL if _last_end(alg) is None]


def in_use() -> list[str]:
    """Algorithms that have a published key, whether it can be opened or not."""
    return [alg for alg in ALGORITHMS if _last_end(alg)]


def available() -> list[str]:
    """Algorithms that have a key that signs."""
    now = clock.now()
    return [
        alg
        for alg in ALGORITHMS
        if any(k.alg == alg and k.activate_at <= now for k in _published())
    ]


def listing() -> list[SigningKey]:
    """Every key that is kept, oldest first."""
    return list(db.session.scalars(select(SigningKey).order_by(SigningKey.created_at)))


def purge(limit: int) -> int:
    """Delete up to `limit` keys that have been of no use for a day; how many went.

    Of those that only read hints the private half goes.
    """
    before = clock.now() - timedelta(days=1)
    silent = update(SigningKey).where(SigningKey.retire_at < before, SigningKey.private != "")
    db.session.execute(silent.values(private=""))
    old = select(SigningKey.kid).where(SigningKey.known_until < before)
    return affected(delete(SigningKey).where(SigningKey.kid.in_(old.limit(limit))))


def _last_end(alg: str) -> datetime | None:
    """When the last published key of an algorithm stops signing; None when there is no such key."""
    newest = select(func.max(SigningKey.expire_at)).where(
        SigningKey.alg == alg, SigningKey.retire_at > clock.now()
    )
    return db.session.scalar(newest)


def _next_start(alg: str) -> datetime:
    now, end = clock.now(), _last_end(alg)
    if end is None:
        return now
    return max(now + KNOWN, min(end, now + settings.key_publication))


def _store(pair: KeyPair, starts: datetime) -> SigningKey:
    ends = _ending(starts + settings.key_rotation)
    row = SigningKey(**vars(pair), activate_at=starts, **ends)
    db.session.add(row)
    db.session.flush()
    _changed()
    return row


def _ending(expire_at: datetime) -> dict[str, datetime]:
    """A refresh token is the longest that anybody holds of us, and the ID token that came with it."""
    retire_at = expire_at + settings.key_publication
    known_until = retire_at + settings.refresh_token_lifetime
    return {"expire_at": expire_at, "retire_at": retire_at, "known_until": known_until}


def _changed() -> None:
    versions.bump(_NAME)
    _cache.forget()


def _published() -> list[_Loaded]:
    now = clock.now()
    return [key for key in _cache.get() if key.retire_at > now]


def _load() -> list[_Loaded]:
    kept = select(SigningKey).where(SigningKey.known_until > clock.now())
    rows = db.session.scalars(kept.order_by(SigningKey.activate_at, SigningKey.kid))
    return [_opened(row) for row in rows]


def _opened(row: SigningKey) -> _Loaded:
    members = row.public if row.retire_at <= clock.now() else _private(row)
    return _Loaded(
        kid=row.kid,
        alg=row.alg,
        activate_at=row.activate_at,
        expire_at=row.expire_at,
        retire_at=row.retire_at,
        known_until=row.known_until,
        key=_KINDS[members["kty"]].import_key({**members, "kid": row.kid}),
        public=row.public,
    )


def _private(row: SigningKey) -> dict[str, Any]:
    try:
        members: dict[str, Any] = json.loads(wrapping.unwrap(row.private, f"signing-key:{row.kid}"))
    except wrapping.WrapError:
        message = (
            f"signing key {row.kid} was wrapped with another key-encryption key than "
            f"{settings.kek_file}; put that one back, or give the signing key up with `idp keys retire`"
        )
        raise ConfigurationError(message) from None
    return members


_cache: VersionedCache[list[_Loaded]] = VersionedCache(_NAME, _load)
