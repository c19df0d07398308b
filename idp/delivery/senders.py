"""What a way out must be able to do, and how it says that it could not."""

from typing import Protocol, TypeVar

from idp.delivery.messages import Sms

M_contra = TypeVar("M_contra", contravariant=True)


class RetryLaterError(Exception):
    """Not now; the text holds no address and no code. `dead`: the gateway itself, not this message."""

    def __init__(self, text: str, *, dead: bool = True) -> None:
        super().__init__(text)
        self.dead = dead


class RefusedError(Exception):
    """This gateway does not take this message; another may."""


class UndeliverableError(Exception):
    """Nobody will take this message: the recipient's server said so, for good, or all gateways did."""


class Sender(Protocol[M_contra]):
    """One gateway. Its connection belongs to the thread that calls it; `abort` alone may come from another."""

    pulse: float
    """Seconds without a message after which `tend` is called, again and again."""

    def send(self, message: M_contra, uid: str) -> str:
        """Send one message; the gateway's own name for it, or "".

        `uid` is the same for every try of a message. Raises RetryLaterError, RefusedError or
        UndeliverableError.
        """
        ...

    def tend(self) -> None:
        """Nothing was sent for a pulse: keep the connection alive, or let it go."""
        ...

    def problem(self) -> str | None:
        """What is wrong with the gateway, looked at without sending a message; for administrators."""
        ...

    def abort(self) -> None:
        """Cut the connection under whoever waits for it."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


class SmsSender(Sender[Sms], Protocol):
    """A gateway for SMS: `http`, `smpp` or `apprise`."""
