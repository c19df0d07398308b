"""How many messages may be sent: to one destination, for one person wherever they go, at the wish of one
network, and by SMS to one country and in all (DESIGN 7).

Verified and not yet verified destinations have budgets of their own, so that nobody who only claims a
number or an address can use up its owner's. So has recovery, which anybody may ask for; and that of a
browser which knows the account has them once more, so that strangers cannot use up its owner's.
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
    enrols = new.purpose not in {Purpose.SECOND_FACTOR, Purpose.RECOVERY_SMS}
    spend = tuple(_spend(new.destination, enrols=enrols)) if by_sms else ()
    people = _budgets(new, f"{new.channel}:{target}", network)
    refused = throttle.reserve_each(pause, *people, *spend)
    if pause.key in refused:
        return SendRefused(SendProblem.TOO_SOON, refused[pause.key])
    if any(budget.key in refused for budget in spend):
        return SendRefused(SendProblem.NO_SMS, _LATER)
    return SendRefused(SendProblem.BUDGET, max(refused.values())) if refused else None


def renew(address: str) -> None:
    """Let the account's codes go to its address again: whoever used them up with a former password no
    longer can. By SMS, which costs, the limits stay. Runs in the caller's transaction."""
    throttle.clear(*_pair(f"send:verified:{Channel.EMAIL}:{mailbox_key(address)}"))


def admit_on_record(contact: str | None) -> bool:
    """Take one message to a contact of the old system, where it goes to one, asked for under whatever name.

    Nobody is told that there is none left: it would tell whose contact it is. Runs in the caller's transaction.
    """
    return contact is None or not throttle.reserve(*_pair(f"send:on-record:{mailbox_key(contact)}"))


def admit_notice(destination: str, *, by_sms: bool, within: tuple[Budget, ...] = ()) -> bool:
    """Take one notice to a contact of the old system, who did not ask for it: few in a day, `within` others,
    and by SMS no more than may be spent on numbers that nobody has proven. In the caller's transaction."""
    if by_sms and sms.is_stopped(destination):
        return False
    target = destination if by_sms else mailbox_key(destination)
    spend = tuple(_spend(destination, enrols=True)) if by_sms else ()
    return not throttle.reserve(
        Budget(f"send:notice:{target}", settings.send_limit_short, _DAY), *within, *spend
    )


def _budgets(new: NewChallenge, target: str, network: str | None) -> tuple[Budget, ...]:
    if new.purpose is Purpose.SECOND_FACTOR:
        return _pair(f"send:verified:{target}")
    if new.known_browser:
        return _pair(f"send:recovery-known:{new.account_id}")
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


def _spend(number: str, *, enrols: bool) -> Iterator[Budget]:
    """What SMS may cost. Enrolment never takes all: who has a verified number still gets codes there."""
    kind = "enrolment" if enrols else "verified"
    prefix = country_prefix(number)
    yield Budget(f"sms:{kind}:{prefix}", settings.sms_limit_prefix, _DAY)
    yield Budget("sms", settings.sms_limit_day, _DAY)
    if enrols:
        yield Budget("sms:enrolment", max(1, settings.sms_limit_day // 2), _DAY)
