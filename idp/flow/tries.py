"""How wrong passwords are counted: for an identifier and a network together, for each alone, and for all.

The rows are the same ones whoever the identifier may belong to, so that no count tells who somebody is.
A browser that has signed in to the account before has counters of its own: strangers fill up theirs, and
the owner is not held up.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from idp.accounts.addresses import LONGEST, folded, parse_email
from idp.extensions import settings
from idp.legacy.source import SourceOptions
from idp.security import networks, throttle
from idp.security.throttle import Backoff, Bucket, Budget

_WIDE = 4
_OLD_SYSTEM_REMEMBERS = timedelta(minutes=15)


@dataclass(frozen=True)
class Visitor:
    """Who tries, as far as counters care.

    `knows(sub, epoch)` tells whether this browser has signed in to that account, as it is now, before.
    """

    network: str
    knows: Callable[[str, int], bool]


@dataclass(frozen=True)
class Tries:
    """The counters of one try. Success empties `own`; `shared` ones get back what was taken."""

    own: tuple[Backoff, ...]
    shared: tuple[Bucket, ...] = ()

    def reserve(self) -> timedelta | None:
        """Take a try from each, in the caller's transaction; None, or how long to wait."""
        return throttle.reserve(*self.own, *self.shared)


def give_back(*tries: Tries) -> None:
    """The password was right. In the caller's transaction, last: everybody waits for the shared rows."""
    throttle.clear(
        *(bucket for one in tries for bucket in one.own),
        back=[bucket for one in tries for bucket in one.shared],
    )


def at_identifier(key: str, network: str) -> Tries:
    """A try of a browser that the identifier's owner, if there is one, has not signed in from."""
    name = _counted_as(key)
    return Tries(
        own=(_alone(f"password:{name}:{network}", settings.wrong_passwords_free),),
        shared=(
            _alone(f"password:{name}", settings.wrong_passwords_account),
            *_at_network("password-network", network),
            _together("password-everywhere", settings.wrong_passwords_everywhere),
        ),
    )


def at_known_account(sub: str, network: str) -> Tries:
    """A try of a browser that has signed in to the account before. Stolen, its cookie is worth no more."""
    return Tries(
        own=(
            _alone(f"password-known:{sub}:{network}", settings.wrong_passwords_free),
            _alone(f"password-known:{sub}", settings.wrong_passwords_account),
        )
    )


def at_old_identifier(sub: str, network: str) -> Tries:
    """A try at an account's password under an identifier that its owner had before. Counted apart: counted
    with those at the address, it would tell whose address goes with which old identifier."""
    return Tries(
        own=(_alone(f"password-moved:{sub}:{network}", settings.wrong_passwords_free),),
        shared=(_alone(f"password-moved:{sub}", settings.wrong_passwords_account),),
    )


def at_recovery(network: str) -> Tries:
    """A wish to recover, whoever is meant and whatever comes of it."""
    return Tries(own=(), shared=_at_network("recovery-network", network))


def at_invitation(network: str) -> Tries:
    """A try at the code of an invitation, whosoever."""
    return Tries(
        own=(),
        shared=(
            *_at_network("invitation-network", network),
            _together("invitation-everywhere", settings.wrong_passwords_everywhere),
        ),
    )


def at_row(source: SourceOptions, key: str, network: str) -> Tries:
    """A try at a row of an old system, however its identifier was spelt.

    The old system counts too, and may lock its row: it gets to see no more of them than its description says.
    """
    row = f"{source.name}:{key}"
    return Tries(
        own=(_alone(f"old-password:{row}:{network}", settings.wrong_passwords_free),),
        shared=(
            _alone(f"old-password:{row}", settings.wrong_passwords_account),
            Budget(f"old-system:{row}", source.tries, _OLD_SYSTEM_REMEMBERS, from_last=True),
        ),
    )


def key_of(identifier: str) -> str:
    """What an account is looked up by, and tries are counted under: an address's key, or the folded text."""
    address = parse_email(identifier)
    return address.key if address else folded(printable(identifier).strip())


def printable(identifier: str) -> str:
    """What may be shown again and stored: no control characters, no more than an address is long."""
    text = identifier[:LONGEST].encode("utf-8", "replace").decode("utf-8")
    return "".join(sign for sign in text if unicodedata.category(sign)[0] != "C")


def _counted_as(key: str) -> str:
    """Letters and digits without accents: what databases take for the same text must count as the same."""
    bare = unicodedata.normalize("NFKD", key)
    return "".join(sign for sign in bare if unicodedata.category(sign)[0] in "LN" or sign == "@")


def _alone(key: str, free: int) -> Backoff:
    return Backoff(key, free, settings.wrong_password_delay)


def _at_network(kind: str, network: str) -> tuple[Backoff, ...]:
    """A line with IPv6 has often many networks: in all of them it has a few times what it has in one."""
    free = settings.wrong_passwords_network
    site = networks.site(network)
    wide = (_together(f"{kind}:{site}", _WIDE * free),) if site != network else ()
    return (_together(f"{kind}:{network}", free), *wide)


def _together(key: str, free: int) -> Backoff:
    """For many people: forgotten after a while, even if somebody mistypes all the time."""
    window = settings.wrong_passwords_window
    return Backoff(key, free, settings.wrong_password_delay, window, from_first=True)
