import json
import os
import stat
from pathlib import Path

import pytest
from jwcrypto.common import base64url_decode

from idp.errors import ConfigurationError
from idp.keys import kek


def test_only_its_owner_can_read_the_key(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "kek.json"
    kek.create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "kek.json"
    kek.create(path)
    before = path.read_text()
    with pytest.raises(ConfigurationError, match="never overwritten"):
        kek.create(path)
    assert path.read_text() == before


def test_a_missing_key_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="idp keys create"):
        kek.load(tmp_path / "kek.json")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "{}",
        '{"kty":"oct","k":"c2hvcnQ"}',
        '{"kty":"EC","crv":"P-256","x":"a","y":"b"}',
        '{"keys":[]}',
        '{"keys":"kek"}',
        '{"keys":[{"kty":"oct","k":"c2hvcnQ"}]}',
        '{"keys":[{"kty":"oct","use":"sig","kid":"audit","k":"' + "A" * 43 + '"}]}',
    ],
)
def test_what_is_no_256_bit_key_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kek.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="is not a readable 256-bit JWK"):
        kek.load(path)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot write"):
        kek.create(tmp_path / "file" / "kek.json")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    kek.create(tmp_path / "kek.json")
    return tmp_path / "kek.json"


def secrets(path: Path) -> dict[str, bytes]:
    return {purpose: kek.load(path).secret(purpose) for purpose in kek.PURPOSES}


def test_each_purpose_and_each_key_derives_another_secret(path: Path, tmp_path: Path) -> None:
    kek.create(tmp_path / "other.json")
    derived = {*secrets(path).values(), *secrets(tmp_path / "other.json").values()}
    assert len(derived) == 2 * len(kek.PURPOSES)
    assert {len(secret) for secret in derived} == {32}
    assert secrets(path) == secrets(path)


def test_the_key_itself_is_not_what_is_derived(path: Path) -> None:
    written = base64url_decode(json.loads(path.read_text())["k"])
    ring = kek.load(path)
    assert written not in {*secrets(path).values(), bytes.fromhex(ring.current)}


def test_a_key_that_is_added_does_not_wrap_until_it_is_its_turn(path: Path) -> None:
    old = kek.load(path).current
    new = kek.add(path)
    assert [*kek.load(path).keys] == [old, new]
    assert kek.turn(path) == new
    assert [*kek.load(path).keys] == [new, old]
    kek.drop(path, leaked=False)
    assert [*kek.load(path).keys] == [new]


def test_what_was_derived_outlives_the_key_as_often_as_it_is_replaced(path: Path) -> None:
    before = secrets(path)
    for _time in range(2):
        for step in (kek.add, kek.turn, lambda path: kek.drop(path, leaked=False)):
            step(path)
            assert secrets(path) == before


def test_after_a_leak_only_what_stops_mail_is_derived_as_before(path: Path) -> None:
    before = secrets(path)
    kek.add(path)
    kek.turn(path)
    kek.drop(path, leaked=True)
    after = secrets(path)
    assert {name for name in before if before[name] == after[name]} == {"reminders"}


def test_the_former_key_is_nowhere_in_the_file(path: Path) -> None:
    old = json.loads(path.read_text())["k"]
    kek.add(path)
    kek.turn(path)
    assert old in path.read_text()
    kek.drop(path, leaked=False)
    assert old not in path.read_text()
    assert [file.name for file in path.parent.iterdir()] == ["kek.json"]


def test_a_file_that_is_replaced_stays_its_owners_alone(path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
    owner = path.stat().st_uid
    (path.parent / "kek.json.new").write_text("left behind by a crash")
    kek.add(path)
    assert (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode)) == (owner, 0o600)


def test_no_third_key_and_no_turn_without_a_second(path: Path) -> None:
    for step in (kek.turn, lambda path: kek.drop(path, leaked=True)):
        with pytest.raises(ConfigurationError, match="one key only"):
            step(path)
    kek.add(path)
    with pytest.raises(ConfigurationError, match="two keys already"):
        kek.add(path)


def test_a_folder_that_cannot_be_written_leaves_the_file_as_it_was(path: Path) -> None:
    before = path.read_text()
    (path.parent / "kek.json.new").mkdir()
    with pytest.raises(ConfigurationError, match="cannot replace"):
        kek.add(path)
    assert path.read_text() == before
