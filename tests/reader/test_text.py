import codecs

import pytest

from accordingto.errors import InputError
from accordingto.reader.text import decode_text
from accordingto.schema import MAX_BYTES

TEXT = "“Très bien,” said Zoë — 5 €.\r\nA second line.\n"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode("utf-8"),
        codecs.BOM_UTF8 + TEXT.encode("utf-8"),
        TEXT.encode("utf-16"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("cp1252"),
    ],
    ids=["utf-8", "utf-8 bom", "utf-16 bom", "utf-16-be bom", "utf-16-le", "utf-16-be", "windows-1252"],
)
def test_encodings_give_the_same_text_with_its_line_ends(data):
    assert decode_text(data, "x.txt") == TEXT


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 4, "binary"),
        (b"text with a NUL \0 in it", "binary"),
        (bytes(range(1, 9)) * 100, "binary"),
        ("half \ud83d a pair".encode("utf-8", "surrogatepass"), "decode_error"),
        (b"undefined in both: \x81\x8d\xff", "decode_error"),
        (codecs.BOM_UTF16_LE + b"\x00\xd8a", "decode_error"),
        (b"a" * (MAX_BYTES + 1), "too_large"),
    ],
)
def test_what_is_no_text_is_refused_with_its_reason(data, code):
    with pytest.raises(InputError, match=r"'x\.txt' was not read: .*; .*\.") as error:
        decode_text(data, "x.txt")
    assert error.value.code == code
