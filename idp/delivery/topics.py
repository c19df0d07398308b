"""What a message is about, "kind:id" in words of whoever left it, and who answers for such messages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


def _always(_about: str) -> bool:
    return True


@dataclass(frozen=True)
class Owner:
    """Answers for messages about one kind of thing, each named by its id, in the worker's transaction.

    `lost` hears that a message was given up or came too late. True: something else took its place, and nobody
    needs it any more. `wanted` says whether a message is still good for anything.
    """

    lost: Callable[[str], bool]
    wanted: Callable[[str], bool] = _always


Owners = Mapping[str, Owner]
"""By the kind of a topic."""


def answered(topic: str | None, owners: Owners) -> bool:
    """Whether anybody answers for the topic."""
    return _kind_and_id(topic)[0] in owners


def tell(topic: str | None, owners: Owners) -> bool:
    """Tell whoever answers for the topic, if anybody; True when something else took the message's place."""
    kind, about = _kind_and_id(topic)
    return kind in owners and owners[kind].lost(about)


def wanted(topic: str | None, owners: Owners) -> bool:
    """Whether a message is still good for anything; that of a topic which nobody answers for is."""
    kind, about = _kind_and_id(topic)
    return kind not in owners or owners[kind].wanted(about)


def _kind_and_id(topic: str | None) -> tuple[str, str]:
    kind, _, about = (topic or "").partition(":")
    return kind, about
