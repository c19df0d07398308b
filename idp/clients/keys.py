"""Public keys of relying parties (RFC 7517): in the registration, or at an address that is asked for them."""

import threading
import time
import warnings
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import structlog
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

from idp.clients import addresses
from idp.clients.registration import Registration
from idp.clients.registry import RegisteredClient
from idp.extensions import release
from idp.security import strict_json
from idp.security.outgoing import Service, SilentError
from idp.security.slots import Slots

ALGORITHMS = ("RS256", "PS256", "ES256", "Ed25519", "EdDSA")
"""What clients may sign with; the last is the older name of the one before it (RFC 9864)."""
MOST = 20
"""Keys in a set."""
_FRESH, _PATIENCE = 300.0, 30.0
"""Seconds: for so long keys are believed; so long an address is left alone after an answer, or none."""
_REMEMBERED = 1000
"""Addresses whose keys are held; applications that register themselves could name any number."""
_SHAPES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "RS256": lambda key: key["kty"] == "RSA",
    "PS256": lambda key: key["kty"] == "RSA",
    "ES256": lambda key: key["kty"] == "EC" and key.get("crv") == "P-256",
    "Ed25519": lambda key: key["kty"] == "OKP" and key.get("crv") == "Ed25519",
    "EdDSA": lambda key: key["kty"] == "OKP" and key.get("crv") == "Ed25519",
}
_MEMBERS = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
"""What makes a public key (RFC 7518 6, RFC 8037 2). A library could take other members for orders."""
# Clients choose name and size, so they are no news to whoever reads our log.
warnings.filterwarnings("ignore", "EdDSA is deprecated|Key size should be", SecurityWarning)

PublicKey = RSAKey | ECKey | OKPKey

_log = structlog.get_logger("seuil.clients")
_service = Service(at_once=8, largest=128 * 1024)
_strangers, _AT_ONCE = Slots(), 2
"""So many threads of a process wait for addresses of applications that registered themselves: some might never
answer. Whoever comes beyond that goes on with what is known."""


class UnusableKeysError(ValueError):
    """A key set that cannot be registered; the text says what to do."""


@dataclass(frozen=True)
class _Fetched:
    """What an address said, and when it was asked (`time.monotonic`)."""

    at: float
    keys: tuple[PublicKey, ...]


_fetched: dict[str, _Fetched] = {}
_asking: dict[str, threading.Lock] = {}


def read(jwks: Any) -> tuple[PublicKey, ...]:
    """The keys of a JWK Set that can be used; of another kind are passed over (RFC 7517 5).

    Raises UnusableKeysError for what is no set, holds private or shared keys, or too many.
    """
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise UnusableKeysError('must be a JWK Set: {"keys": [...]}')
    if len(keys) > MOST:
        raise UnusableKeysError(f"holds more than {MOST} keys")
    if any("d" in key or key.get("kty") == "oct" for key in keys):
        raise UnusableKeysError(
            "holds a private or shared key: take public keys only, and change that one"
        )
    return tuple(found for key in keys if (found := _imported(key)))


def load(client: Registration, kid: str | None) -> None:
    """Ask the client's address, if it has one and was not asked of late; again for a `kid` that is not there.

    Holds no connection of ours and must not run inside a transaction: RuntimeError.
    """
    uri = client.jwks_uri
    if not uri or not _wanting(uri, kid):
        return
    release()
    with _strangers.one_of(_AT_ONCE) if _is_strange(client) else nullcontext(True) as free:
        if free:
            _look(uri, kid)
    for old in [*_fetched][:-_REMEMBERED]:
        _fetched.pop(old, None)
        _asking.pop(old, None)


def _look(uri: str, kid: str | None) -> None:
    """Whoever comes meanwhile waits for the same answer instead of asking again or finding nothing."""
    with _asking.setdefault(uri, threading.Lock()):
        if _wanting(uri, kid):
            found, last = _ask(uri), _fetched.get(uri)
            kept = last.keys if last else ()
            _fetched[uri] = _Fetched(time.monotonic(), kept if found is None else found)


def _is_strange(client: Registration) -> bool:
    return isinstance(client, RegisteredClient) and client.by_itself


def _wanting(uri: str, kid: str | None) -> bool:
    """Whether an address has to be asked: never, too long ago, or before a key that is named now."""
    last = _fetched.get(uri)
    if last is None:
        return True
    age = time.monotonic() - last.at
    known = any(kid in {None, key.kid} for key in last.keys)
    return age >= (_FRESH if known else _PATIENCE)


def fitting(client: Registration, alg: str, kid: str | None) -> tuple[PublicKey, ...]:
    """Keys of the client that this signature can be of, as last loaded."""
    shape = _SHAPES.get(alg)
    if shape is None:
        return ()
    return tuple(
        key for key in _known(client) if shape(key.as_dict(private=False)) and _is(key, alg, kid)
    )


def for_encryption(client: Registration, alg: str) -> tuple[PublicKey, ...]:
    """Keys of the client with which this can be encrypted for it, as last loaded; those that say so first."""
    kty = "RSA" if alg.startswith("RSA") else "EC"
    fit = [key for key in _known(client) if _encrypts(key.as_dict(private=False), kty, alg)]
    return tuple(sorted(fit, key=lambda key: key.as_dict(private=False).get("use") != "enc"))


def shown(jwk: Any, alg: Any) -> PublicKey | None:
    """A public key that somebody shows of their own, if such a signature can be of it and it is no weak one."""
    try:
        (key,) = read({"keys": [jwk]})
    except ValueError:
        return None
    fits = alg in ALGORITHMS and _SHAPES[alg](key.as_dict(private=False))
    weak = isinstance(key, RSAKey) and key.public_key.key_size < 2048
    return key if fits and not weak else None


def _encrypts(key: dict[str, Any], kty: str, alg: str) -> bool:
    return key["kty"] == kty and key.get("use") in {None, "enc"} and key.get("alg") in {None, alg}


def _known(client: Registration) -> Iterable[PublicKey]:
    if client.jwks_uri:
        last = _fetched.get(client.jwks_uri)
        return last.keys if last else ()
    return read(client.jwks) if client.jwks else ()


def _is(key: PublicKey, alg: str, kid: str | None) -> bool:
    said = key.as_dict(private=False)
    return (
        (kid is None or key.kid == kid)
        and said.get("use") in {None, "sig"}
        and said.get("alg") in {None, alg}
    )


def _imported(key: dict[str, Any]) -> PublicKey | None:
    if not all(isinstance(key.get(name, ""), str) for name in ("kty", "use", "alg", "kid", "crv")):
        return None
    named = {"kty", "kid", "use", "alg", "key_ops", *_MEMBERS.get(key.get("kty", ""), ())}
    try:
        found = JWKRegistry.import_key({name: key[name] for name in key.keys() & named})
    except (JoseError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, RSAKey | ECKey | OKPKey) else None


def ask(uri: str) -> tuple[PublicKey, ...]:
    """The keys that an address publishes now. Must not run inside a transaction.

    Raises UnusableKeysError, with what is wrong.
    """
    try:
        answer = addresses.ask(_service, "GET", uri)
        if answer.status == 200:
            return read(strict_json.loads(answer.body))
    except UnusableKeysError:
        raise
    except (SilentError, ValueError) as error:
        raise UnusableKeysError(str(error)[:200]) from None
    raise UnusableKeysError(f"status {answer.status}")


def _ask(uri: str) -> tuple[PublicKey, ...] | None:
    try:
        return ask(uri)
    except UnusableKeysError as error:
        _log.warning("client_keys_silent", uri=uri, error=str(error))
    return None
