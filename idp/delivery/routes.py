"""Routes: which gateway a message takes, and which one is next when that is dead (DESIGN 6).

A route that was found dead rests: it is tried after the others for half a minute, so that only one
message waits for its time-out.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

import structlog
from flask import Flask, current_app

from idp import clock
from idp.delivery.lanes import Lanes
from idp.delivery.messages import Mail, Sms
from idp.delivery.senders import RefusedError, RetryLaterError, Sender, UndeliverableError

M = TypeVar("M")
_log = structlog.get_logger("seuil.delivery")

_REST = timedelta(seconds=30)
MARGIN = 5.0
"""Seconds that a lease lasts longer than all time-outs of one message: for the database around them."""


@dataclass(frozen=True)
class Plan(Generic[M]):
    """What the configuration says about a route. `timeout`: seconds for one whole message.

    `prefixes` are beginnings of numbers such as "+41"; "" stands for every number.
    """

    name: str
    timeout: float
    make: Callable[[], Sender[M]]
    prefixes: tuple[str, ...] = ("",)


@dataclass(frozen=True)
class Carried:
    """A message was taken: by which route, and the gateway's own name for it ("": none)."""

    route: str
    reference: str


class Route(Generic[M]):
    """One gateway at work."""

    def __init__(self, plan: Plan[M]) -> None:
        self.plan = plan
        self._lanes = Lanes(plan.name, plan.make)
        self._rests_until = datetime.min.replace(tzinfo=UTC)

    @property
    def resting(self) -> bool:
        """True while it was found dead a moment ago."""
        return self._rests_until > clock.now()

    def carry(self, message: M, uid: str) -> Carried:
        """Send over this gateway. Raises what senders raise."""
        began, outcome = time.monotonic(), "failed"
        try:
            reference = self._lanes.send(message, uid, self.plan.timeout)
            outcome = "sent"
            return Carried(self.plan.name, reference)
        except RetryLaterError as error:
            if error.dead:
                self._rests_until = clock.now() + _REST
            raise
        finally:
            took = round((time.monotonic() - began) * 1000)
            _log.info("message", route=self.plan.name, outcome=outcome, milliseconds=took)

    def problem(self) -> str | None:
        """What is wrong with the gateway, for administrators; asks over a connection of its own."""
        sender = self.plan.make()
        try:
            return sender.problem()
        finally:
            sender.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._lanes.close()


@dataclass(frozen=True)
class Routes:
    """Every way out of one deployment, in the order of its configuration."""

    mail: tuple[Route[Mail], ...]
    sms: tuple[Route[Sms], ...]

    def send(self, channel: str, message: Mail | Sms, uid: str) -> Carried:
        """Send over the channel's first route that takes the message.

        Raises UndeliverableError when a mail's recipient is refused, or every gateway refuses an SMS;
        RetryLaterError when that may change.
        """
        ways = {"email": self._send_mail, "sms": self._send_sms}
        return ways[channel](message, uid)

    def _send_mail(self, message: Mail | Sms, uid: str) -> Carried:
        assert isinstance(message, Mail)
        return _carry(self.mail, message, uid)

    def _send_sms(self, message: Mail | Sms, uid: str) -> Carried:
        assert isinstance(message, Sms)
        return _carry(self.for_number(message.to), message, uid)

    def for_number(self, number: str) -> tuple[Route[Sms], ...]:
        """The routes that name the longest beginning of this number (E.164)."""
        named = {prefix for route in self.sms for prefix in route.plan.prefixes}
        longest = max((one for one in named if number.startswith(one)), key=len, default=None)
        return tuple(route for route in self.sms if longest in route.plan.prefixes)

    def all(self) -> Iterator[Route[Mail] | Route[Sms]]:
        """Mail first."""
        yield from self.mail
        yield from self.sms

    def longest(self) -> float:
        """The most seconds that one message can take: all time-outs of a channel's routes."""
        mail = sum(route.plan.timeout for route in self.mail)
        named = {prefix for route in self.sms for prefix in route.plan.prefixes}
        ways = [[r for r in self.sms if prefix in r.plan.prefixes] for prefix in named]
        return max([mail, *(sum(route.plan.timeout for route in way) for way in ways)])

    def close(self) -> None:
        """Let go of every connection."""
        for route in self.all():
            route.close()


def _carry(routes: Sequence[Route[M]], message: M, uid: str) -> Carried:
    """Try one route after the other, those that rest last."""
    said, hopeless = [], True
    for route in sorted(routes, key=lambda route: route.resting):
        try:
            return route.carry(message, uid)
        except RefusedError as error:
            said.append(f"{route.plan.name}: {error}")
        except RetryLaterError as error:
            hopeless = False
            said.append(f"{route.plan.name}: {error}")
        except UndeliverableError as error:
            raise UndeliverableError(f"{route.plan.name}: {error}") from error
    text = "; ".join(said) or "no route for this country"
    raise UndeliverableError(text) if hopeless else RetryLaterError(text)


def current() -> Routes:
    """The running application's routes."""
    routes: Routes = current_app.extensions["seuil.routes"]
    return routes


def close(app: Flask) -> None:
    """Let go of the application's connections."""
    app.extensions["seuil.routes"].close()
