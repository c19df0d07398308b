"""How many messages may be sent: to one destination, and for one person wherever they go (DESIGN 7).

Verified and not yet verified destinations have budgets of their own, so that nobody who only claims a
number or an address can use up its owner's.
"""

from datetime import timedelta

from idp.accounts.addresses import mailbox_key
from idp.challenges.challenge import Channel, NewChallenge, Purpose
from idp.challenges.results import SendProblem, SendRefused
from idp.extensions import settings
from idp.security import throttle
from idp.security.throttle import Budget

_SHORT, _DAY = timedelta(minutes=15), timedelta(days=1)


def reserve(new: NewChallenge) -> SendRefused | None:
    """Take one message from every budget that it counts in; None when it may be sent."""
    target = mailbox_key(new.destination) if new.channel is Channel.EMAIL else new.destination
    pause = Budget(f"send:{new.interaction_id}:{new.purpose}:{target}", 1, settings.resend_after)
    wait = throttle.reserve(pause)
    if wait:
        return SendRefused(SendProblem.TOO_SOON, wait)
    wait = throttle.reserve(*_budgets(new, f"{new.channel}:{target}"))
    return SendRefused(SendProblem.BUDGET, wait) if wait else None


def _budgets(new: NewChallenge, target: str) -> tuple[Budget, ...]:
    if new.purpose is Purpose.SECOND_FACTOR:
        return _pair(f"send:verified:{target}")
    own = f"send:case:{new.case_id}"
    return (
        *_pair(f"{own}:{target}"),
        *_pair(own, settings.send_spread),
        *_pair(f"send:enrolment:{target}", settings.send_spread),
    )


def _pair(key: str, times: int = 1) -> tuple[Budget, Budget]:
    return (
        Budget(f"{key}:short", settings.send_limit_short * times, _SHORT),
        Budget(f"{key}:day", settings.send_limit_day * times, _DAY),
    )
