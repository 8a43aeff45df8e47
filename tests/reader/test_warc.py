"""Archives of the web that are whole, cut off and damaged."""

import re

import pytest
from test_item import read

import inputs
from inputs import TEXT

PAGES = [inputs.page(f"{TEXT} {i}.") for i in range(4)]
WHOLE = inputs.warc(PAGES)
MEMBERS = [match.start() for match in re.finditer(b"\x1f\x8b\x08", WHOLE)]  # request, response, request …, a picture


def outcomes(data, name="a.warc.gz"):
    """Return the last number of each page, or the reason code."""
    return [a if isinstance(a, str) else int(a.text[-2]) for a in read(name, data)]


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (WHOLE, [0, 1, 2, 3]),
        (WHOLE[: MEMBERS[7] + 600], [0, 1, 2, "truncated_record"]),
        (WHOLE[: MEMBERS[7] + 60], [0, 1, 2, "truncated_record"]),
        (WHOLE[: MEMBERS[6] + 30], [0, 1, 2, "truncated_record"]),
        (WHOLE[: MEMBERS[7]], [0, 1, 2]),
        (flipped(WHOLE, MEMBERS[3] + 300), [0, "corrupt_member", 2, 3]),
        (flipped(flipped(WHOLE, MEMBERS[3] + 300), MEMBERS[5] + 300), [0, "corrupt_member", 3]),
        (b"junk" * 100, ["corrupt_member"]),
        (inputs.gzipped(b"junk" * 100), ["corrupt_member"]),
        (b"", ["empty"]),
        (inputs.warc([]), ["nothing_to_read"]),
    ],
    ids=["whole", "cut in a page", "cut in a head", "cut in a request", "cut between records", "damaged", "damaged twice", "junk", "gzipped junk", "empty", "no pages"],
)
def test_each_page_or_its_loss_is_told(data, expected):
    assert outcomes(data) == expected


def test_plain_archives_are_checked_too():
    plain = inputs.warc(PAGES, compressed=False)
    assert outcomes(plain, "a.warc") == [0, 1, 2, 3]
    assert outcomes(plain[:-800], "a.warc") == [0, 1, 2, "truncated_record"]
    assert outcomes(plain[:-150], "a.warc") == [0, 1, 2, 3, "truncated_record"]
