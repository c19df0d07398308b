"""How many messages may be sent: to one destination, for one person wherever they go, at the wish of one
network, and by SMS to one country and in all (DESIGN 7).

Verified and not yet verified destinations have budgets of their own, so that nobody who only claims a
number or an address can use up its owner's. So has recovery, which anybody may ask for.
"""

from collections.abc import Iterator
from datetime import timedelta

from idp.accounts.addresses import mailbox_key
from idp.accounts.phones import country_prefix
from idp.challenges import sms
from idp.challenges.challenge import Channel, NewChallenge, Purpose
from idp.challenges.results import SendProblem, SendRefused
from idp.extensions import settings
from idp.security import throttle
from idp.security.throttle import Budget

_SHORT, _DAY = timedelta(minutes=15), timedelta(days=1)
_LATER = timedelta(hours=1)


def reserve(new: NewChallenge, network: str | None) -> SendRefused | None:
    """Take one message from every budget that it counts in; None when it may be sent.

    `network` is where the wish to enrol, or to recover, came from.
    """
    by_sms = new.channel is Channel.SMS
    if by_sms and not sms.admit(new.destination):
        return SendRefused(SendProblem.NO_SMS, _LATER)
    target = new.destination if by_sms else mailbox_key(new.destination)
    pause = Budget(f"send:{new.interaction_id}:{new.purpose}:{target}", 1, settings.resend_after)
    spend = tuple(_spend(new)) if by_sms else ()
    people = _budgets(new, f"{new.channel}:{target}", network)
    refused = throttle.reserve_each(pause, *people, *spend)
    if pause.key in refused:
        return SendRefused(SendProblem.TOO_SOON, refused[pause.key])
    if any(budget.key in refused for budget in spend):
        return SendRefused(SendProblem.NO_SMS, _LATER)
    return SendRefused(SendProblem.BUDGET, max(refused.values())) if refused else None


def _budgets(new: NewChallenge, target: str, network: str | None) -> tuple[Budget, ...]:
    if new.purpose is Purpose.SECOND_FACTOR:
        return _pair(f"send:verified:{target}")
    wishes = _network(network) if network else ()
    if new.purpose in {Purpose.RECOVERY_EMAIL, Purpose.RECOVERY_SMS}:
        return (*_pair(f"send:recovery:{target}"), *wishes)
    by_account = new.account_id is not None
    own = f"send:account:{new.account_id}" if by_account else f"send:case:{new.case_id}"
    return (
        *_pair(f"{own}:{target}"),
        *_pair(own, settings.send_spread),
        *_pair(f"send:enrolment:{target}", settings.send_spread),
        *wishes,
    )


def _pair(key: str, times: int = 1) -> tuple[Budget, Budget]:
    return (
        Budget(f"{key}:short", settings.send_limit_short * times, _SHORT),
        Budget(f"{key}:day", settings.send_limit_day * times, _DAY),
    )


def _network(network: str) -> tuple[Budget, Budget]:
    return (
        Budget(f"send:network:{network}:short", settings.send_limit_network, _SHORT),
        Budget(f"send:network:{network}:day", settings.send_limit_network_day, _DAY),
    )


def _spend(new: NewChallenge) -> Iterator[Budget]:
    """What SMS may cost. Enrolment never takes all: who has a verified number still gets codes there."""
    enrols = new.purpose not in {Purpose.SECOND_FACTOR, Purpose.RECOVERY_SMS}
    kind = "enrolment" if enrols else "verified"
    prefix = country_prefix(new.destination)
    yield Budget(f"sms:{kind}:{prefix}", settings.sms_limit_prefix, _DAY)
    yield Budget("sms", settings.sms_limit_day, _DAY)
    if enrols:
        yield Budget("sms:enrolment", max(1, settings.sms_limit_day // 2), _DAY)
