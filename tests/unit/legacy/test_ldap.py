"""A directory: found by search, proven by a bind. OpenLDAP answers; only Active Directory's words are ours."""

import time
from datetime import date

import pytest

from idp.legacy.ldap import LdapOptions, LdapSource
from idp.legacy.source import Claimed, Match, Mismatch, Person, Unavailable, Unknown, Unsupported
from tests.support.environment import require
from tests.support.faults import dribbles, faulty
from tests.support.ports import free_port
from tests.support.slapd import BASE, PROGRAM, SERVICE, SERVICE_PASSWORD, Directory

PASSWORD = "Edelweiss-1291"
COLUMNS = {
    "key": "entryUUID",
    "identifier": "uid",
    "email": "mail",
    "given_name": "givenName",
    "family_name": "sn",
    "locality": "l",
    "birthdate": "description",
    "customer": "employeeNumber",
}
UUID = "6f7b5a0c-0000-4000-8000-00000000000{}"


def person(number, uid, **attributes):
    values = {"sn": "Favre", "cn": uid, "userPassword": PASSWORD} | attributes
    lines = "".join(f"{name}: {value}\n" for name, value in values.items())
    return (
        f"dn: cn={values['cn']},ou=people,{BASE}\nobjectClass: inetOrgPerson\nuid: {uid}\n"
        f"entryUUID: {UUID.format(number)}\n{lines}\n"
    )


ENTRIES = (
    f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\no: example\ndc: example\n\n"
    f"dn: ou=people,{BASE}\nobjectClass: organizationalUnit\nou: people\n\n"
    f"dn: {SERVICE}\nobjectClass: person\nsn: reader\nuserPassword: {SERVICE_PASSWORD}\n\n"
    f"dn: cn=policy,{BASE}\nobjectClass: person\nobjectClass: pwdPolicy\nsn: policy\n"
    "pwdAttribute: userPassword\npwdMustChange: TRUE\npwdLockout: TRUE\npwdMaxFailure: 3\n\n"
    + person(
        1, "jeanne", givenName="Jeanne", mail="j@old.example", l="Vevey", description="1950-03-14"
    )
    + person(2, "stale", pwdReset="TRUE")
    + person(3, "locked", pwdAccountLockedTime="000001010000Z")
    + person(4, "twin", cn="twin one")
    + person(5, "twin", cn="twin two")
    + person(6, "lucky")
)


@pytest.fixture(scope="module")
def directory():
    require(PROGRAM.exists(), "slapd")
    server = Directory(ENTRIES)
    yield server
    server.stop()


def options(directory, **changes):
    values = {"name": "old", "url": directory.url, "ca_file": directory.ca_file, "base": BASE}
    values |= {"bind_dn": SERVICE, "bind_password": SERVICE_PASSWORD, "columns": COLUMNS}
    return LdapOptions(**values | {"timeout": 3} | changes)


@pytest.fixture
def source(directory):
    return LdapSource(options(directory))


def ask(source, identifier, password=PASSWORD, answer=None):
    return source.authenticate(identifier, password, lambda _key: answer)


@pytest.mark.parametrize("url", ["url", "secure_url"])
def test_a_right_password_brings_key_and_profile(directory, url):
    answer = ask(LdapSource(options(directory, url=getattr(directory, url))), "jeanne")
    assert isinstance(answer, Match)
    assert (answer.source, answer.person.key) == ("old", UUID.format(1))
    assert (answer.person.email, answer.person.profile.locality) == ("j@old.example", "Vevey")
    assert answer.person.profile.birthdate == date(1950, 3, 14)
    assert answer.person.attributes == {"customer": ""}


@pytest.mark.parametrize("password", ["wrong", PASSWORD.lower(), PASSWORD + " ", ""])
def test_a_wrong_password_is_a_mismatch_and_an_empty_one_too(source, password):
    assert ask(source, "lucky", password) == Mismatch()


def test_nobody_is_unknown(source):
    assert ask(source, "nobody") == Unknown()


def test_the_key_is_asked_about_before_the_password_is_tried(source):
    asked = []
    answer = source.authenticate("jeanne", "wrong", lambda key: asked.append(key) or Claimed())
    assert (answer, asked) == (Claimed(), [UUID.format(1)])


def test_must_change_is_told_with_the_right_password_only(source):
    assert ask(source, "stale").person.must_change
    assert ask(source, "stale", "wrong") == Mismatch()


def test_an_account_locked_there_is_a_wrong_password_here(source):
    """The directory refuses it whatever the password is; telling would tell that there is such a person."""
    assert ask(source, "locked") == Mismatch() == ask(source, "locked", "wrong")


def test_two_entries_for_one_identifier_are_nobodys_sign_in(source):
    assert isinstance(ask(source, "twin"), Unsupported)


INJECTIONS = (
    "*",
    "jeann*",
    "jeanne)(uid=*",
    "*)(|(uid=*",
    "jeanne\\",
    "(",
    ")",
    "\\2a",
    "jeanne)(!(uid=x",
)
IMPOSSIBLE = ("jeanne\x00", "\ud800", "", "x" * 255)


@pytest.mark.parametrize("identifier", [*INJECTIONS, *IMPOSSIBLE])
def test_an_identifier_is_never_part_of_the_filter(source, identifier):
    assert ask(source, identifier) == Unknown()


def test_without_a_password_the_person_can_be_found(source):
    found = source.find("jeanne")
    assert isinstance(found, Person)
    assert found.email == "j@old.example"
    assert source.find("nobody") == Unknown()


def test_a_sound_directory_has_no_problem(source):
    assert source.problem() is None


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"base": "dc=nowhere"}, "no entry dc=nowhere"),
        ({"bind_password": "wrong"}, "was refused"),
        ({"bind_dn": ""}, "was refused"),
        ({"ca_file": None}, "does not answer"),
        ({"url": "ldap://localhost:1"}, "does not answer"),
    ],
)
def test_what_is_wrong_is_told_to_the_operator_and_nobody_signs_in(directory, changes, word):
    source = LdapSource(options(directory, **changes))
    assert word in source.problem()
    assert ask(source, "jeanne") in (Unavailable(), Unknown())


@pytest.mark.parametrize("url", ["url", "secure_url"])
def test_a_certificate_for_another_name_is_not_believed(directory, url):
    elsewhere = getattr(directory, url).replace("127.0.0.1", "localhost")
    assert ask(LdapSource(options(directory, url=elsewhere)), "jeanne") == Unavailable()


def in_time(source):
    began = time.monotonic()
    assert ask(source, "jeanne") == Unavailable()
    assert time.monotonic() - began < 5


def test_a_directory_that_hangs_is_given_up(directory):
    source = LdapSource(options(directory, timeout=0.5))
    directory.pause()
    try:
        in_time(source)
    finally:
        directory.go_on()


def test_a_dead_directory_is_unavailable(directory):
    in_time(LdapSource(options(directory, url=f"ldap://127.0.0.1:{free_port()}")))


@pytest.mark.parametrize(
    "nonsense", [b"HTTP/1.1 200 OK\r\n\r\n", b"\x30\x84\xff\xff\xff\xff", b"\x30\x03"]
)
def test_a_directory_that_speaks_nonsense_is_unavailable(directory, nonsense):
    plain = {"start_tls": False, "timeout": 0.5}
    with faulty(dribbles(nonsense)) as port:
        in_time(LdapSource(options(directory, url=f"ldap://127.0.0.1:{port}", **plain)))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"url": "http://x"}, "ldaps://"),
        ({"filter": "(uid=x)"}, "identifier"),
        ({"url": "ldap://ldap.example.org", "start_tls": False}, "in clear"),
        ({"bind_password": ""}, "bind_password"),
        ({"columns": {"email": "mail"}}, "key"),
    ],
)
def test_an_unsafe_description_is_refused(directory, changes, word):
    with pytest.raises(ValueError, match=word):
        options(directory, **changes)


REFUSED = "80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data {}, v4563"


@pytest.mark.parametrize(
    ("code", "locked", "must_change"),
    [
        ("533", True, False),
        ("701", True, False),
        ("530", True, False),
        ("532", False, True),
        ("773", False, True),
    ],
)
def test_active_directory_says_why_after_the_right_password(source, code, locked, must_change):
    answer = source._judge({"result": 49, "message": REFUSED.format(code)}, Person("1"))
    assert (answer.person.locked, answer.person.must_change) == (locked, must_change)


@pytest.mark.parametrize("code", ["52e", "525", "775", "999", "5330"])
def test_what_active_directory_says_whatever_the_password_is_a_mismatch(source, code):
    assert source._judge({"result": 49, "message": REFUSED.format(code)}, Person("1")) == Mismatch()


@pytest.mark.parametrize("code", [10, 51, 52, 53, 80])
def test_a_bind_that_was_not_decided_is_no_mismatch(source, code):
    assert source._judge({"result": code, "message": ""}, Person("1")) == Unavailable()
