"""Schemes that somebody made up, each against what openssl and iconv make of the same bytes."""

import pytest
from pydantic import ValidationError

from idp.legacy.hashes import UnsupportedHashError
from idp.legacy.hashes.homemade import HomeMade
from idp.legacy.rows import HashedOptions, Row
from idp.legacy.source import Person

PASSWORD, SALT = "Zürich 1291", "s4lt"
CASES = (
    ({"digest": "sha256"}, "54af734f0ff00ad722df82fc3c4b96185c7ddc1db7c00ddb805939fc2b27a273"),
    ({"digest": "md5", "salt": "after"}, "d1b74ad081930f4b980a3de6cc0061aa"),
    (
        {"digest": "sha256", "salt": "hmac"},
        "2be0a8caecbab5f8dc4b219dbe19172f329ec3cd6ced04236a41c306f92d29f3",
    ),
    (
        {"digest": "sha1", "pepper": "pepper", "pepper_at": "before"},
        "c494bf2bcc8f365e283fa5c612bc4ae097d1d6d0",
    ),
    (
        {"digest": "sha512", "pepper": "pepper", "pepper_at": "hmac", "encoding": "base64"},
        "q2R9lfg9DXh7oMNgwgtfuTfvaRquRWYBG/dyKX4noJtIdpt3NlV2YMYODzaFMU6GSuHP/qHckzZIHeHvA8Rluw==",
    ),
    (
        {"digest": "sha256", "pepper": "pepper"},
        "8e622522446f8a79b4773ab25d9a1c121bacb4d23be47127a11675a8538296a1",
    ),
    (
        {"digest": "sha256", "rounds": 3},
        "6f4291624be3cc52d503a9b024e98789a396a4de237da9209a6c75c93dc47079",
    ),
    ({"digest": "md5", "charset": "latin-1"}, "0457b0afe47dd974c6be324b93c55e65"),
    (
        {"digest": "sha1", "salt": "none", "charset": "utf-16-le"},
        "bcf5d84d0521c4e3ba05799852638efe0bf6bc47",
    ),
)


@pytest.mark.parametrize(("described", "stored"), CASES)
def test_each_order_fits_its_password_and_salt_only(described, stored):
    scheme = HomeMade(**described)
    assert scheme.verify(stored, PASSWORD, SALT)
    assert scheme.verify(f" {stored} ", PASSWORD, SALT)
    assert not scheme.verify(stored, PASSWORD + " ", SALT)
    assert scheme.verify(stored, PASSWORD, "salt") == (described.get("salt") == "none")


@pytest.mark.parametrize(("described", "stored"), [case for case in CASES if "pepper" in case[0]])
def test_another_pepper_fits_nothing(described, stored):
    assert not HomeMade(**described | {"pepper": "salt"}).verify(stored, PASSWORD, SALT)


def test_a_pepper_can_stay_out_of_the_file(monkeypatch):
    monkeypatch.setenv("SEUIL_TEST_PEPPER", "pepper")
    described, stored = CASES[5]
    scheme = HomeMade(**described | {"pepper": "env:SEUIL_TEST_PEPPER"})
    assert scheme.verify(stored, PASSWORD, SALT)
    assert "pepper'" not in repr(scheme).replace("pepper=", "")


def test_what_the_charset_cannot_write_is_wrong():
    described, stored = CASES[7]
    assert not HomeMade(**described).verify(stored, "Zürich €", SALT)


@pytest.mark.parametrize("stored", ["", "no digest", "8743b52063cd84097a65d1633f5c74f5", "é" * 64])
def test_what_is_no_digest_of_this_kind_is_told_to_the_operator(stored):
    with pytest.raises(UnsupportedHashError):
        HomeMade(digest="sha256").verify(stored, PASSWORD, SALT)


@pytest.mark.parametrize(
    "described",
    [{}, {"digest": "crc32"}, {"digest": "md5", "rounds": 10**9}, {"digest": "md5", "x": 1}],
)
def test_a_description_that_cannot_be_is_refused(described):
    with pytest.raises(ValidationError):
        HomeMade(**described)


def test_a_source_names_it_and_a_row_may_name_another():
    described, stored = CASES[0]
    options = HashedOptions(name="old", type="sql", hash="home-made", home_made=described)
    assert options.fits(Row(Person("1"), stored, SALT), PASSWORD)
    assert not options.fits(Row(Person("1"), stored, "other"), PASSWORD)
    assert options.fits(
        Row(Person("1"), "8743b52063cd84097a65d1633f5c74f5", "", "hex_md5"), "hashcat"
    )
    with pytest.raises(ValidationError, match="home_made"):
        HashedOptions(name="old", type="sql", hash="home-made")
