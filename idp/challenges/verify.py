"""Checking codes: reserve the try (commit), compare, then accept. Tries belong to the account or case,
so that they survive another message, challenge, tab, browser or restart."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from idp import clock
from idp.accounts.addresses import email_key
from idp.challenges import sms
from idp.challenges.challenge import Challenge, Channel, Purpose
from idp.challenges.issue import code_of
from idp.challenges.results import CodeProblem, CodeRefused, CodeVerified
from idp.extensions import affected, db, settings, unreferred
from idp.security import throttle, tokens
from idp.security.throttle import Budget


@dataclass(frozen=True)
class Expected:
    """What a reserved try is compared with, read before the connection is let go."""

    challenge_id: int
    secret: str
    counter: int
    tries: tuple[Budget, ...]
    decoy: bool

    def matches(self, code: str) -> bool:
        """Compare in constant time; a decoy as long as any other."""
        return tokens.same(code_of(self.secret, self.counter), code) and not self.decoy


def read_code(text: str) -> str | None:
    """The digits a person typed, spaces and dashes left out; None when that is no code."""
    digits = re.sub(r"[\s\-]", "", text)
    well_formed = re.fullmatch(rf"[0-9]{{{settings.code_digits}}}", digits)
    return digits if well_formed else None


def reserve_try(interaction_id: str, browser: str, purpose: Purpose) -> Expected | CodeRefused:
    """Take one try at the current code of this interaction in this browser.

    Runs in a transaction of its own, committed before the code is compared.
    """
    challenge = db.session.scalar(
        select(Challenge).where(
            Challenge.interaction_id == interaction_id,
            Challenge.browser == browser,
            Challenge.purpose == purpose,
            Challenge.closed_at.is_(None),
        )
    )
    if challenge is None or challenge.expires_at <= clock.now():
        return CodeRefused(CodeProblem.EXPIRED)
    tries = tries_of(challenge)
    wait = throttle.reserve(*tries)
    if wait and wait > settings.code_lifetime:
        return CodeRefused(CodeProblem.RECOVERY)
    if wait:
        return CodeRefused(CodeProblem.EXHAUSTED, wait)
    standing = _standing_for_a_password(challenge)
    barred = throttle.reserve(*standing) is not None
    return Expected(
        challenge.id,
        challenge.secret,
        challenge.counter,
        (*tries, *standing),
        decoy=challenge.decoy or barred,
    )


def accept(expected: Expected) -> CodeVerified | CodeRefused:
    """Use the code up, once, if it is still the current one; the row of wrong tries ends."""
    now = clock.now()
    used = affected(
        update(Challenge)
        .where(
            Challenge.id == expected.challenge_id,
            Challenge.closed_at.is_(None),
            Challenge.expires_at > now,
        )
        .values(verified_at=now, closed_at=now)
    )
    if not used:
        return CodeRefused(CodeProblem.EXPIRED)
    throttle.clear(*expected.tries)
    challenge = db.session.get_one(Challenge, expected.challenge_id)
    if challenge.channel is Channel.SMS:
        sms.count_used(challenge.destination)
    return _proof(challenge, now)


def tries_of(challenge: Challenge) -> tuple[Budget, ...]:
    """The buckets that a try at this challenge is counted in.

    Tries at a recovery are counted apart, by address, whether it is anybody's or not: a stranger's do not
    shut out the owner who signs in, nor one who recovers where the account is known. So are those at new
    contacts.
    """
    if challenge.known_browser:
        return (_short(f"recovery-known:{challenge.account_id}"),)
    if challenge.purpose is Purpose.RECOVERY_EMAIL:
        return (_short(f"recovery:{email_key(challenge.destination)}"),)
    if challenge.purpose is Purpose.RECOVERY_SMS:
        return (_short(f"recovery-sms:{challenge.account_id}"),)
    if challenge.purpose in {Purpose.EMAIL_CHANGE, Purpose.PHONE_CHANGE}:
        return (_short(f"change:{challenge.account_id}"),)
    if challenge.account_id is None:
        return (_short(f"case:{challenge.case_id}"),)
    return at_sign_in(challenge.account_id)


def at_sign_in(account_id: int) -> tuple[Budget, Budget]:
    """What tries at second factors are counted in."""
    return (_short(f"account:{account_id}"), in_a_row(account_id))


def in_a_row(whose: int | str) -> Budget:
    """Wrong codes in a row, over any time; a right one empties it."""
    ever = timedelta(days=3650)
    return Budget(f"codes-in-a-row:{whose}", settings.code_tries_in_a_row, ever)


def _standing_for_a_password(challenge: Challenge) -> tuple[Budget, ...]:
    """Wrong codes in a row at an old identity, which has no second factor after this one. Once there are too
    many no code is right, as with a decoy: nobody learns whose identity it is, and support can invite."""
    if challenge.identity_id is not None:
        return (in_a_row(f"identity:{challenge.identity_id}"),)
    if challenge.purpose is Purpose.LEGACY_CONTACT:
        return (in_a_row(f"case:{challenge.case_id}"),)
    return ()


def _short(whose: str) -> Budget:
    return Budget(f"codes:{whose}", settings.code_tries, settings.code_lifetime)


def _proof(challenge: Challenge, at: datetime) -> CodeVerified:
    return CodeVerified(
        challenge_id=challenge.id,
        purpose=challenge.purpose,
        channel=challenge.channel,
        destination=challenge.destination,
        account_id=challenge.account_id,
        epoch=challenge.epoch,
        case_id=challenge.case_id,
        identity_id=challenge.identity_id,
        interaction_id=challenge.interaction_id,
        at=at,
    )


def purge(limit: int) -> int:
    """Delete up to `limit` dead codes, but never the evidence under an authentication; how many went."""
    dead = select(Challenge.id).where(
        Challenge.expires_at < clock.now() - timedelta(days=1), *unreferred(Challenge.id)
    )
    return affected(delete(Challenge).where(Challenge.id.in_(dead.limit(limit))))
