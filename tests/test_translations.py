"""Every text that people read is in the English catalogue; the compiled one is up to date."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).parent.parent
CATALOGUE = ROOT / "idp" / "translations" / "en" / "LC_MESSAGES" / "messages.po"
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "lazy_gettext": None}


def texts() -> set[str]:
    """Every msgid in the source; the singular of a plural."""
    found = set()
    for folder in ("idp", "templates"):
        extracted = extract_from_dir(
            ROOT / folder, [("**.py", "python"), ("**.html", "jinja2")], keywords=KEYWORDS
        )
        for _file, _line, message, _comments, _context in extracted:
            found.add(message[0] if isinstance(message, tuple) else message)
    return found


@pytest.fixture(scope="module")
def catalogue():
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="en")


def entries(catalogue):
    return {
        (message.id if isinstance(message.id, str) else message.id[0]): message
        for message in catalogue
        if message.id
    }


def test_every_text_is_translated_and_no_more(catalogue):
    known = entries(catalogue)
    assert texts() == set(known)
    for key, message in known.items():
        assert all(strings({key: message})[key]), key
        assert not message.fuzzy, key


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)\w", text))


def test_placeholders_agree(catalogue):
    """Form by form: both languages have a singular and a plural."""
    for key, message in entries(catalogue).items():
        french = [message.id] if isinstance(message.id, str) else message.id
        english = strings({key: message})[key]
        for ours, theirs in zip(french, english, strict=True):
            assert placeholders(theirs) == placeholders(ours), key


def test_there_are_placeholders_to_agree():
    assert placeholders("%(num)s de %(all)d, 100 %") == {"%(num)s", "%(all)d"}
    assert sum(bool(placeholders(text)) for text in texts()) >= 5


def test_the_compiled_catalogue_is_fresh(catalogue):
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = entries(read_mo(file))
    assert strings(compiled) == strings(entries(catalogue)), "run `make translations`"


def strings(messages):
    return {
        key: [message.string] if isinstance(message.string, str) else list(message.string)
        for key, message in messages.items()
    }


def test_french_has_its_spaces():
    for text in texts():
        assert not re.search(r"\w [?!:;»]", text), text
