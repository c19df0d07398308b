"""Files of old rows: each bad line is told and left out, whatever is in it, and the next one is read."""

import os

import pytest

from idp.errors import ConfigurationError
from idp.legacy import files
from idp.legacy.files import Fault, Record, Shape

CSV = Shape("csv")
LINES = Shape("jsonl")


@pytest.fixture
def read(tmp_path):
    def read(content, shape=CSV):
        path = tmp_path / "file"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with files.opened(path) as file:
            return list(files.records(file, shape))

    return read


def test_rows_come_with_the_line_they_begin_on(read):
    found = read('id,name\n1,Anna\n\n2,"Rue du\nLac"\r\n3,Luc')
    assert found == [
        Record(2, {"id": "1", "name": "Anna"}),
        Record(4, {"id": "2", "name": "Rue du\nLac"}),
        Record(6, {"id": "3", "name": "Luc"}),
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_column(read):
    assert read(b"\xef\xbb\xbfid\n1\n") == [Record(2, {"id": "1"})]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_other_encodings_are_read(read, encoding):
    assert read("id\nÉlodie\n".encode(encoding), Shape("csv", encoding)) == [
        Record(2, {"id": "Élodie"})
    ]


def test_bytes_of_another_encoding_are_told_and_the_next_line_is_read(read):
    bad, good = read(b"id\n\xe9lodie\n2\n")
    assert bad == Fault(2, "not utf-8")
    assert good == Record(3, {"id": "2"})


def test_a_file_of_another_encoding_altogether_is_one_clear_error(read):
    with pytest.raises(ConfigurationError, match="--encoding"):
        read(b"\xff\xfe\x00", Shape("csv", "utf-16"))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("1", "1 columns, but the header has 2"),
        ("1,2,3", "3 columns"),
        ('1,"two"x', "expected after"),
        ("1," + "x" * 200_000, "field larger"),
        ("1," + "x" * 3_000_000, "longer than 1 MiB"),
        ("," * 3_000_000, "longer than 1 MiB"),
    ],
    ids=["short", "long", "quote", "field", "line", "columns"],
)
def test_a_bad_line_is_told_and_the_next_one_is_read(read, line, why):
    bad, good = read(f"id,name\n{line}\n2,Luc\n")
    assert bad.line == 2
    assert why in bad.why
    assert good == Record(3, {"id": "2", "name": "Luc"})


def test_a_quote_left_open_swallows_no_more_than_can_be_held(read):
    """Not the rest of the file: rows after it are read again."""
    rows = "".join(f"{number},x\n" for number in range(100_000))
    found = read(f'id,name\n1,"open\n{rows}')
    assert isinstance(found[0], Fault)
    assert "lines 2 to" in found[0].why
    assert found[-1] == Record(100_002, {"id": "99999", "name": "x"})


def test_a_row_of_endlessly_many_lines_is_left_out(read):
    found = read('id,name\n1,"' + '\n","' * 600_000 + "\n2,Luc\n")
    assert isinstance(found[0], Fault)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no header"),
        ("\n1\n", "no header"),
        ("," * 2000, "more than 1000"),
        ("," * 3_000_000, "longer than 1 MiB"),
        ("id,name,id\n", "two columns 'id'"),
    ],
)
def test_a_file_that_cannot_be_understood_is_one_clear_error(read, text, why):
    with pytest.raises(ConfigurationError, match=why):
        read(text)


def test_json_lines_are_read_and_bad_ones_told(read):
    nested = "[" * 200_000
    found = read(f'{{"id": 1}}\n\n{{"id":\n[1]\n{nested}\n{"9" * 5000}\n{{"id": 2}}\n', LINES)
    assert found[0] == Record(1, {"id": 1})
    assert [(one.line, one.why) for one in found[1:-1]] == [
        (3, "not JSON"),
        (4, "no JSON object"),
        (5, "not JSON"),
        (6, "not JSON"),
    ]
    assert found[-1] == Record(7, {"id": 2})


def test_what_is_no_ordinary_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "none", tmp_path / "x\0y"):
        with pytest.raises(ConfigurationError, match="cannot read"), files.opened(path):
            pass


def test_a_fingerprint_is_that_of_the_content_and_of_how_it_is_read(tmp_path):
    def mark(content, *how):
        (tmp_path / "file").write_text(content)
        with files.opened(tmp_path / "file") as file:
            return files.fingerprint(file, *how)

    assert mark("id\n1\n") == mark("id\n1\n")
    assert len({mark("id\n1\n"), mark("id\n2\n"), mark("id\n1\n", "columns")}) == 3
