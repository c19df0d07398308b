"""Common passwords in four languages, however they are dressed up (NIST SP 800-63B-4 3.1.1.2)."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp import resources
from idp.accounts.common import is_common, normalise
from idp.accounts.password import PasswordProblem, new_password_problems
from tests.support.settings import override

LISTS = sorted(resources.folder("accounts.common_passwords").glob("*.txt"))


def entries(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    return [word for line in lines if not line.startswith("#") for word in line.split(",")]


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("Motdepasse", "motdepasse"),
        ("Mot-de-P4sse!2024", "motdepasse"),
        ("m0t d3 pa$$e 01/02/1980", "motdepasse"),
        ("MOT\u00a0DE\u00a0PASSE…", "motdepasse"),
        ("ｍｏｔｄｅｐａｓｓｅ", "motdepasse"),
        ("Été2024", "ete"),
        ("e\u0301te\u0301 99", "ete"),
        ("cœur", "coeur"),
        ("Straße1", "strasse"),
        ("1234567890", "ieastbgo"),
        ("", ""),
        ("!!!", "iii"),
    ],
)
def test_case_accents_leet_and_what_is_hung_on_are_taken_away(typed, left):
    assert normalise(typed) in {left, normalise(left)}


@pytest.mark.parametrize("letters", ["soleil", "So1eil", "SOLE1L", "soleiI", "so|eil", "so!eil"])
def test_letters_that_look_alike_are_one(letters):
    assert normalise(letters) == normalise("soleil")


@pytest.mark.parametrize(
    "password",
    [
        *("Motdepasse2024", "Azertyuiop123!", "JeTaime-1987", "Bienvenue2025!", "marseille13013"),
        *(
            "Allez l’OM 1993",
            "Jean-Pierre1958",
            "N€uchâtel2024",
            "Chocolat!Chocolat!",
            "Soleil-Soleil-Soleil",
        ),
        *("Ich liebe dich 123", "Passwort2024!", "Qwertzuiop1", "Schätzeli1975", "Schaetzchen99"),
        *("Grüezi-Grüezi-1", "Hopp Schwiiz!!", "FCBasel1893-1893", "Sonnenschein12"),
        *(
            "ForzaJuve1897",
            "TiAmoTanto2020",
            "P@rol@ d’ordine1",
            "Ciaobella2024",
            "VivaLItalia2006",
        ),
        *("Password123456", "LetMeIn!LetMeIn!", "1loveyou-2020"),
        *(
            "Superman2024!",
            "Manchester1999",
            "1qaz2wsx3edc",
            "2024Lausanne2024",
            "lausanne.lausanne",
        ),
        *("soleil vacances", "chatchien2020", "Matterhorn-Edelweiss", "pizzaspaghetti"),
    ],
)
def test_what_people_take_is_refused(password):
    assert is_common(password), normalise(password)


@pytest.mark.parametrize(
    "password",
    [
        *("trois petits canards verts", "la lampe boit du sirop", "Vufflens bat Gimel aux échecs"),
        *("xK9#mQ2$vL7&pR4", "wolkig mit drei Zahnbürsten", "quattro ombrelli sul tetto"),
        *("seven otters juggling soup", "8462937465018273", "correct horse battery staple", ""),
    ],
)
def test_what_they_would_not_think_of_is_not(password):
    assert not is_common(password)


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_every_entry_of_every_list_is_found_with_a_year_behind(path):
    words = entries(path)
    assert len(words) > 500
    for word in words:
        assert len(normalise(word)) < 3 or is_common(f"{word.strip().title()}2024!"), word


def test_the_lists_hold_a_few_thousand_words_in_four_languages():
    assert [path.stem for path in LISTS] == ["de", "en", "fr", "it", "keyboards"]
    assert 4000 < len({normalise(word) for path in LISTS for word in entries(path)}) < 10_000


def test_the_organisations_own_words_are_as_common_as_any():
    assert not is_common("Pré-de-Vert2024")
    assert is_common("Pré-de-Vert2024", ("pré de vert",))
    assert is_common("predevert-bienvenue1", ("pré de vert",))
    assert not is_common("predevert un deux dragées", ("pré de vert",))


@given(st.text(max_size=200))
def test_any_text_can_be_judged_and_normalising_it_again_changes_nothing(text):
    assert set(normalise(text)) & set(string.digits + string.punctuation) == set()
    assert normalise(normalise(text)) == normalise(text)
    assert is_common(text) in {True, False}


@pytest.mark.usefixtures("app")
class TestPolicy:
    def problems(self, password):
        return new_password_problems(password, password, personal=(), legacy_hash=None)

    @pytest.mark.parametrize("password", ["Motdepasse2024", "Passwort2024!", "Sonnenschein12"])
    def test_a_common_password_is_refused_as_such(self, password):
        assert self.problems(password) == (PasswordProblem.COMMON,)

    def test_so_are_the_words_that_are_configured(self, app):
        with override(app, password_words=("Prédeverts", "Office des chablis")):
            assert self.problems("Office des chablis 24") == (PasswordProblem.COMMON,)

    @pytest.mark.parametrize(
        "password", ["Frobnitz-2024!", "frobnitz.frobnitz", "E-Guichet 2024-2025"]
    )
    def test_so_are_the_host_and_the_name_of_the_service(self, app, password):
        with override(app, issuer="https://frobnitz.example", mail_from_name="e-guichet"):
            assert self.problems(password) == (PasswordProblem.COMMON,)
