"""What issuing and checking a code can come to."""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from idp.challenges.challenge import Channel, Purpose


@dataclass(frozen=True)
class Sent:
    """A code is on its way."""

    challenge_id: int


class SendProblem(enum.Enum):
    """Why no code was sent. NO_SMS: none goes to that country now; e-mail does."""

    TOO_SOON = "too-soon"
    BUDGET = "budget"
    NO_SMS = "no-sms"


@dataclass(frozen=True)
class SendRefused:
    """No code was sent; asking again makes sense after `wait`."""

    problem: SendProblem
    wait: timedelta


class CodeProblem(enum.Enum):
    """Why a code was refused. RECOVERY: so many were wrong in a row that the account needs help."""

    MALFORMED = "malformed"
    WRONG = "wrong"
    EXPIRED = "expired"
    EXHAUSTED = "exhausted"
    RECOVERY = "recovery"


@dataclass(frozen=True)
class CodeRefused:
    """The code was refused; `wait` says when another try makes sense, if not at once."""

    problem: CodeProblem
    wait: timedelta | None = None


@dataclass(frozen=True)
class CodeVerified:
    """Proof that the code sent to `destination` came back, in the interaction it was sent for."""

    challenge_id: int
    purpose: Purpose
    channel: Channel
    destination: str
    account_id: int | None
    epoch: int | None
    case_id: int | None
    identity_id: int | None
    interaction_id: str
    at: datetime
