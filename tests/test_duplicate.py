import gzip
import json
import re
import sqlite3
from pathlib import Path

from accordingto.duplicate import SAME, NearDuplicates, signature_of, similarity

with gzip.open(Path(__file__).parent / "data/written_dev.jsonl.gz", "rt", encoding="utf-8") as lines:
    TEXTS = [json.loads(line)["text"] for line in lines]


def paper(text, number):
    """Return a wire story as another paper prints it: its own heading, without the last paragraphs."""
    parts = re.split(r"\n+", text.strip())
    return "\n\n".join([f"Another heading {number}", *parts[1 : len(parts) - number]])


def test_same_story_in_other_papers_is_found_and_others_are_not():
    signatures = {}
    near = NearDuplicates(sqlite3.connect("", isolation_level=None), signatures.__getitem__)
    found = {}
    for i, text in enumerate(TEXTS):
        for number in range(3):
            key = f"{i}-{number}"
            signatures[key] = signature_of(paper(text, number) if number else text)
            found[key] = near.original_of(key, key)
    assert {key: original for key, original in found.items() if original and original.split("-")[0] != key.split("-")[0]} == {}
    assert [key for key in found if key.endswith("-0") and found[key]] == []
    assert sum(bool(found[key]) for key in found if key.endswith("-1")) >= 11  # of 12


def test_estimate_is_that_of_the_set():
    assert similarity(signature_of(TEXTS[0]), signature_of(TEXTS[0])) == 1.0
    assert similarity(signature_of(TEXTS[0]), signature_of(TEXTS[1])) < SAME / 3


def test_short_and_empty_texts_have_signatures():
    assert signature_of("One.") != signature_of("Two.")
    assert len(signature_of("")) == 512
