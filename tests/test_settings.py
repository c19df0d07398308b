"""Every option is declared once, explained, and refused with a clear word when it is wrong."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from pydantic import ValidationError

from config import Settings
from tests.support import configuration


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_option_says_what_it_is(name):
    text = Settings.model_fields[name].description or ""
    assert len(text) >= 15
    assert text.endswith((".", ")"))


def test_every_option_is_in_a_section():
    listed = [name for names in configuration.sections().values() for name in names]
    assert sorted(listed) == sorted(Settings.model_fields)


def test_the_page_is_what_the_declarations_say():
    assert configuration.PAGE.read_text() == configuration.page(), "run `make docs`"


@pytest.mark.parametrize(
    ("option", "value", "word"),
    [
        ("issuer", "http://login.example.org", "use https"),
        ("issuer", "https://login.example.org/", "trailing slash"),
        ("issuer", "https://login.example.org/idp", "path"),
        ("issuer", "login.example.org", "write it like"),
        ("issuer", "https://", "write it like"),
        ("issuer", "https://login.example.org:0", "write it like"),
        ("issuer", "https://login.example.org:99999", "write it like"),
        ("issuer", "https://login example.org", "write it like"),
        ("issuer", "https://état.example", "write it like"),
        ("issuer", "https://user:password@login.example.org", "user name"),
        ("code_lifetime", "PT1H", "less than or equal"),
        ("code_digits", "4", "greater than or equal"),
        ("password_min", "4", "greater than or equal"),
        ("smtp_port", "many", "valid integer"),
        ("smtp_security", "maybe", "starttls"),
        ("phone_region", "Suisse", "no country"),
        ("phone_region", "XX", "no country"),
        ("sms_countries", "CH,Suisse", "no country"),
        ("sms_countries", ",", "at least 1"),
        ("timezone", "Suisse", "as the IANA does"),
        ("timezone", "../../etc/passwd", "as the IANA does"),
        ("mail_from", "nobody", "one address"),
        ("mail_from", "a@example.org, b@example.org", "one address"),
        ("mail_from", "e-services <a@example.org>", "one address"),
        ("sms_url", "sms.example.org", "write it like"),
        ("sms_url", "ftp://sms.example.org", "write it like"),
        ("sms_url", "https://user:password@sms.example.org", "user name"),
        ("terms_version", "of 2026", "pattern"),
        ("terms_version", "2026-01", "IDP_TERMS_URL or IDP_PRIVACY_URL"),
        ("terms_url", "http://example.org/terms", "use https"),
        ("privacy_url", "https://{host}/privacy", "write it like"),
        ("password_min", "129", "IDP_PASSWORD_MIN"),
        ("access_token_lifetime", "PT25H", "1 day"),
        ("client_timeout", "21", "20 seconds"),
        ("sign_in_floor", "-1", "greater than or equal"),
        ("smtp_timeout", "30", "IDP_SMTP_TIMEOUT"),
        ("sms_timeout", "30", "IDP_SMS_TIMEOUT"),
        ("outbox_lease", "20", "twice"),
        ("key_publication", "PT11H", "no less than 12 hours"),
        ("id_token_lifetime", "P15D", "no less than IDP_ID_TOKEN_LIFETIME"),
    ],
)
def test_a_wrong_value_is_refused_with_a_word_that_helps(monkeypatch, option, value, word):
    monkeypatch.setenv(f"IDP_{option.upper()}", value)
    with pytest.raises(ValidationError, match=word):
        Settings()


DURATIONS = [name for name, field in Settings.model_fields.items() if field.annotation is timedelta]


@pytest.mark.parametrize("name", sorted({*DURATIONS} - {"sign_in_floor"}))
@pytest.mark.parametrize("value", ["0", "-5", "-PT5S"])
def test_a_duration_is_more_than_nothing(monkeypatch, name, value):
    monkeypatch.setenv(f"IDP_{name.upper()}", value)
    with pytest.raises(ValidationError, match="greater than 0"):
        Settings()


@pytest.mark.parametrize(
    ("option", "value", "kept"),
    [
        ("issuer", "https://Login.Example.org:443", "https://login.example.org"),
        ("issuer", "http://LOCALHOST:80", "http://localhost"),
        ("issuer", "https://[::1]:8443", "https://[::1]:8443"),
        ("phone_region", "fr", "FR"),
        ("sms_countries", "ch, fr", ("CH", "FR")),
        ("mail_from", "no-reply@mail.local", "no-reply@mail.local"),
        ("sign_in_floor", "0", timedelta(0)),
        ("smtp_port", "", 587),
        ("legacy_sources", "", None),
    ],
)
def test_what_has_one_meaning_is_put_right(monkeypatch, option, value, kept):
    monkeypatch.setenv(f"IDP_{option.upper()}", value)
    assert getattr(Settings(), option) == kept


def test_defaults_are_those_of_the_design():
    settings = Settings()
    assert (settings.code_digits, settings.code_tries) == (6, 5)
    assert settings.code_lifetime.total_seconds() == 600
    assert settings.authorization_code_lifetime.total_seconds() == 60
    assert settings.sign_in_floor.total_seconds() == 0.4
    assert (settings.argon2_memory, settings.argon2_time) == (19456, 2)


def test_options_of_the_shell_do_not_reach_the_tests(tmp_path):
    (tmp_path / "mine.env").write_text("IDP_CODE_TRIES=9\n")
    mine = {"IDP_CODE_DIGITS": "8", "IDP_ENV_FILE": str(tmp_path / "mine.env"), "IDP_GONE": "x"}
    defaults = f"{__file__}::{test_defaults_are_those_of_the_design.__name__}"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", defaults]
    run = subprocess.run(
        command, env=os.environ | mine, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout
