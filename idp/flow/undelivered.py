"""What happens when a code never left: it goes another way, or the page says so; an SMS counts as not sent."""

from idp import clock
from idp.challenges import issue, sms
from idp.challenges.challenge import Challenge, Channel, Purpose
from idp.challenges.results import Sent
from idp.delivery.topics import Owner, Owners
from idp.extensions import db
from idp.flow.codes import send_second_factor
from idp.flow.interaction import Interaction, Notice, expired
from idp.flow.position import locate
from idp.flow.steps import Step
from idp.migration import reminders


def code_lost(challenge_id: str) -> bool:
    """A code could not be sent: by SMS for a sign-in, then it goes by e-mail; otherwise the page says so.

    Runs in the worker's transaction. True when a code by e-mail has taken its place. A code that is over
    is replaced by none.
    """
    lost = db.session.get(Challenge, int(challenge_id))
    if lost is None or lost.channel is not Channel.SMS:
        return False
    sms.count_lost(lost.destination)
    interaction = db.session.get(Interaction, lost.interaction_id, with_for_update=True)
    if interaction is None or expired(interaction) or not _awaited(lost):
        return False
    interaction.notice = Notice.SMS_UNSENT
    position = locate(interaction)
    for_sign_in = lost.purpose is Purpose.SECOND_FACTOR and position.step is Step.SECOND_FACTOR
    if not for_sign_in or position.account is None:
        return False
    sent = send_second_factor(position, interaction, position.account, Channel.EMAIL)
    interaction.notice = Notice.SMS_FAILED if isinstance(sent, Sent) else Notice.SMS_UNSENT
    return isinstance(sent, Sent)


def _awaited(lost: Challenge) -> bool:
    return issue.current(lost.interaction_id) is lost and lost.expires_at > clock.now()


def _code_wanted(challenge_id: str) -> bool:
    """False once the code was used, or another took its place, or its account or address changed."""
    challenge = db.session.get(Challenge, int(challenge_id))
    return challenge is not None and challenge.closed_at is None


def _nothing_instead(_about: str) -> bool:
    return False


OWNERS: Owners = {
    "challenge": Owner(code_lost, _code_wanted),
    reminders.TOPIC: Owner(_nothing_instead, reminders.wanted),
}
"""Who answers for a message, by the kind of its topic."""
