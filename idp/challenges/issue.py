"""Sending codes. Everything here runs inside the caller's transaction."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
from sqlalchemy import select, update

from idp import clock
from idp.accounts.addresses import mask_email
from idp.accounts.phones import mask_phone
from idp.challenges import budgets, sms
from idp.challenges.challenge import Challenge, Channel, NewChallenge
from idp.challenges.results import SendProblem, SendRefused, Sent
from idp.delivery import outbox
from idp.delivery.messages import Message
from idp.extensions import db, settings
from idp.keys import wrapping
from idp.keys.wrapping import WrapError


@dataclass(frozen=True)
class Wording:
    """How the message is written: `template` differs from the purpose when there is bad news to tell."""

    locale: str
    service: str
    template: str


def open_challenge(
    new: NewChallenge, wording: Wording, *, network: str | None = None
) -> Sent | SendRefused:
    """Kill the interaction's current code and send a new one with a new secret.

    When no message may be sent, the current code stays as it is. `network` is where the wish to enrol a
    destination came from; second factors need none.
    """
    refused = budgets.reserve(new, network)
    if refused:
        return refused
    close_current(new.interaction_id)
    now = clock.now()
    context = secrets.token_urlsafe(16)
    secret = wrapping.wrap(pyotp.random_base32(32).encode(), f"challenge:{context}")
    challenge = Challenge(
        **vars(new),
        secret=f"{context}.{secret}",
        counter=secrets.randbelow(2**31),
        expires_at=now + settings.code_lifetime,
    )
    db.session.add(challenge)
    _emit(challenge, wording, now)
    return Sent(challenge.id)


def resend(
    challenge: Challenge, wording: Wording, *, network: str | None = None
) -> Sent | SendRefused:
    """Send the same code once more, or a fresh one when this has little life left (DESIGN 6)."""
    now = clock.now()
    since = now - (challenge.sent_at or challenge.created_at)
    if since < settings.resend_after:
        return SendRefused(SendProblem.TOO_SOON, settings.resend_after - since)
    dying = challenge.expires_at - now < settings.resend_minimum_life
    if dying or not _readable(challenge):
        return open_challenge(renewal(challenge), wording, network=network)
    refused = budgets.reserve(renewal(challenge), network)
    if refused:
        return refused
    _emit(challenge, wording, now)
    return Sent(challenge.id)


def renewal(challenge: Challenge) -> NewChallenge:
    """The same code request again, for a fresh challenge."""
    return NewChallenge(
        **{name: getattr(challenge, name) for name in NewChallenge.__dataclass_fields__}
    )


def current(interaction_id: str) -> Challenge | None:
    """The code that the interaction waits for."""
    return db.session.scalar(
        select(Challenge).where(
            Challenge.interaction_id == interaction_id, Challenge.closed_at.is_(None)
        )
    )


def close_current(interaction_id: str) -> None:
    """Kill the code that the interaction waits for, if any."""
    db.session.execute(
        update(Challenge)
        .where(Challenge.interaction_id == interaction_id, Challenge.closed_at.is_(None))
        .values(closed_at=clock.now())
    )


def close_all(account_id: int) -> None:
    """Kill every code that is on its way for an account, in whatever browser."""
    db.session.execute(
        update(Challenge)
        .where(Challenge.account_id == account_id, Challenge.closed_at.is_(None))
        .values(closed_at=clock.now())
    )


def code_of(secret: str, counter: int) -> str:
    """The digits (RFC 4226) of a challenge's wrapped secret.

    Raises WrapError when the key-encryption key was replaced since.
    """
    context, _, wrapped = secret.partition(".")
    key = wrapping.unwrap(wrapped, f"challenge:{context}").decode()
    return pyotp.HOTP(key, digits=settings.code_digits).at(counter)


def _readable(challenge: Challenge) -> bool:
    try:
        code_of(challenge.secret, challenge.counter)
    except WrapError:
        return False
    return True


def minutes_left(challenge: Challenge, now: datetime) -> int:
    """How long the code is still good, in whole minutes; a few seconds to show a page do not count."""
    left = challenge.expires_at - now + timedelta(seconds=5)
    return max(0, left // timedelta(minutes=1))


def _emit(challenge: Challenge, wording: Wording, now: datetime) -> None:
    challenge.emissions = (challenge.emissions or 0) + 1
    challenge.sent_at = now
    # Its id, which is the message's topic, comes from the database.
    db.session.flush()
    again = challenge.emissions > 1
    if challenge.decoy or (again and not budgets.admit_on_record(challenge.deliver_to)):
        return
    to = challenge.deliver_to or challenge.destination
    message = Message(
        channel=challenge.channel.value,
        to=to,
        template=wording.template,
        locale=wording.locale,
        words={
            "code": code_of(challenge.secret, challenge.counter),
            "service": wording.service,
            "minutes": minutes_left(challenge, now),
        },
    )
    mask = mask_email if challenge.channel is Channel.EMAIL else mask_phone
    masked, topic = mask(to), f"challenge:{challenge.id}"
    outbox.enqueue(message, expires_at=challenge.expires_at, masked=masked, topic=topic)
    if challenge.channel is Channel.SMS:
        sms.count_sent(challenge.destination)
