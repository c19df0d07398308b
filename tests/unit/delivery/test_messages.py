"""The texts of messages: each names purpose and site; an SMS fits one GSM-7 segment."""

import itertools

import pytest

from idp import resources
from idp.delivery import gsm7, messages
from idp.delivery.messages import Mail, Message, Sms
from idp.options import LOCALES
from idp.security import tokens
from tests.support.messages import code_message
from tests.support.settings import override

GSM7 = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
LONG_HOST = "https://connexion.services-en-ligne.exemple.ch"
BY_MAIL = ("email-enrolment", "second-factor", "address-taken", "recovery-email", "email-change")
BY_MAIL += ("legacy-contact", "legacy-forgotten")
BY_SMS = ("phone-enrolment", "second-factor", "recovery-sms", "phone-change", "legacy-contact")
NEVER = {"fr": "Personne ne vous", "en": "Nobody will ever ask you"}


def message(channel, purpose, locale="fr"):
    return code_message("someone", channel, purpose, locale, "Les e-services de l’État")


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(("locale", "purpose"), [*itertools.product(LOCALES, BY_SMS)])
def test_an_sms_is_one_segment_in_every_language_and_binds_the_code_to_the_site(
    app, locale, purpose
):
    with override(app, issuer=LONG_HOST):
        sms = messages.render(message("sms", purpose, locale))
    assert isinstance(sms, Sms)
    assert set(sms.text) <= GSM7
    assert len(sms.text) <= 160
    assert sms.text.splitlines()[-1] == "@connexion.services-en-ligne.exemple.ch #123456"
    assert NEVER[locale] in sms.text


TEMPLATES = sorted(
    (path.parent.name, path.stem) for path in resources.folder("templates").glob("messages/*/*.sms")
)


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(("locale", "template"), TEMPLATES)
def test_every_sms_is_one_segment_for_a_host_of_forty_letters(app, locale, template):
    host = f"{'connexion' * 4}.ch".rjust(40, "w")
    words = {"code": "0123456789"[:6], "service": "Les e-services", "minutes": 10}
    words["link"] = f"https://{host}/alert/{tokens.new_token()}"
    with override(app, issuer=f"https://{host}"):
        sms = messages.render(Message("sms", "+41791234567", template, locale, words))
    coding, segments = gsm7.parts(sms.text)
    assert (len(host), coding, len(segments)) == (40, gsm7.DEFAULT, 1)


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(("locale", "purpose"), [*itertools.product(LOCALES, BY_MAIL)])
def test_a_mail_names_the_site_gives_the_code_and_warns(locale, purpose):
    mail = messages.render(message("email", purpose, locale))
    assert isinstance(mail, Mail)
    assert "e-services" in mail.subject
    assert "123456" not in mail.subject
    for part in (mail.text, mail.html):
        assert "123456" in part
        assert "localhost" in part
        assert NEVER[locale] in part
        assert "10 minutes" in part


MAILS = sorted(
    (path.parent.name, path.stem)
    for path in resources.folder("templates").glob("messages/*/*.txt")
    if path.stem != "foot"
)


@pytest.mark.parametrize(("locale", "template"), MAILS)
def test_every_mail_ends_with_how_to_reach_support(app, locale, template):
    words = {"code": "123456", "service": "S", "minutes": 10, "link": "https://x.ch"}
    words |= {"closed": True, "email": "a•••", "phone": "+41", "browser": "B", "when": "now"}
    words |= {
        "chosen": "b•••",
        "unsubscribe": "https://x.ch/u",
        "days": 3,
        "reference": "AAAA-AAAA",
        "from": "x",
    }
    with override(app, support_contact="Guichet <b> 021 555 00 00"):
        mail = messages.render(Message("email", "someone@example.ch", template, locale, words))
    assert mail.text.endswith("? Guichet <b> 021 555 00 00")
    assert mail.html.count("Guichet &lt;b&gt; 021 555 00 00") == 1
    with override(app, support_contact=""):
        mail = messages.render(Message("email", "someone@example.ch", template, locale, words))
    assert mail.text == mail.text.strip()
    assert "border-top" not in mail.html


@pytest.mark.usefixtures("app")
def test_the_conflict_of_a_taken_address_is_named_in_the_mail_only():
    assert "déjà" in messages.render(message("email", "address-taken")).text
    assert "déjà" not in messages.render(message("email", "email-enrolment")).text


@pytest.mark.usefixtures("app")
def test_a_name_with_markup_is_text_in_the_html_part():
    hostile = code_message(service="<script>alert(1)</script>")
    mail = messages.render(hostile)
    assert "<script>" not in mail.html


@pytest.mark.usefixtures("app")
def test_a_language_we_do_not_have_becomes_the_default_one():
    assert messages.render(message("email", "second-factor", "rm")).text.startswith("Bonjour")
