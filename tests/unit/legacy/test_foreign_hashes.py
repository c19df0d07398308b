"""Schemes of our own making against values that were published, or made by other implementations."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.security import generate_password_hash

from idp.legacy.hashes import SCHEMES, UnsupportedHashError, identify, verify

PASSWORD = "Grüezi & Bonjour 1291"

# The self-tests of hashcat; the password is its name.
HASHCAT = {
    "drupal7": "$S$C33783772bRXEx1aCsvY.dqgaaSu76XmVlKrW9Qu8IQlvxHlmzLf",
    "oracle12": "T:78281A9C0CF626BD05EFC4F41B515B61D6C4D95A250CD4A605CA0EF97168D670EBCB5673B6F5A2FB9CC4E0C0"
    "101E659C0C4E3B9B3BEDA846CD15508E88685A2334141655046766111066420254008225",
    "389_pbkdf2_sha256": "{PBKDF2_SHA256}AAAgADkxMjM2NTIzMzgzMjQ3MjI4MDAwNTk5OTAyOTk4NDI2MjkyMzA"
    "zNjg0NjQwOTMxNjI3OTMz"
    "Njg0MDI0OTY5NTe5ULagRTYpLaUoeqJMg8x9W/DXu+9VTFaVhaYvebYrY+sOqn1ZMRnws22C1uAkiE2tFM8qN+xw5xe"
    "7OmCPZ203NuruK4oB"
    "33QlsKIEz4ppm0TR94JB9PJx7lIQwFHD3FUNUNryj4jk6UYyJ4+V1Z9Ug/Iy/ylQBJgfs5ihzgxHYZrfp1wUCXFzlZG"
    "9mxmziPm8VFnAhaX4"
    "+FBAZvLAx33jpbKOwEg7TmwP2VJ8BNFLQRqwYdlqIjQlAhncXH+dqIF9VdM4MonAA0hx76bMvFTP7LF5VO1IqVmcuYz"
    "7YG9v4KKRjnvoUUqO"
    "j6okUBQTay3EzsdFVnUW1FemYOccJd5q",
    "atlassian_pbkdf2_sha1": "{PKCS5S2}NzIyNzM0NzY3NTIwNjI3MdDDis7wPxSbSzfFqDGf7u/L00kSEnupbz36XCL0m7wa",
    "mysql41": "*FCF7C1B8749CF99D88E5F34271D636178FB5D130",
    "phpass": "$P$984478476IagS59wHZvyQMArzfx58u.",
    "oracle11": "S:AC5F1E62D21FD0529428B84D42E8955B0496670338445748184477378130",
}
# The tests of ASP.NET Core Identity.
MICROSOFT = {
    "aspnet_identity_2": "ANXrDknc7fGPpigibZXXZFMX4aoqz44JveK6jQuwY3eH/UyPhvr5xTPeGYEckLxz9A==",
    "sha1": "AQAAAAAAAAD6AAAAEAhftMyfTJylOlZT+eEotFXd1elee8ih5WsjXaR3PA9M",
    "sha256": "AQAAAAEAA9CQAAAAIESkQuj2Du8Y+kbc5lcN/W/3NiAZFEm11P27nrSN5/tId+bR1SwV8CO1Jd72r4C08OLvplNlCDc3oQZ8"
    "efcW+jQ=",
    "sha512": "AQAAAAIAAAD6AAAAIJbVi5wbMR+htSfFp8fTw8N8GOS/Sje+S/4YZcgBfU7EQuqv4OkVYmc4VJl9AGZzmRTxSkP7LtVi9IWy"
    "UxX8IAAfZ8v+ZfhjCcudtC1YERSqE1OEdXLW9VukPuJWBBjLuw==",
}
# Of PASSWORD: by PHP's password_hash and hash_hmac, node's crypto, mkpasswd, htpasswd, slappasswd, openssl.
MADE = {
    "wordpress": "$wp$2y$04$MyOy.c4eWotIPwDAg.WGC.wZZQiv7pOAZg4dIIRpEAUSmzwN.GrzW",
    "argon2": "{ARGON2}$argon2id$v=19$m=64,t=1,p=1$TlZaYnVPbnkzNDk4OHU2Ug"
    "$fNAumf8AQEDDqYkkJNX2BivHQ91VfW8HUz7eDFRj6Q4",
    "werkzeug_scrypt": "scrypt:1024:8:1$Xs1tSalt$1a46c718bdd02281f46fff861d3ee93b05a37339ca8367a"
    "e3aad0779c1c98997"
    "07514ad9120a5f55fbf47cd98beed1785b5921bc89791422fba52b8e9c4d2323",
    "werkzeug_pbkdf2": "pbkdf2:sha256:1000$Xs1tSalt$"
    "a438d0176d379a4e488bf455d359221d9fba00833dd5be8d02560df74ff00e62",
    "django_scrypt": "scrypt$1024$seasalt$8$1$NnvduHALzOAyKuZQ26pjyS2+civKVWMxBZKlu+XJCIXnuqLRj6"
    "Mt9Oj3FPqn8/SAngs8Q"
    "oLbpTDJL22rbqB+/A==",
    "spring_scrypt": "{scrypt}$a0801$AAECAwQFBgcICQoLDA0ODw==$eFjPut0dmrBZAr9BYX3q7zmqcM0p2R5aPzeCYdZ7NO0=",
    "spring_sha256": "{sha256}0001020304050607660d9801e9150abd1a5875f7fa0e95ffabe17c1dde87f86132704d13bb1e005d",
    "yescrypt": "$y$j75$GJLqAYB72qJTrOPhLcAVT0$6crSgAZY71dxio5swpfjumNmOerbB38PAmHlsJJ8L/A",
    "apr_md5_crypt": "$apr1$.7bK7UER$Q7P4niyXOKwktmQoCrtdA.",
    "ldap_sha1": "{SHA}PbQJmzVYxWKrn+pMwCX/rcbLBI0=",
    "ldap_salted_sha1": "{SSHA}S0egg5huOfZK8bAw+dBz/m0x0rxdDjui",
    "sha256_crypt": "{CRYPT}$5$saltstring$/Tx0.pFxu91fY9lM4Tg2ebEWLrGr7eTCr6ITOskr/X.",
    "md5_crypt": "{crypt}$1$salt$jtSX5X/z0hyu0O.YDZE9p.",
}
ALL = (
    *((scheme, stored, "hashcat") for scheme, stored in HASHCAT.items()),
    *((scheme, stored, PASSWORD) for scheme, stored in MADE.items()),
    *(
        (scheme if scheme in SCHEMES else "aspnet_identity_3", stored, "my password")
        for scheme, stored in MICROSOFT.items()
    ),
)


@pytest.mark.parametrize(("scheme", "stored", "password"), ALL)
def test_each_is_recognised_by_its_form_and_fits_its_password_only(scheme, stored, password):
    assert identify(stored) == scheme
    assert verify(stored, password)
    assert verify(stored, password, scheme=scheme)
    for wrong in (password + "x", password.swapcase(), "", password[:-1]):
        assert not verify(stored, wrong)


def test_wordpress_takes_blanks_around_a_password_for_nothing():
    assert verify(MADE["wordpress"], f" {PASSWORD}\n")


def test_joomla_has_the_form_of_others_and_must_be_named():
    stored = "19e0e8d91c722e7091ca7a6a6fb0f4fa:54718031842521651757785603028777"
    assert verify(stored, "hashcat", scheme="joomla")
    assert not verify(stored, "Hashcat", scheme="joomla")
    with pytest.raises(UnsupportedHashError):
        verify(stored, "hashcat")


@pytest.mark.parametrize("method", ["scrypt:1024:8:1", "pbkdf2:sha512:1000"])
def test_what_werkzeug_makes_itself(method):
    stored = generate_password_hash(PASSWORD, method)
    assert verify(stored, PASSWORD)
    assert not verify(stored, "wrong")


# The self-tests of hashcat again.
@pytest.mark.parametrize(
    ("scheme", "stored"),
    [
        ("hex_md5", "8743b52063cd84097a65d1633f5c74f5"),
        ("hex_sha1", "b89eaac7e61417341b710b727768294d0e6a277b"),
        ("nthash", "b4b9b02e6f09a9bd760f388b67351e2b"),
        ("mysql323", "7196759210defdc0"),
    ],
)
def test_a_form_that_many_have_must_be_named(scheme, stored):
    assert verify(stored, "hashcat", scheme=scheme)
    assert not verify(stored, "hashcaT", scheme=scheme)
    assert identify(stored) is None
    with pytest.raises(UnsupportedHashError, match=f"could be .*{scheme}"):
        verify(stored, "hashcat")


def test_old_passwords_were_written_down_in_the_old_systems_bytes():
    in_latin_1 = "41516ab161ead9d12928063775ca8bd8"  # iconv and openssl
    assert verify(in_latin_1, "Zürich", scheme="hex_md5", charset="latin-1")
    assert not verify(in_latin_1, "Zürich", scheme="hex_md5")
    assert not verify(in_latin_1, "Zürich €", scheme="hex_md5", charset="latin-1")


def test_a_password_in_clear_is_compared_only_where_the_source_says_so():
    assert verify(PASSWORD, PASSWORD, scheme="plaintext")
    assert not verify(PASSWORD, PASSWORD.lower(), scheme="plaintext")
    with pytest.raises(UnsupportedHashError):
        verify(PASSWORD, PASSWORD)


BOMBS = (
    "$wp$2y$31$" + "u" * 53,
    "$S$z33783772" + "b" * 43,
    "pbkdf2:sha256:4000000000$salt$" + "a" * 64,
    "scrypt:1073741824:8:1$salt$" + "a" * 128,
    "scrypt:1024:60000:60000$salt$" + "a" * 128,
    "scrypt$1073741824$salt$8$1$AAAA",
    "{scrypt}$ff0801$AAAA$AAAA",
    "{PBKDF2_SHA256}/////w" + "A" * 425 + "=",
    "AQAAAAL/////AAAAEAABAgMEBQYHCAkKCwwNDg9a8EEGIsDLiSLGtYvk8FUVmkCVy1xkAiXzbxUsuUOrCg==",
    "$y$jzz$GJLqAYB72qJTrOPhLcAVT0$6crSgAZY71dxio5swpfjumNmOerbB38PAmHlsJJ8L/A",
    "$scrypt$ln=30,r=8,p=1$c2FsdA$" + "a" * 43,
    "$2b$31$" + "u" * 53,
    "$bcrypt-sha256$v=2,t=2b,r=31$" + "u" * 22 + "$" + "u" * 31,
    "$sha1$4000000000$salt$" + "a" * 28,
    "{PBKDF2-SHA512}4000000000$c2FsdA$" + "a" * 86,
    "{FSHP3|64|4000000000}" + "A" * 172,
    "grub.pbkdf2.sha512.4000000000.AAAA." + "A" * 128,
)


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_hash_that_would_stop_the_service_is_not_computed(bomb):
    began = time.monotonic()
    with pytest.raises(UnsupportedHashError, match=r"expensive|malformed|unrecognised|not in"):
        verify(bomb, "x")
    assert time.monotonic() - began < 1


@given(st.data())
def test_no_altered_hash_raises_anything_but_unsupported(data):
    _scheme, stored, password = data.draw(st.sampled_from(ALL))
    at = data.draw(st.integers(0, len(stored)))
    tail = stored[at + data.draw(st.integers(0, 3)) :]
    altered = stored[:at] + data.draw(st.text(max_size=3)) + tail
    scheme = data.draw(st.sampled_from(["auto", *sorted(SCHEMES)]))
    began = time.monotonic()
    with contextlib.suppress(UnsupportedHashError):
        assert verify(altered, password, scheme=scheme, salt="x") in {True, False}
    assert time.monotonic() - began < 5
