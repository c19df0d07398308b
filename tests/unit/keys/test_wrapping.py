from pathlib import Path

import pytest
from flask import Flask

from idp.keys import kek, wrapping
from tests.support.settings import override


@pytest.mark.parametrize("plain", [b"x", bytes(range(256)), b"a" * 5000])
def test_what_was_wrapped_comes_back(empty: Flask, plain: bytes) -> None:
    assert wrapping.unwrap(wrapping.wrap(plain, "row:1"), "row:1") == plain


def test_a_secret_of_one_row_is_not_read_as_anothers(empty: Flask) -> None:
    blob = wrapping.wrap(b"secret", "row:1")
    with pytest.raises(wrapping.WrapError):
        wrapping.unwrap(blob, "row:2")


def test_the_same_secret_is_never_wrapped_alike(empty: Flask) -> None:
    assert wrapping.wrap(b"secret", "row:1") != wrapping.wrap(b"secret", "row:1")


def test_any_altered_part_is_refused(empty: Flask) -> None:
    parts = wrapping.wrap(b"a secret of some length", "row:1").split(".")
    for number, part in enumerate(parts):
        other = ("B" if part[:1] == "A" else "A") + part[1:]
        altered = ".".join([*parts[:number], other, *parts[number + 1 :]])
        with pytest.raises(wrapping.WrapError):
            wrapping.unwrap(altered, "row:1")


@pytest.mark.parametrize("blob", ["", "a.b.c", "{}", "....", "é", '{"ciphertext": "x"}'])
def test_what_is_no_wrapped_secret_is_refused(empty: Flask, blob: str) -> None:
    with pytest.raises(wrapping.WrapError):
        wrapping.unwrap(blob, "row:1")


def test_another_deployments_key_opens_nothing(empty: Flask, tmp_path: Path) -> None:
    blob = wrapping.wrap(b"secret", "row:1")
    kek.create(tmp_path / "other.json")
    with override(empty, kek_file=tmp_path / "other.json"), pytest.raises(wrapping.WrapError):
        wrapping.unwrap(blob, "row:1")


def test_both_keys_open_while_one_is_replaced_by_the_other(empty: Flask, tmp_path: Path) -> None:
    path = tmp_path / "kek.json"
    old, blob = kek.ring().current, wrapping.wrap(b"secret", "row:1")
    new = kek.add(path)
    assert wrapping.opened_with(wrapping.wrap(b"more", "row:1")) == old
    kek.turn(path)
    assert wrapping.unwrap(blob, "row:1") == b"secret"
    again = wrapping.rewrap(blob)
    assert (wrapping.opened_with(blob), wrapping.opened_with(again)) == (old, new)
    kek.drop(path, leaked=False)
    assert wrapping.unwrap(again, "row:1") == b"secret"
    for act in (wrapping.rewrap, wrapping.opened_with):
        with pytest.raises(wrapping.WrapError):
            act(blob)


def test_wrapped_again_it_is_still_of_its_row_only(empty: Flask) -> None:
    with pytest.raises(wrapping.WrapError):
        wrapping.unwrap(wrapping.rewrap(wrapping.wrap(b"secret", "row:1")), "row:2")
