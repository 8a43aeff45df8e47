"""Furniture of pages: what is marked, what must be left alone, and that no gold attribution is lost."""

import gzip
import json
import time
from pathlib import Path

import pytest

from accordingto.clearing import Furniture
from accordingto.document import attributions_of, set_title
from accordingto.furniture import find_furniture, without_furniture
from accordingto.schema import Attribution

ROOT = Path(__file__).parents[1]


def marked(text, title=""):
    return [(kind, text[start:end]) for start, end, kind in find_furniture(text, title)]


STORY = " The Foreign Office on Tuesday rejected as baseless the claim that its aircraft had entered the neighbouring country’s airspace, and summoned the envoy to hand him a note."


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("- Web Desk", "desk_byline"),
        ("By Our Political Correspondent", "desk_byline"),
        ("Staff Correspondent, Gazipur", "desk_byline"),
        ("Agencies", "desk_byline"),
        ("(Reporting by Mona Faris; Editing by Colin Bright)", "desk_byline"),
        ("- 16 Minutes ago", "relative_time"),
        ("Updated 3 hours ago", "relative_time"),
        ("Published: 6:42 AM EDT | Updated: 3 hours ago", "timestamp"),
        ("Tuesday, 9th July 2024, 4:45 pm", "timestamp"),
        ("Issued on: 14/11 - 18:47 | Modified: 14/11 - 21:05", "timestamp"),
        ("Read more: How the Solent service sank", "read_more"),
        ("Related topics", "read_more"),
        ("Share on Facebook", "share_bar"),
        ("Share | Tweet | Email | Print", "share_bar"),
        ("27 Comments", "share_bar"),
        ("Photo: AFP", "photo_credit"),
        ("Rescuers search for survivors on Saturday. Photo: Sagarmatha Daily", "photo_credit"),
        ("FILE PHOTO: A crude oil tanker at anchor off Laconia, Greece. REUTERS", "photo_credit"),
        ("Sign up for our newsletter", "newsletter"),
        ("Copyright 2023 WKTL. All rights reserved.", "copyright"),
        ("___", "separator"),
    ],
)
def test_lines_of_furniture_have_their_type(line, kind):
    assert marked(f"A heading of the article\n{line}\nOfficials said it rained.") == [(kind, line)]


@pytest.mark.parametrize(
    ("opening", "kind"),
    [
        ("WEB DESK:", "desk_byline"),
        ("ISLAMABAD:", "dateline"),
        ("WASHINGTON (Reuters) —", "dateline"),
        ("MONTEVIDEO, Oct 9 (Reuters) -", "dateline"),
        ("MOSCOW, February 17. /TASS/.", "dateline"),
        ("KASTRI, Greece —", "dateline"),
        ("Ranchi, Jun 11 (UNW)", "dateline"),
    ],
)
def test_openings_of_a_story_are_marked_without_the_story(opening, kind):
    assert marked(f"A heading of the article\n{opening}{STORY}") == [(kind, opening)]


@pytest.mark.parametrize(
    "text",
    [
        "Officials said the road was closed.",
        "The aid agencies said they would leave.",
        "LEAK: Brussels wants power to seize idle wind permits",
        "AP: Trump chair routed money",
        "JAKE TAPPER: Did you hear the allegation?\nTRUMP: I did, and it is false. " + STORY + "\nTAPPER: Thank you.",
        "Q: Who treated you?\nA: I do not remember.",
        "More than 80 people packed into the hall.",
        "Share prices fell on Monday.",
        "Today, 4,000 people marched.",
        "A desk stood in the corner.",
        "Photographs showed that the roof was gone, the mayor said.",
        "Copy of the letter: it says that nothing was paid.",
        "'More!' they shouted.",
        "",
    ],
)
def test_text_is_left_alone(text):
    assert marked(text) == []


def test_repeated_title_is_marked_and_the_first_is_not():
    title = "Bridge is safe, officials say"
    assert marked(f"{title}\nOfficials said it rained.\n{title}\nThe end.", title) == [("title_repeat", title)]
    assert marked(f"{title}\nOfficials said it rained.", title) == []


def test_furniture_of_the_seed_is_found():
    text = (ROOT / "seeds/004_bbc58baeaca6f126.txt").read_text("utf-8")
    assert marked(text) == [("desk_byline", "- Web Desk"), ("relative_time", "- 16 Minutes ago"), ("separator", "-"), ("desk_byline", "- Web Desk"), ("relative_time", "- 3 Hours ago"), ("desk_byline", "WEB DESK:")]


def test_no_gold_attribution_is_lost():
    with gzip.open(ROOT / "tests/data/written_dev.jsonl.gz", "rt", encoding="utf-8") as lines:
        articles = [json.loads(line) for line in lines]
    count = 0
    for article in articles:
        spans = [(start, end) for start, end, _ in find_furniture(article["text"])]
        count += len(spans)
        gold = [Attribution(*(tuple(map(tuple, a[role])) for role in ("source", "cue", "content")), None, 1.0) for a in article["attributions"]]
        assert without_furniture(gold, spans, article["text"]) == gold
    assert count > 15


def test_attributions_in_furniture_go_and_their_children_move_up():
    text = "WEB DESK: It rained, he said they claimed."
    outer = Attribution(((21, 23),), ((24, 28),), ((10, 19),), None, 0.9)
    desk = Attribution(((0, 8),), ((8, 9),), ((10, 42),), 0, 0.9)
    inner = Attribution(((29, 33),), ((34, 41),), ((0, 19),), 1, 0.9, speaker="Web Desk")
    kept = without_furniture([outer, desk, inner], [(0, 9)], text)
    assert kept[0] == outer
    assert (kept[1].parent, kept[1].content, kept[1].speaker) == (0, ((9, 19),), "they")
    assert len(kept) == 2


PAGE = "Rain closes the northern road again\n- Web Desk\n- 16 Minutes ago\nWEB DESK: Officials said the road was closed.\nRead more: Mayor says bridge is safe"


@pytest.mark.parametrize("read", [lambda nlp, text: nlp(text), lambda nlp, text: next(nlp.pipe([text]))], ids=["alone", "piped"])
def test_pipeline_marks_furniture_and_reads_no_attribution_in_it(nlp, read):
    doc = read(nlp, PAGE)
    assert [(span.label_, span.text) for span in doc.spans["furniture"]] == [("desk_byline", "- Web Desk"), ("relative_time", "- 16 Minutes ago"), ("desk_byline", "WEB DESK:"), ("read_more", "Read more: Mayor says bridge is safe")]
    assert doc.text == PAGE
    assert [span.text for span in doc.spans["cue"]] == ["said"]
    assert [span.text for span in doc.spans["source"]] == ["Officials"]


def test_attributions_in_furniture_are_there_without_the_component(nlp):
    with nlp.select_pipes(disable="furniture"):
        doc = nlp(PAGE)
    assert "furniture" not in doc.spans
    assert {"said", "says"} <= {span.text for span in doc.spans["cue"]}  # so the component is what takes them away


def test_title_that_a_doc_carries_is_known_when_repeated(nlp):
    title = "Bridge is safe, mayor says"
    text = f"The road to the north\nOfficials said it rained.\n{title}\nThe end."
    repeated = nlp(set_title(nlp.make_doc(text), title))
    assert [(span.label_, span.text) for span in repeated.spans["furniture"]] == [("title_repeat", title)]
    assert len(nlp(text).spans["furniture"]) == 0


def test_doc_without_attributions_or_text_is_marked_all_the_same(doc_of):
    doc = Furniture()(doc_of("Heading\n- Web Desk\nRain."))
    assert [span.label_ for span in doc.spans["furniture"]] == ["desk_byline"]
    assert attributions_of(doc) == []
    assert len(Furniture()(doc_of("")).spans["furniture"]) == 0


@pytest.mark.parametrize("line", ["1-" * 119, "1" * 239 + "!", "A-" * 119, "A" * 100_000 + "-" * 1000, "share " * 39 + "!", "Jan 1, " * 33, "our " * 59, "AA BB " * 39 + "(", "1/1/1/1/" * 29, "updated on at " * 16])
def test_hostile_lines_take_no_time(line):
    start = time.perf_counter()
    find_furniture(f"A heading\n{line}\n{line}")
    assert time.perf_counter() - start < 5
