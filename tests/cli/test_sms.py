"""`idp sms`: what became of codes by SMS, and lifting a stop."""

from idp import clock
from idp.challenges import sms
from idp.challenges.sms import SmsStop
from idp.cli.common import database_only
from idp.extensions import db, transaction
from tests.cli.conftest import Shell
from tests.cli.test_check import findings


def stop(prefix: str, number: str, sent: int) -> None:
    """A country that was sent to, and then stopped."""
    with database_only(), transaction():
        for _ in range(sent):
            sms.count_sent(number)
        sms.count_used(number)
        db.session.add(SmsStop(prefix=prefix, stopped_at=clock.now(), sent=sent, used=1))


def test_countries_are_listed_with_what_became_of_their_codes(ready: Shell) -> None:
    assert ready.json("sms", "prefixes") == []
    stop("+41", "+41791234567", 10)
    with database_only(), transaction():
        sms.count_sent("+33612345678")
    french, swiss = ready.json("sms", "prefixes")
    assert swiss.pop("stopped_at")
    assert swiss == {"prefix": "+41", "sent": 10, "used": 1, "share": 10}
    assert french == {"prefix": "+33", "sent": 1, "used": 0, "share": 0, "stopped_at": None}
    assert "+41" in ready.ok("sms", "prefixes")


def test_a_stop_is_lifted_once_with_or_without_the_plus(ready: Shell) -> None:
    stop("+41", "+41791234567", 10)
    assert "+41 is sent again" in ready.ok("sms", "allow", "41")
    assert "is not stopped" in ready.refused("sms", "allow", "+41")
    assert ready.json("sms", "prefixes") == []


def test_a_country_is_named_by_its_calling_code(ready: Shell) -> None:
    assert "write a calling code like +41" in ready.refused("sms", "allow", "FR", code=2)


def test_a_stopped_country_is_a_finding(ready: Shell) -> None:
    stop("+41", "+41791234567", 10)
    found = findings(ready, code=0)["sms"]
    assert ("warning", found[0][1]) == found[0]
    assert "none goes to +41: of 10 codes 1 were used" in found[0][1]
    assert "idp sms allow" in found[0][1]
