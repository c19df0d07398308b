import json
import stat
from pathlib import Path

import pytest

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


def test_each_purpose_and_each_key_derives_another_secret(tmp_path: Path) -> None:
    kek.create(tmp_path / "one.json")
    kek.create(tmp_path / "two.json")
    one, two = kek.load(tmp_path / "one.json"), kek.load(tmp_path / "two.json")
    secrets = {kek.derive_from(one, "a"), kek.derive_from(one, "b"), kek.derive_from(two, "a")}
    assert len(secrets) == 3
    assert {len(secret) for secret in secrets} == {32}
    assert kek.derive_from(one, "a") == kek.derive_from(kek.load(tmp_path / "one.json"), "a")


def test_the_key_itself_is_not_what_is_derived(tmp_path: Path) -> None:
    kek.create(tmp_path / "kek.json")
    written = json.loads((tmp_path / "kek.json").read_text())["k"]
    assert written.encode() not in kek.derive_from(kek.load(tmp_path / "kek.json"), "a")
