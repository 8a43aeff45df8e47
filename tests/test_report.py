"""The report as its readers have it: pages of real tables, read with the standard library's HTML parser."""

import base64
import hashlib
import os
import random
import re
import subprocess
import sys
from collections import defaultdict
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from accordingto import report, section
from accordingto.errors import OutputError, TableError
from accordingto.reviewed import _clean, read_reviewed
from accordingto.schema import Claim, SpanText
from accordingto.table import COLUMNS, flatten_claim, write_table

VOID = {"meta", "br", "link", "img", "input", "hr"}
LABELS = {"source_kind": ("person", "unnamed", "group", "organization", None), "stance": ("assert", "deny", "accuse", None), "attitude": ("against", "favor", "neutral", None),
          "framing": ("neutral", "endorses", None), "attribution_type": ("communication", "belief", None)}  # fmt: skip


def claim(number: int = 0, **changes) -> Claim:
    empty = dict.fromkeys(("speaker", "speaker_role", "source_kind", "stance", "negated", "certainty", "attitude", "attitude_target", "framing", "attribution_type", "parent_id", "speaker_confidence", "stance_confidence"))
    facts = {"claim_id": f"c_{number}", "article_id": "a", "title": "", "publisher": "", "published": "", "url": "", "quotation": "direct", "claim": "it rains", "context": "He said it rains."}
    spans = {"source": SpanText("He", ((10, 12),)), "cue": SpanText("said", ((13, 17),)), "content": SpanText("it rains", ((18, 26),))}
    return Claim(**(empty | facts | {"confidence": 0.5, "why": "said", "model": "m 1"} | spans | changes))


def claims(count: int = 120, articles: int = 9) -> list[Claim]:
    """Claims of all kinds, in the order of their articles."""
    chance = random.Random(7)
    made = []
    for number in range(count):
        article = number * articles // count
        labels = {name: chance.choice(values) for name, values in LABELS.items()}
        parent = f"c_{number - 1}" if made and chance.random() < 0.2 and made[-1].article_id == f"a{article}" else None
        made.append(claim(number, article_id=f"a{article}", title=f"Title {article}", publisher=("The Herald", "Daily", "")[article % 3], published=f"2026-01-0{article + 1}", url=f"https://news.example/{article}",
                          speaker=chance.choice(("Ada Moor", "ada moor", "officials", "Ben Low", None)), attitude_target=chance.choice(("the plan", "Ada Moor", None)), parent_id=parent, **labels))  # fmt: skip
    return made


class Page(HTMLParser):
    """The elements of a page: tag, attributes, text within, and the tags around."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html, self.elements, self.path = html, [], []
        self.feed(html)
        self.close()
        assert self.path == []
        self.style = next(text for tag, _, text in self.of("style"))

    def handle_starttag(self, tag, attrs):
        assert len(attrs) == len(dict(attrs))
        self.elements.append([tag, dict(attrs), "", tuple(e[0] for e in self.path)])
        if tag not in VOID:
            self.path.append(self.elements[-1])

    def handle_startendtag(self, tag, attrs):
        self.elements.append([tag, dict(attrs), "", tuple(e[0] for e in self.path)])

    def handle_endtag(self, tag):
        assert self.path.pop()[0] == tag

    def handle_data(self, data):
        for element in self.path:
            element[2] += data

    def of(self, tag, **attributes):
        return [(t, a, text) for t, a, text, _ in self.elements if t == tag and all(a.get(k.rstrip("_")) == v for k, v in attributes.items())]

    def numbers(self):
        """The links that are numbers: number, unit and list of each."""
        links = [(text, a) for _, a, text in self.of("a") if re.fullmatch(r"[\d,]+", text) and a["href"].startswith("#l")]
        return [(int(text.replace(",", "")), re.match(r"[\d,]+ (claim|article)", a["aria-label"])[1], a["href"][1:], a["aria-label"]) for text, a in links]

    def shown(self, tag, name):
        """The elements that the style sheet shows when a list is the target."""
        assert f"#{name}:target~#claims .{name}{{display:block}}" in self.style
        return [a for _, a, _ in self.of(tag) if name in a.get("class", "").split()]

    def fact(self, name):
        texts = [text for tag, _, text, path in self.elements if tag == "div" and path[-1:] == ("dl",)]
        return next((text[len(name) :] for text in texts if text.startswith(name)), None)


@pytest.fixture
def page_of(tmp_path):
    def build(*tables: list, name: str = "t{}.csv") -> Page:
        paths = []
        for number, table in enumerate(tables):
            paths.append(tmp_path / name.format(number))
            if table and isinstance(table[0], dict):
                write_rows(paths[-1], table)
            else:
                write_table(table, paths[-1])
        report.write_report(paths, tmp_path / "report.html")
        return Page((tmp_path / "report.html").read_text("utf-8"))

    return build


def write_rows(path, rows):
    import csv

    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def test_every_number_leads_to_exactly_the_claims_that_it_counts(page_of):
    page = page_of(claims())
    numbers = page.numbers()
    assert len(numbers) > 100
    for number, unit, name, _ in numbers:
        assert page.of("div", class_="list", id=name)
        assert len(page.shown("li" if unit == "claim" else "section", name)) == number
    links = {a["href"][1:] for _, a, _ in page.of("a") if a.get("href", "").startswith("#l")}
    assert links == {a["id"] for _, a, _ in page.of("div", class_="list")}  # each list is reached, each link arrives


def test_lists_hold_the_claims_that_their_headings_say(page_of):
    made = claims()
    page = page_of(made)
    places = {f"c{i}": c for i, c in enumerate(made)}  # the table is in the order of its articles
    lists = {text: a["id"] for _, a, text in page.of("div", class_="list")}

    def listed(start):
        name = next(name for text, name in lists.items() if text.startswith(start))
        return {places[a["id"]].claim_id for a in page.shown("li", name)}

    def expected(wanted):
        return {c.claim_id for c in made if wanted(c)}

    assert listed("All claims · stance: deny") == expected(lambda c: c.stance == "deny")
    assert listed("All claims · stance: not labelled") == expected(lambda c: c.stance is None)
    assert listed("Speaker: officials · stance: accuse") == expected(lambda c: (c.speaker, c.stance) == ("officials", "accuse"))
    assert listed("Publisher: Daily · kind of source: unnamed") == expected(lambda c: (c.publisher, c.source_kind) == ("Daily", "unnamed"))
    assert listed("Publisher: (publisher not known) · framing: endorses") == expected(lambda c: (c.publisher, c.framing) == ("", "endorses"))
    assert listed("Ben Low → the plan · against") == expected(lambda c: (c.speaker, c.attitude_target, c.attitude) == ("Ben Low", "the plan", "against"))
    assert listed("Nested claims") == expected(lambda c: c.parent_id)
    assert {places[a["id"]].speaker for a in page.shown("li", next(v for k, v in lists.items() if k.lower().startswith("speaker: ada moor")))} == {"Ada Moor", "ada moor"}


def test_rows_of_a_table_add_up_to_all_claims(page_of):
    page = page_of(claims())
    cells = defaultdict(int)
    for number, _, _, label in set(page.numbers()):
        for what in ("stance", "framing", "type of attribution", "attitude", "kind of source"):
            if f"All claims · {what}: " in label:
                cells[what] += number
    assert cells == dict.fromkeys(("stance", "framing", "type of attribution", "attitude", "kind of source"), 120)


def test_bars_lead_to_the_claims_that_they_draw(page_of):
    page = page_of(claims())
    drawn = 0
    for _, a, text in page.of("a", tabindex="-1"):
        if number := re.search(r": (\d+)\s*$", text.split("\n")[1]):
            assert len(page.shown("li", a["href"][1:])) == int(number[1])
            drawn += 1
    assert drawn > 40


def test_page_says_what_it_covers(page_of):
    page = page_of(claims(), [claim(article_id="z", published="some day", model="m 2")])
    assert page.fact("Covers") == "121 claims of 10 articles, from 2 tables: t0.csv (120 rows), t1.csv (1 row)"
    assert page.fact("Published") == "2026-01-01 to 2026-01-09; 1 article without a date"
    assert page.fact("Made by") == "m 1: 120, m 2: 1"
    assert page.fact("Nested").startswith(f"{sum(c.parent_id is not None for c in claims())} claims inside of")
    assert page.fact("Review") == "no claim is marked as reviewed"
    assert page.fact("Confidence").startswith("0.50")


def test_claims_without_labels_are_shown_as_such(page_of):
    page = page_of([claim(1), claim(2, source=SpanText("", ()))])
    assert page.html.count("None of the claims is labelled so") == 5
    assert "(speaker not resolved)" in page.html
    assert "(no source stated)" in page.html
    assert (2, "All claims · stance: not labelled") in {(n, label.split(": ", 1)[1]) for n, _, _, label in page.numbers()}


def test_words_that_are_no_labels_are_counted_as_such(page_of):
    rows = [flatten_claim(claim(1, stance="deny")) | {"corrected_stance": " Denies?"}, flatten_claim(claim(2, stance="deny"))]
    page = page_of(rows)
    assert {(n, label.split(": ", 1)[1]) for n, _, _, label in page.numbers()} >= {(1, "All claims · stance: deny"), (1, "All claims · stance: another word")}


def test_review_decides_what_is_counted(page_of):
    rows = [flatten_claim(claim(i, speaker="Ada", stance="assert")) for i in range(6)]
    rows[0]["decision"] = "Reject "
    rows[1] |= {"decision": "accepted", "corrected_speaker": "Ben", "corrected_stance": "Deny", "corrected_claim": "it pours", "note": "see page 2"}
    rows[2]["decision"] = "unsure"
    rows[3]["decision"] = "perhaps"
    page = page_of(rows)
    assert len(page.of("li", id="c4")) == 1
    assert page.of("li", id="c5") == []
    assert page.fact("Review") == "accepted: 1, unsure: 1, not reviewed: 3; 1 rejected claim left out of every number"
    assert page.fact("Corrected").startswith("1 claim shown and counted")
    assert page.fact("Unknown decisions").startswith("1 row with “perhaps”, which is none of accept, reject and unsure")
    assert {label for *_, label in page.numbers()} >= {"1 claim: Speaker: Ben · stance: deny", "4 claims: Speaker: Ada · stance: assert"}
    assert "it pours" in page.of("li", id="c0")[0][2]
    assert "corrected: speaker, stance, claim" in page.of("li", id="c0")[0][2]
    assert "note: see page 2" in page.of("li", id="c0")[0][2]


def test_claim_in_two_tables_is_counted_once_as_last_reviewed(page_of):
    rows = [flatten_claim(claim(i)) for i in range(3)]
    page = page_of(rows, [rows[0] | {"decision": "reject"}, rows[1] | {"decision": "accept"}], rows)
    assert page.fact("Covers").startswith("2 claims of 1 article, from 3 tables")
    assert page.fact("Repeated").startswith("5 rows of a claim")
    assert page.fact("Review").startswith("accepted: 1, unsure: 0, not reviewed: 1; 1 rejected claim left out")


def test_articles_of_the_same_name_in_two_tables_are_two(page_of):
    assert page_of([claim(1)], [claim(2)]).fact("Covers").startswith("2 claims of 2 articles")


def test_sorted_table_is_put_together_by_article(page_of):
    page = page_of(sorted(claims(), key=lambda c: hashlib.sha256(c.claim_id.encode()).digest()))
    assert len(page.of("h3")) == 9
    for number, unit, name, _ in page.numbers():
        assert len(page.shown("li" if unit == "claim" else "section", name)) == number


HOSTILE = [
    "<script>alert(1)</script>", "</style><script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onmouseover='alert(1)", "{{ 7 * 7 }}{% raw %}", "]]><svg onload=alert(1)>", "--><b>", "$\\frac{1}{0}$ and $x^2",
    "\u202egnp.exe\u202c", "a\x1b[31mb\x07\u2028c\ud800".encode("utf-8", "replace").decode(), "e\u0301" * 40, "漢字 العربية עברית", "x" * 5_000, "All claims", "l0 l1 claim",
    "\N{PILE OF POO}", "#l0|#l1", "a|javascript:alert(1)", "nan", "%s %(x)s {0}",
]  # fmt: skip
URLS = ["javascript:alert(1)", "JaVaScRiPt:alert(1)", " data:text/html,x", "//evil.example", "http://[", "https:///x", "vbscript:x", "file:///etc/passwd", 'https://ok.example/"><script>', "http://ok.example/a b"]


def hostile_claims() -> list[Claim]:
    texts = ("title", "publisher", "published", "speaker", "speaker_role", "source_kind", "stance", "attitude_target", "framing", "attribution_type", "claim", "context", "parent_id", "model", "why", "article_id")
    made = [claim(i, claim_id=f"c_{i}" + text, **dict.fromkeys(texts, text), attitude=("against", text)[i % 2], source=SpanText(text, ((0, len(text)),)), url=URLS[i % len(URLS)]) for i, text in enumerate(HOSTILE)]
    return [*made, claim(99, context=HOSTILE[0] + " He said it rains.")]


def test_words_of_a_table_cannot_harm_the_page(page_of):
    page = page_of(hostile_claims())
    assert {tag for tag, *_ in page.elements} & {"script", "img", "iframe", "object", "embed", "form", "base", "link", "image", "foreignobject"} == set()
    assert len(page.of("style")) == 1
    attributes = {name for _, a, *_ in page.elements for name in a}
    assert not {name for name in attributes if name.startswith("on") or name in ("style", "src", "srcset", "action", "xlink:href", "background", "target")}
    links = {a["href"] for _, a, _ in page.of("a") if "href" in a}
    assert {link for link in links if not link.startswith("#")} == {'https://ok.example/"><script>', "http://ok.example/a b"}
    assert all(a["rel"] == "noopener noreferrer nofollow" for _, a, _ in page.of("a") if not a.get("href", "#").startswith("#"))
    assert re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028]", page.html) is None
    assert "url(" not in page.style
    assert "49" not in {text for _, _, text in page.of("b")}
    assert "$\\frac{1}{0}$ and $x^2" in page.html
    for number, unit, name, _ in page.numbers():
        assert len(page.shown("li" if unit == "claim" else "section", name)) == number


@pytest.mark.parametrize("name", ["$x^2$", "$\\bad{$", "US$ 5 to US$ 6"])
def test_dollars_in_a_name_are_no_mathematics(page_of, name):
    page = page_of([claim(speaker=name)])
    assert name in {text for tag, _, text in page.of("text")}


def test_policy_of_the_page_allows_its_own_style_and_nothing_else(page_of):
    page = page_of(hostile_claims())
    policy = next(a["content"] for _, a, _ in page.of("meta") if a.get("http-equiv") == "Content-Security-Policy")
    digest = base64.b64encode(hashlib.sha256(page.style.encode("utf-8")).digest()).decode("ascii")
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_long_names_are_shortened_with_the_whole_in_their_title(page_of):
    page = page_of([claim(speaker="Ada " * 50)])
    whole = ("Ada " * 50).strip()
    short = [(a["title"], text) for _, a, text in page.of("bdi") if "title" in a]
    assert (whole, whole[:59].rstrip() + "…") in short
    assert any(text.strip() == whole for _, _, text in page.of("title"))  # of its name in the chart


def test_page_can_be_read_without_eyes_and_without_a_mouse(page_of):
    page = page_of(claims())
    assert page.of("html", lang="en")
    assert len(page.of("h1")) == 1
    ids = [a["id"] for _, a, *_ in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for _, a, _ in page.of("a") if a.get("href", "").startswith("#")} <= set(ids)
    assert all(a.get("scope") in ("col", "row") for _, a, _ in page.of("th"))
    assert len(page.of("caption")) == len(page.of("table")) > 5
    charts = [a for _, a, _ in page.of("svg", role="img")]
    assert len(charts) == 6
    titles = [text.strip() for tag, _, text, path in page.elements if tag == "title" and path[-1] == "svg"]
    assert len(titles) == len(charts)
    assert all(titles)
    levels = [int(tag[1]) for tag, *_ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert all(deeper <= level + 1 for level, deeper in pairwise(levels))


def test_same_tables_give_the_same_bytes(tmp_path):
    write_table([*claims(), *hostile_claims()], tmp_path / "t.csv")
    report.write_report([tmp_path / "t.csv"], tmp_path / "one.html")
    subprocess.run([sys.executable, "-m", "accordingto", "report", tmp_path / "t.csv", "-o", tmp_path / "two.html"], check=True, env=os.environ | {"PYTHONHASHSEED": "5", "TZ": "Asia/Tokyo", "LC_ALL": "C"}, capture_output=True)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


@pytest.mark.parametrize("ending", ["jsonl", "xlsx", "parquet"])
def test_every_format_gives_the_same_page(page_of, ending):
    one, two = page_of(claims()), page_of(claims(), name="t{}." + ending)
    assert two.html.replace(f"t0.{ending}", "t0.csv") == one.html


def test_many_claims_are_listed_on_one_line_each_and_the_page_says_so(page_of, monkeypatch):
    monkeypatch.setattr(report, "FULL", 100)
    monkeypatch.setattr(report, "LISTED", 110)
    page = page_of(claims())
    assert "more than 100 claims: each is listed on one line" in page.html
    assert "Only the first 110 of 120 claims are listed." in page.html
    assert len([a for _, a, _ in page.of("li") if a.get("class", "").startswith("claim")]) == 110
    heading = next(text for _, _, text in page.of("div", class_="list") if text.startswith("All claims120"))
    assert "120 claims, 110 of them listed here." in heading
    assert page.of("blockquote") == []


def test_rows_beyond_the_most_frequent_share_one_row(page_of, monkeypatch):
    monkeypatch.setattr(section, "SPEAKERS", 2)
    made = [claim(i, speaker=f"Speaker {min(i, 5)}") for i in range(8)]
    page = page_of(made)
    assert "5 claims: Speaker: (all 4 other speakers)" not in {label for *_, label in page.numbers()}
    assert "4 claims: Speaker: (all 4 other speakers)" in {label for *_, label in page.numbers()}
    for number, unit, name, _ in page.numbers():
        assert len(page.shown("li" if unit == "claim" else "section", name)) == number


@pytest.mark.parametrize(
    ("context", "spans", "pieces"),
    [
        ("He said it rains.", {}, [("source", "He"), ("", " "), ("cue", "said"), ("", " "), ("content", "it rains"), ("", ".")]),
        ("He left. He said it rains.", {}, [("", "He left. "), ("source", "He"), ("", " "), ("cue", "said"), ("", " "), ("content", "it rains"), ("", ".")]),
        ("It rains, he said, and pours.", {"source": SpanText("he", ((10, 12),)), "cue": SpanText("said", ((13, 17),)), "content": SpanText("It rains … and pours", ((0, 8), (19, 28)))},
         [("content", "It rains"), ("", ", "), ("source", "he"), ("", " "), ("cue", "said"), ("", ", "), ("content", "and pours"), ("", ".")]),
        ("Reportedly it rains", {"source": SpanText("", ()), "cue": SpanText("Reportedly", ((4, 14),)), "content": SpanText("it rains", ((15, 23),))}, [("cue", "Reportedly"), ("", " "), ("content", "it rains")]),
        ("Another sentence.", {}, []),
        ("He said it\nrains.", {"content": SpanText("it\nrains", ((18, 26),))}, [("source", "He"), ("", " "), ("cue", "said"), ("", " "), ("content", "it rains"), ("", ".")]),
    ],
)  # fmt: skip
def test_parts_are_marked_in_their_context(tmp_path, context, spans, pieces):
    write_table([claim(context=context, **spans)], tmp_path / "t.csv")
    assert report.marked_context(read_reviewed([tmp_path / "t.csv"]).claims[0]) == pieces


@pytest.mark.parametrize("spans", ["1", "a b", "1 2;", "5 1", "-1 3", "9999999999999999999 99999999999999999999", "²  ³"])
def test_spans_that_an_editor_broke_mark_nothing_or_what_fits(tmp_path, spans):
    row = flatten_claim(claim()) | {"cue_spans": spans}
    write_rows(tmp_path / "t.csv", [row])
    pieces = report.marked_context(read_reviewed([tmp_path / "t.csv"]).claims[0])
    assert "".join(text for _, text in pieces) in ("", "He said it rains.")


def test_cleaned_text_keeps_its_length():
    text = "".join(map(chr, range(0x2100))) + "\ud800\ufffe"
    assert len(_clean(text)) == len(text)
    assert _clean("a\tb\u202ec") == "a b\N{REPLACEMENT CHARACTER}c"


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("gone.csv", None, "there is no such file; check the path"),
        ("t.doc", b"x", "names no format; choose one of .csv"),
        ("t.csv", b"", "it is empty"),
        ("t.csv", b"name,age\r\nAda,3\r\n", "it has no column 'claim_id', 'article_id', 'speaker' and 14 more; give a table that accordingto extract wrote"),
        ("t.csv", ",".join(COLUMNS).encode(), "it holds no claims"),
        ("t.csv", ",".join(COLUMNS).encode() + b"\r\nc_1,a\r\n", f"row 1 has 2 cells of {len(COLUMNS)}"),
        ("t.csv", ",".join(COLUMNS).encode() + b'\r\nc_1,"a', "it is damaged"),
        ("t.csv", "claim_id\r\né".encode("cp1252"), "it is not UTF-8; save it as 'CSV UTF-8'"),
        ("t.csv", "claim_id".encode("utf-16"), "it is not UTF-8"),
        ("t.jsonl", b'{"claim_id": "c', "line 1 is no JSON"),
        ("t.jsonl", b"[" * 100_000, "line 1 is no JSON"),
        ("t.jsonl", b"[1]", "line 1 is no claim"),
        ("t.jsonl", b"\xff\xfe", "line 1 is no JSON"),
        ("t.jsonl", b"", "it holds no claims"),
        ("t.xlsx", b"PK\x03\x04", "it is damaged"),
        ("t.parquet", b"PAR1", "it is damaged"),
    ],
)  # fmt: skip
def test_table_that_cannot_be_read_is_refused_in_one_line(tmp_path, name, content, why):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    (tmp_path / "report.html").write_text("the last one")
    with pytest.raises(TableError, match=re.escape(why)) as caught:
        report.write_report([tmp_path / name], tmp_path / "report.html")
    assert str(caught.value).startswith(f"the table {str(tmp_path / name)!r} was not read: ")
    assert "\n" not in str(caught.value)
    assert (tmp_path / "report.html").read_text() == "the last one"


def test_table_of_rejected_claims_alone_is_refused(tmp_path):
    write_rows(tmp_path / "t.csv", [flatten_claim(claim()) | {"decision": "reject"}])
    with pytest.raises(TableError, match="all of its 1 claims are rejected"):
        report.write_report([tmp_path / "t.csv"], tmp_path / "report.html")


@pytest.mark.parametrize(("name", "why"), [("t.csv", "is no ending of a page"), ("gone/report.html", "no such file")])
def test_page_that_cannot_be_written_is_refused(tmp_path, name, why):
    write_table([claim()], tmp_path / "t.csv")
    before = (tmp_path / "t.csv").read_bytes()
    with pytest.raises(OutputError, match=why):
        report.write_report([tmp_path / "t.csv"], tmp_path / name)
    assert (tmp_path / "t.csv").read_bytes() == before


def test_missing_package_is_named_with_its_remedy(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(OutputError, match=r"the package matplotlib is missing; pip install 'accordingto\[report\]'"):
        report.write_report([], tmp_path / "report.html")


def test_command_writes_a_page_and_one_line_of_summary(tmp_path):
    write_table(claims(), tmp_path / "t.csv")
    command = [sys.executable, "-m", "accordingto", "report"]
    done = subprocess.run([*command, tmp_path / "t.csv", "-o", tmp_path / "r.html"], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.decode().splitlines() == [f"120 claims from 1 table, 0 rejected ones and 0 repeated rows left out -> {tmp_path / 'r.html'}"]
    wrong = subprocess.run([*command, tmp_path / "gone.csv", "-o", tmp_path / "x.html"], capture_output=True, check=False)
    assert wrong.returncode == 1
    assert wrong.stderr.decode().splitlines() == [f"accordingto: the table {str(tmp_path / 'gone.csv')!r} was not read: there is no such file; check the path."]
