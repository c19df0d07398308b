"""SMS alphabets (3GPP TS 23.038)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.delivery import gsm7


@pytest.mark.parametrize(
    ("text", "coding", "sizes"),
    [
        ("", gsm7.DEFAULT, [0]),
        ("@" * 160, gsm7.DEFAULT, [160]),
        ("a" * 161, gsm7.DEFAULT, [153, 8]),
        ("€" * 80, gsm7.DEFAULT, [160]),
        ("€" * 81, gsm7.DEFAULT, [152, 10]),
        ("’" * 70, gsm7.UCS2, [140]),
        ("’" * 71, gsm7.UCS2, [134, 8]),
        ("😀" * 36, gsm7.UCS2, [132, 12]),
    ],
)
def test_segments_are_as_long_as_they_may_be(text, coding, sizes):
    found, segments = gsm7.parts(text)
    assert (found, [len(segment) for segment in segments]) == (coding, sizes)


def test_letters_stand_where_the_table_says():
    assert gsm7.parts("@£è§à[€]") == (
        gsm7.DEFAULT,
        [bytes([0x00, 0x01, 0x04, 0x5F, 0x7F, 0x1B, 0x3C, 0x1B, 0x65, 0x1B, 0x3E])],
    )


def test_the_escape_itself_is_no_letter():
    assert gsm7.parts("\x1b")[0] == gsm7.UCS2


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=400))
def test_nothing_is_lost_and_no_letter_is_torn(text):
    coding, segments = gsm7.parts(text)
    whole, shorter = (160, 153) if coding == gsm7.DEFAULT else (140, 134)
    assert all(len(segment) <= (whole if len(segments) == 1 else shorter) for segment in segments)
    assert b"".join(segments) == b"".join(gsm7.encode(text)[1])
    for segment in segments:
        if coding == gsm7.UCS2:
            segment.decode("utf-16-be")
        else:
            assert not segment.endswith(b"\x1b")
