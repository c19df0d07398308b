"""SMS over SMPP, against a real message centre (SMPP 3.4)."""

import pytest

from idp.delivery import outbox
from idp.delivery.messages import Sms
from idp.delivery.models import OutboxStatus
from idp.delivery.senders import RefusedError, RetryLaterError
from idp.delivery.sms_smpp import SmppSmsSender, plan
from idp.delivery.tables import TomlTable
from tests.conftest import require
from tests.support import centre as centres
from tests.support.faults import eventually
from tests.support.outbox import leave, rows, seen
from tests.support.settings import override

SMS = Sms("+41791234567", "123456 : code de connexion sur é.example\n\n@é.example #123456")
LONG = Sms("+41791234567", "Ceci est un long texte [avec €] " * 12)
ODD = Sms("+41791234567", "Подтвердите номер 😀 " * 12)


@pytest.fixture
def centre():
    require(centres.available(), "node with the smpp package (npm ci in tests/support/smpp)")
    centre = centres.Centre()
    yield centre
    centre.stop()


@pytest.fixture
def noted():
    return []


@pytest.fixture
def sender(centre, noted):
    senders = []

    def make(**changes):
        options = {
            "host": "127.0.0.1",
            "port": centre.port,
            "system_id": "seuil",
            "password": "secret",
            "sender": "Seuil",
        } | changes

        def note(name, state):
            noted.append((name, state))
            return True

        made = plan(TomlTable(options), 1.0, note)()
        assert isinstance(made, SmppSmsSender)
        senders.append(made)
        return made

    yield make
    for one in senders:
        one.close()


def test_a_short_text_goes_as_one_segment_of_gsm_7(sender, centre):
    assert sender().send(SMS, "uid") == "m1"
    (one,) = centre.of("submit")
    assert (one["to"], one["from"], one["ton"]) == ("41791234567", "Seuil", [5, 1])
    assert (one["coding"], one["text"], one["udh"]) == (0, SMS.text, "")


def test_one_session_serves_many_messages_and_says_goodbye(sender, centre):
    one = sender()
    for _ in range(3):
        one.send(SMS, "uid")
    one.close()
    centre.wait_for(lambda event: event["event"] == "unbind")
    assert len(centre.of("bind")) == 1
    assert len(centre.of("submit")) == 3


@pytest.mark.parametrize(("sms", "coding"), [(LONG, 0), (ODD, 8)])
def test_a_long_text_goes_in_segments_with_a_header_and_no_letter_is_torn(
    sender, centre, sms, coding
):
    sender().send(sms, "uid")
    parts = centre.of("submit")
    assert len(parts) > 1
    assert {part["coding"] for part in parts} == {coding}
    headers = [part["udh"] for part in parts]
    assert {header[:4] for header in headers} == {"0003"}
    assert len({header[4:6] for header in headers}) == 1, "one mark for all"
    assert [header[6:] for header in headers] == [
        f"{len(parts):02x}{number:02x}" for number in range(1, len(parts) + 1)
    ]
    assert "".join(part["text"] for part in parts) == sms.text


def test_a_long_text_can_go_whole(sender, centre):
    sender(split="payload").send(LONG, "uid")
    (one,) = centre.of("submit")
    assert (one["text"], one["payload"]) == ("", LONG.text)


@pytest.mark.parametrize(
    ("name", "kind"), [("Seuil", 5), ("+41790000000", 1), ("4636", 3)], ids=str
)
def test_the_sender_is_a_name_a_number_or_a_short_code(sender, centre, name, kind):
    sender(sender=name).send(SMS, "uid")
    assert centre.of("submit")[0]["ton"][0] == kind


@pytest.mark.parametrize(
    ("status", "error"), [(0x0B, RefusedError), (0x58, RetryLaterError), (0x14, RetryLaterError)]
)
def test_a_status_is_a_refusal_or_a_reason_to_wait(sender, centre, status, error):
    one = sender()
    centre.tell(status=status)
    with pytest.raises(error, match=hex(status)):
        one.send(SMS, "uid")
    centre.tell(status=0)
    one.send(SMS, "uid")
    assert len(centre.of("bind")) == 1, "the session is as good as before"


def test_a_wrong_password_is_the_gateways_trouble_not_the_messages(sender):
    with pytest.raises(RetryLaterError, match="0xd"):
        sender(password="wrong").send(SMS, "uid")
    assert "0xd" in sender(password="wrong").problem()


def test_a_session_that_was_cut_is_bound_again(sender, centre):
    one = sender()
    one.send(SMS, "uid")
    centre.tell(drop=True)
    with pytest.raises(RetryLaterError):
        one.send(SMS, "uid")
    one.send(SMS, "uid")
    assert (len(centre.of("bind")), len(centre.of("submit"))) == (2, 2)


def test_a_session_that_was_cut_while_idle_costs_no_message(sender, centre):
    one = sender()
    one.send(SMS, "uid")
    centre.tell(drop=True)
    one.tend()
    one.send(SMS, "uid")
    assert len(centre.of("submit")) == 2


def test_an_idle_session_is_kept_alive(sender, centre):
    one = sender(enquire=0.5)
    one.send(SMS, "uid")
    one.tend()
    assert len(centre.of("enquire")) == 1
    centre.tell(hold=True)
    one.tend()
    assert one._session is None, "who answers nothing is given up within the time-out"


def test_a_centre_that_answers_nothing_is_given_up(sender, centre):
    one = sender()
    centre.tell(hold=True)
    with pytest.raises(RetryLaterError):
        one.send(SMS, "uid")


@pytest.mark.parametrize(
    ("told", "state"), [("DELIVRD", "delivered"), ("UNDELIV", "undeliverable")]
)
def test_receipts_are_taken_and_noted(sender, centre, noted, told, state):
    one = sender()
    centre.tell(receipt=told)
    assert one.send(SMS, "uid") == "m1"
    eventually(lambda: one.tend() or noted)
    assert noted == [("m1", state)]
    centre.wait_for(lambda event: event["event"] == "receipt taken")


def test_a_receipt_that_comes_before_its_message_is_on_record_is_kept(sender, centre):
    known = []
    one = sender()
    one._note = lambda name, state: bool(known)
    centre.tell(receipt="DELIVRD")
    one.send(SMS, "uid")
    eventually(lambda: one.tend() or one._receipts)
    known.append("m1")
    one.tend()
    assert one._receipts == {}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"password": "far too long"}, "password has more than the 8"),
        ({"split": "torn"}, "split must be one of"),
        ({"port": 0}, "port must be"),
        ({"tls": "yes"}, "tls must be true or false"),
        ({"colour": "red"}, "unknown option colour"),
    ],
)
def test_a_wrong_option_is_told(sender, options, said):
    with pytest.raises(ValueError, match=said):
        sender(**options)


ROUTES = """
[[mail]]
name = "mail"
host = "localhost"
port = 25
security = "none"

[[sms]]
name = "centre"
type = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "seuil"
password = "secret"
sender = "Seuil"
"""


def test_a_receipt_reaches_the_row_of_its_message(app, centre, tmp_path):
    path = tmp_path / "routes.toml"
    path.write_text(ROUTES.format(port=centre.port))
    centre.tell(receipt="DELIVRD")
    with override(app, delivery_routes=path):
        leave("+41791234567", channel="sms")
        outbox.deliver_due("w")
        (row,) = rows()
        assert (row.status, row.route, row.reference) == (OutboxStatus.SENT, "centre", "m1")
        assert eventually(lambda: seen()[0].receipt) == "delivered"
