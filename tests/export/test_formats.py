"""Every format: what goes in comes out, by a reader that shares no code with the writer."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import spacy
from hypothesis import HealthCheck, example, given, settings
from spacy.tokens import DocBin

from accordingto.errors import OutputError
from accordingto.evaluation import read_gold, score
from accordingto.export.brat import CONFIG, write_brat
from accordingto.export.docbin import write_docbin
from accordingto.export.gold import choose_held_out, held_out, write_gold
from accordingto.export.jsonl import read_article, write_jsonl
from accordingto.export.judged import OPEN, TAKEN
from accordingto.export.labelstudio import write_labelstudio
from accordingto.export.mark import PARTS, Mark, check_marks
from accordingto.export.webannotation import write_webannotation
from accordingto.label import LABELS
from judged_articles import TEXT, article, articles, judged

drawn = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SOME = [
    article(claims=[
        judged("Asif", "said", [(0, 10)], stance="commit", negated=False, speaker="Khawaja Asif", speaker_role="Minister"),
        judged("He", "warned", "of war", "corrected", stance="warn", attitude_target="war", reviewers=("Ann", "Bob"), note="a\nb"),
        judged("", "reportedly", "of war", "rejected"), judged("She", "says", "he said it rained", "unreviewed", stance="assert"),
    ])
]  # fmt: skip


def parts_of(article, *, unreviewed=False, verdicts=TAKEN):
    """Return the parts of the claims that are meant to be exported, as a set that each format must give back."""
    wanted = {*verdicts, *(OPEN if unreviewed else ())}
    return [tuple(getattr(c.claim, part).spans for part in PARTS) for c in article.claims if c.verdict in wanted]


@given(given=articles())
@drawn
def test_gold_gives_back_what_went_in(tmp_path, given):
    path = tmp_path / "gold.jsonl"
    assert write_gold(given, path, unreviewed=False) == sum(len(parts_of(a)) for a in given)
    for a, row in zip(given, read_gold(path), strict=True):
        assert row["text"] == a.text
        assert [tuple(tuple(map(tuple, r[part])) for part in PARTS) for r in row["attributions"]] == parts_of(a)
        assert [tuple(tuple(map(tuple, r[part])) for part in PARTS) for r in row["rejected"]] == parts_of(a, verdicts=["rejected"])
        held = [c.claim for c in a.claims if c.verdict in TAKEN]
        assert all(r.get(name) == getattr(c, name) for r, c in zip(row["attributions"], held, strict=True) for name in (*LABELS, "speaker", "attitude_target"))
        assert all(r["parent"] is None or 0 <= r["parent"] < len(row["attributions"]) for r in row["attributions"])


def test_gold_is_what_evaluate_scores_full_marks_for_the_same_claims(tmp_path):
    write_gold(SOME, tmp_path / "gold.jsonl", unreviewed=True)
    rows = [{"article_id": "a", "parent_id": None, "confidence": 1.0, **{p: {"spans": getattr(c.claim, p).spans} for p in PARTS}, "stance": c.claim.stance} for c in SOME[0].claims if c.verdict != "rejected"]
    figures = score(read_gold(tmp_path / "gold.jsonl"), rows)
    assert (figures["cue_f1"], figures["relation_f1"], figures["stance_accuracy"]) == (100, 100, 100)


def test_share_held_out_is_by_text_and_keeps_copies_together():
    texts = [f"Text {i}." for i in range(2_000)]
    out = [held_out(article(t, article_id=t), 0.2, {}) for t in texts]
    assert 340 <= sum(out) <= 460
    assert out == [held_out(article(t, article_id="other"), 0.2, {}) for t in texts]
    digests = {t: article(t).facts["text_sha256"] for t in texts}
    assert out == [held_out(article(t + " Again.", near_duplicate_of=t), 0.2, digests) for t in texts]


@given(given=articles())
@drawn
def test_jsonl_loses_nothing(tmp_path, given):
    path = tmp_path / "all.jsonl"
    write_jsonl(given, path, unreviewed=True, run={"model": "m"})
    assert [read_article(line) for line in path.read_bytes().split(b"\n")[:-1]] == given
    write_jsonl(given, path, unreviewed=False, run={"model": "m"})
    rows = [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
    assert [[c["claim_id"] for c in r["claims"]] for r in rows] == [[c.claim.claim_id for c in a.claims if c.verdict not in OPEN] for a in given]


def read_ann(text: str, ann: str) -> tuple[dict, dict, dict, dict]:
    """Return spans, events, attributes and notes of an .ann file, as PolNeAR's loader (brat_reader) takes lines apart.

    https://brat.nlplab.org/standoff.html: covered fragments are joined by one space.
    """
    spans, events, attributes, notes = {}, {}, {}, {}
    for line in ann.splitlines():
        name, rest = line.split("\t", 1)
        if name[0] == "T":
            role_and_ranges, covered = rest.split("\t")
            role, ranges = role_and_ranges.split(" ", 1)
            spans[name] = (role, tuple(tuple(int(i) for i in r.split(" ")) for r in ranges.split(";")))
            assert " ".join(text[s:e] for s, e in spans[name][1]) == covered
        elif name[0] == "E":
            events[name] = [tuple(s.split(":")) for s in rest.split()]
        elif name[0] == "A":
            kind, event, *value = rest.split(" ")
            attributes.setdefault(event, {})[kind] = value[0] if value else True
        else:
            assert name[0] == "#"
            kind, event = rest.split("\t")[0].split(" ")
            assert kind == "AnnotatorNotes"
            notes[event] = json.loads(rest.split("\t", 1)[1])
    return spans, events, attributes, notes


def on_one_line(text: str, spans) -> tuple:
    """Return spans as brat can hold them: lines of str.splitlines apart, white space alone left out."""
    places = [i for s, e in spans for i in range(s, e)]
    broken = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
    pieces = [[]]
    borders = {e for _, e in spans}
    for i in places:
        if i in {s for s, _ in spans} and i in borders:
            pieces.append([])
        if text[i] in broken or (pieces[-1] and pieces[-1][-1] != i - 1):
            pieces.append([])
        if text[i] not in broken:
            pieces[-1].append(i)
    return tuple((p[0], p[-1] + 1) for p in pieces if p and text[p[0] : p[-1] + 1].strip())


@given(given=articles())
@drawn
def test_brat_gives_back_what_went_in(tmp_path_factory, given):
    folder = tmp_path_factory.mktemp("brat") / "out"
    count, left_out = write_brat(given, folder, unreviewed=False)
    files = sorted(p.name for p in folder.iterdir())
    assert len(files) == 2 * len(given) + 1
    found = {}
    for path in folder.glob("*.txt"):
        text = path.read_bytes().decode()
        spans, events, _, _ = read_ann(text, path.with_suffix(".ann").read_bytes().decode())
        made = []
        for event in events.values():
            roles = {kind: spans[span] for kind, span in event}
            assert all(role == kind for kind, (role, _) in roles.items())
            assert ("Source" in roles) == ("Attribution" in roles)
            trigger = roles.get("Attribution") or roles["Attribution-no-source"]
            assert trigger[1] == roles["Cue"][1][:1]
            made.append(tuple(roles[part.capitalize()][1] if part.capitalize() in roles else () for part in PARTS))
        found[text] = made
    expected = {}
    for a in given:
        fitting = [parts for parts in parts_of(a) if not any("\t" in a.text[s:e] for part in parts for s, e in part)]
        lines = [tuple(on_one_line(a.text, part) for part in parts) for parts in fitting]
        expected[a.text] = [new for new, old in zip(lines, fitting) if all(bool(n) or not o for n, o in zip(new, old))]
    assert found == expected
    assert count == sum(map(len, expected.values()))
    assert count + left_out == sum(len(parts_of(a)) for a in given)


def test_brat_is_read_by_a_parser_of_others(tmp_path):
    parser = pytest.importorskip("pybrat.parser", reason="the extra `test` is not installed")
    folder = tmp_path / "out"
    write_brat(SOME, folder, unreviewed=True)
    (example,) = parser.BratParser(error="ignore").parse(str(folder))  # it refuses two marks on the same words, which a trigger and its cue are
    assert [[(a.type, a.mention) for a in event.arguments] for event in example.events] == [
        [("Source", "Asif"), ("Cue", "said"), ("Content", "“We stay,”")],
        [("Source", "He"), ("Cue", "warned"), ("Content", "of war")],
        [("Source", "She"), ("Cue", "says"), ("Content", "he said it rained")],
    ]
    spans, _, attributes, notes = read_ann(TEXT, (folder / "a.ann").read_text("utf-8"))
    assert attributes == {"E1": {"Stance": "commit"}, "E2": {"Stance": "warn"}, "E3": {"Stance": "assert"}}
    assert (notes["E2"]["note"], notes["E2"]["reviewers"], notes["E1"]["speaker"]) == ("a\nb", ["Ann", "Bob"], "Khawaja Asif")
    kinds = set(re.findall(r"^(\S+)", (folder / CONFIG).read_text(), re.MULTILINE))
    assert {kind for kind, _ in spans.values()} | {name for found in attributes.values() for name in found} <= kinds


def test_brat_splits_at_line_breaks_and_leaves_tabs_out(tmp_path):
    whole = article(claims=[judged("Asif", "said", [(0, TEXT.index("warned"))]), judged("He", "warned", "reportedly.\r\nShe"), judged("He", "warned\tof", "reportedly")])
    assert write_brat([whole], tmp_path / "out", unreviewed=False) == (2, 1)
    lines = (tmp_path / "out" / "a.ann").read_text("utf-8").splitlines()
    assert "T3\tContent 0 23;24 27\t“We stay,” Asif 😀 said. He " in lines
    assert any(line.endswith("\treportedly. She") for line in lines)
    assert (tmp_path / "out" / "a.txt").read_bytes() == TEXT.encode()


def test_brat_takes_no_folder_that_holds_something(tmp_path):
    (tmp_path / "x").write_text("mine")
    with pytest.raises(OutputError, match="there is something in its place"):
        write_brat(SOME, tmp_path, unreviewed=False)
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


@given(given=articles())
@example(given=[article("00 ", [judged([], [(0, 1)], [(0, 3)], text="00 ")])])
@drawn
def test_docbin_gives_back_what_went_in(tmp_path, given):
    path = tmp_path / "docs.spacy"
    write_docbin(given, path, unreviewed=False)
    nlp = spacy.blank("en")
    for a, doc in zip(given, DocBin().from_disk(path).get_docs(nlp.vocab), strict=True):
        assert doc.text == a.text
        held = {c.claim.claim_id: c for c in a.claims if c.verdict in TAKEN}
        for part in PARTS:
            exact = [(c.claim.claim_id, s, e) for c in held.values() for s, e in getattr(c.claim, part).spans]
            assert len(exact) == len(doc.spans[part])
            for (claim_id, start, end), span in zip(exact, doc.spans[part]):
                assert (span.id_, span.label_) == (claim_id, part)
                assert not a.text[start : max(start, span.start_char)].strip()  # nothing is lost but a space, which is no token
                assert not a.text[min(end, span.end_char) : end].strip()
                if a.text[start:end].strip(" "):
                    assert [t for t in span if t.idx + len(t) <= start or t.idx >= end] == []  # not a token more than is touched
        kept = doc.spans["cue"].attrs["claims"]
        assert {k: (v.get("source_spans", ""), v["cue_spans"]) for k, v in kept.items()} == {
            k: (";".join(f"{s} {e}" for s, e in c.claim.source.spans), ";".join(f"{s} {e}" for s, e in c.claim.cue.spans)) for k, c in held.items()
        }
        assert {s.id_ for s in doc.spans["rejected"]} == {c.claim.claim_id for c in a.claims if c.verdict == "rejected"}


def test_docbin_tells_of_spans_off_the_tokens_borders(tmp_path):
    assert write_docbin([article(claims=[judged("Asi", "said", "“We stay,”")])], tmp_path / "x.spacy", unreviewed=False) == (1, 1)
    assert write_docbin(SOME, tmp_path / "x.spacy", unreviewed=False) == (2, 0)


def test_docbin_passes_spacys_own_inspection(tmp_path):
    """`spacy debug data`, as a user runs it."""
    many = []
    for i in range(150):
        text = f"{TEXT}\n{i}"
        verdict = "rejected" if i % 3 == 0 else "accepted"  # it wants texts without a content too
        many.append(article(text, [judged("Asif", "said", "“We stay,”", verdict, text), judged("He", "warned", "of war", verdict, text)], article_id=str(i)))
    write_docbin(many[:120], tmp_path / "train.spacy", unreviewed=False)
    write_docbin(many[120:], tmp_path / "dev.spacy", unreviewed=False)
    for command in (["init", "config", "x.cfg", "--lang", "en", "--pipeline", "spancat"],
                    ["debug", "data", "x.cfg", "--paths.train", "train.spacy", "--paths.dev", "dev.spacy", "--components.spancat.spans_key", "content", "--verbose", "--no-format"]):  # fmt: skip
        done = subprocess.run([sys.executable, "-m", "spacy", *command], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    meant = ["Corpus is loadable", "120 training docs", "30 evaluation docs", "Key: cue, 'cue' (160)", "Key: rejected, 'rejected' (80)", "Examples without occurrences available for all labels"]
    assert [line for line in meant if line not in done.stdout] == []
    assert "error" not in done.stdout
    assert re.search(r"content +\{'content'\}", done.stdout)


@pytest.fixture
def contexts():
    """Return a loader of the one context that the files name: the terms of https://www.w3.org/ns/anno.jsonld that they use.

    The tests may not reach the network. These terms were compared with W3C's document, in which each stands as here.
    """
    iri, oa = {"@type": "@id"}, "http://www.w3.org/ns/oa#"
    terms = {"oa": oa, "as": "http://www.w3.org/ns/activitystreams#", "dc": "http://purl.org/dc/elements/1.1/", "dcterms": "http://purl.org/dc/terms/", "foaf": "http://xmlns.com/foaf/0.1/",
             "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "rdfs": "http://www.w3.org/2000/01/rdf-schema#", "schema": "http://schema.org/", "xsd": "http://www.w3.org/2001/XMLSchema#",
             "dctypes": "http://purl.org/dc/dcmitype/", "id": "@id", "type": "@type", "Text": "dctypes:Text", "Person": "foaf:Person", "Software": "as:Application",
             "AnnotationCollection": "as:OrderedCollection", "AnnotationPage": "as:OrderedCollectionPage"}  # fmt: skip
    terms |= {name: f"oa:{name}" for name in ("Annotation", "TextualBody", "SpecificResource", "TextQuoteSelector", "TextPositionSelector")}
    terms |= {name: f"oa:{name}" for name in ("describing", "assessing", "identifying", "highlighting", "tagging", "commenting", "exact", "prefix", "suffix")}
    terms |= {"body": iri | {"@id": "oa:hasBody"}, "target": iri | {"@id": "oa:hasTarget"}, "source": iri | {"@id": "oa:hasSource"}, "selector": iri | {"@id": "oa:hasSelector"}}
    terms |= {"creator": iri | {"@id": "dcterms:creator"}, "generator": iri | {"@id": "as:generator"}, "partOf": iri | {"@id": "as:partOf"}, "first": iri | {"@id": "as:first"}}
    terms |= {"items": iri | {"@id": "as:items", "@container": "@list"}, "motivation": {"@type": "@vocab", "@id": "oa:motivatedBy"}, "purpose": {"@type": "@vocab", "@id": "oa:hasPurpose"}}
    terms |= {"format": "dc:format", "value": "rdf:value", "name": "foaf:name", "label": "rdfs:label", "created": {"@id": "dcterms:created", "@type": "xsd:dateTime"}}
    terms |= {name: {"@id": f"{space}:{long}", "@type": "xsd:nonNegativeInteger"} for name, space, long in (("start", "oa", "start"), ("end", "oa", "end"), ("total", "as", "totalItems"), ("startIndex", "as", "startIndex"))}

    def load(url, options):
        assert url == "http://www.w3.org/ns/anno.jsonld"
        return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": {"@context": terms}}

    return load


OA, AS = "http://www.w3.org/ns/oa#", "http://www.w3.org/ns/activitystreams#"
SHAPES = {  # of https://www.w3.org/TR/annotation-model/: what each must have, and how often; * is any number, + at least one
    f"{OA}Annotation": {f"{OA}hasBody": "*", f"{OA}hasTarget": "+", f"{OA}motivatedBy": "*"},
    f"{OA}SpecificResource": {f"{OA}hasSource": "1", f"{OA}hasSelector": "*"},
    f"{OA}TextQuoteSelector": {f"{OA}exact": "1", f"{OA}prefix": "?", f"{OA}suffix": "?"},
    f"{OA}TextPositionSelector": {f"{OA}start": "1", f"{OA}end": "1"},
    f"{OA}TextualBody": {"http://www.w3.org/1999/02/22-rdf-syntax-ns#value": "1", f"{OA}hasPurpose": "*"},
    f"{AS}OrderedCollection": {f"{AS}first": "1", f"{AS}totalItems": "?", "http://www.w3.org/2000/01/rdf-schema#label": "*"},
    f"{AS}OrderedCollectionPage": {f"{AS}items": "1", f"{AS}partOf": "?", f"{AS}startIndex": "?"},
}


def nodes_of(value):
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes_of(inner)


@given(given=articles())
@drawn
def test_webannotation_is_json_ld_of_the_standards_shape(tmp_path, contexts, given):
    jsonld = pytest.importorskip("pyld.jsonld", reason="the extra `test` is not installed")
    path = tmp_path / "x.jsonld"
    total = write_webannotation(given, path, unreviewed=True)
    document = json.loads(path.read_bytes())
    expanded = jsonld.expand(document, {"documentLoader": contexts})
    (collection,) = expanded
    annotations = [n for n in nodes_of(collection) if n.get("@type") == [f"{OA}Annotation"]]
    assert len(annotations) == total == sum(len(a.claims) for a in given)
    for node in nodes_of(collection):
        for kind in node.get("@type", []) if isinstance(node.get("@type"), list) else []:
            for name, times in SHAPES.get(kind, {}).items():
                count = len(node.get(name, []))
                assert {"1": count == 1, "?": count <= 1, "+": count >= 1, "*": True}[times], (kind, name, count)
    assert all(":" in key or key.startswith("@") for node in nodes_of(collection) for key in node)  # no key of ours that the context does not know, which expansion would drop
    assert count_of_keys(document) == count_of_keys(document, known=True)
    assert [n["@id"] for n in annotations] == list(dict.fromkeys(n["@id"] for n in annotations))


def count_of_keys(document, known=False):
    """Return how many keys a document has; known: that PyLD keeps by the context."""
    names = {"@context", "id", "type", "label", "total", "first", "partOf", "startIndex", "items", "motivation", "created", "creator", "name", "generator", "body", "target", "source", "selector",
             "purpose", "value", "exact", "prefix", "suffix", "start", "end", "format"}  # fmt: skip
    return sum(1 for node in nodes_of(document) for key in node if not known or key in names or key.startswith("schema:"))


@given(given=articles())
@drawn
def test_webannotation_gives_back_what_went_in(tmp_path, given):
    path = tmp_path / "x.jsonld"
    write_webannotation(given, path, unreviewed=False)
    texts = {a.facts["text_sha256"]: a for a in given}
    found = {digest: [] for digest in texts}
    for annotation in json.loads(path.read_bytes())["first"]["items"]:
        bodies = [b for b in annotation["body"] if b["type"] == "SpecificResource"]
        parts = ([b for b in bodies if b["purpose"] == "identifying"], [b for b in bodies if b["purpose"] == "highlighting"], annotation["target"])
        digest = annotation["target"][0]["source"]["schema:sha256"]
        text = texts[digest].text
        for place in (p for part in parts for p in part):
            quote, position = place["selector"]
            start, end = position["start"], position["end"]
            assert text[start:end] == quote["exact"]
            assert text[:start].endswith(quote["prefix"])
            assert text[end:].startswith(quote["suffix"])
            assert place["source"]["id"].startswith(("urn:uuid:", "https://x.y/"))
        made = tuple(tuple((p["selector"][1]["start"], p["selector"][1]["end"]) for p in part) for part in parts)
        found[digest].append((annotation["motivation"], made))
    for digest, a in texts.items():
        expected = [("assessing" if c.verdict == "rejected" else "describing", tuple(getattr(c.claim, p).spans for p in PARTS)) for c in a.claims if c.verdict not in OPEN]
        assert found[digest] == expected


@given(given=articles())
@drawn
def test_labelstudio_gives_back_what_went_in_in_the_documented_form(tmp_path, given):
    path = tmp_path / "x.json"
    count = write_labelstudio(given, path, unreviewed=True)
    controls = controls_of(path.with_suffix(".xml"))
    tasks = json.loads(path.read_bytes())
    assert count == sum(len(parts_of(a, unreviewed=True)) for a in given)
    for a, task in zip(given, tasks, strict=True):
        assert task["data"]["text"] == a.text
        check_task(task, controls)
        for made, verdicts in ((task["annotations"], TAKEN), (task["predictions"], OPEN)):
            results = [r for m in made for r in m["result"]]
            regions = {}
            for r in results:
                if r["type"] == "labels":
                    regions.setdefault(r["id"].split("_content")[0].split("_source")[0].split("_cue")[0], {}).setdefault(r["value"]["labels"][0].lower(), []).append((r["value"]["start"], r["value"]["end"]))
            assert [tuple(tuple(found.get(part, ())) for part in PARTS) for found in regions.values()] == parts_of(a, verdicts=verdicts)


def controls_of(path: Path) -> dict[str, tuple[str, set[str]]]:
    """Return the controls of a labelling configuration: name → tag and allowed values."""
    view = ElementTree.parse(path).getroot()
    assert view.tag == "View"
    assert [t.get("value") for t in view.iter("Text")] == ["$text"]
    controls = {c.get("name"): (c.tag, {v.get("value") for v in c}) for c in view if c.get("toName") == "text"}
    return controls | {"relation": ("Relations", {r.get("value") for r in view.iter("Relation")})}


def check_task(task: dict, controls: dict) -> None:
    """Check a task against https://labelstud.io/guide/predictions, /guide/task_format, /tags/labels and /tags/relations."""
    assert set(task) == {"data", "meta", "annotations", "predictions"}
    for made in task["annotations"]:
        assert {"result", "was_cancelled", "ground_truth"} == set(made)
    for made in task["predictions"]:
        assert {"model_version", "score", "result"} == set(made)
        assert isinstance(made["score"], float)
    for made in task["annotations"] + task["predictions"]:
        regions = {r["id"] for r in made["result"] if r["type"] == "labels"}
        for r in made["result"]:
            if r["type"] == "relation":
                assert set(r) == {"type", "from_id", "to_id", "direction", "labels"}
                assert r["direction"] in ("left", "right", "bi")
                assert r["from_id"] != r["to_id"]
                assert r["from_id"] in regions
                assert set(r["labels"]) <= controls["relation"][1]
                continue
            tag, values = controls[r["from_name"]]
            assert r["to_name"] == "text"
            assert r["id"] in regions
            assert {"labels": "Labels", "choices": "Choices", "textarea": "TextArea"}[r["type"]] == tag
            start, end = r["value"]["start"], r["value"]["end"]
            assert 0 <= start < end <= len(task["data"]["text"])
            if r["type"] == "textarea":
                assert all(isinstance(t, str) for t in r["value"]["text"])
            else:
                assert r["value"]["text"] == task["data"]["text"][start:end]
                assert set(r["value"][r["type"]]) <= values


def test_a_file_that_does_not_hold_what_was_given_is_refused(tmp_path):
    mark = Mark("a", "cue", ((0, 4),), ("said",))
    with pytest.raises(OutputError, match="read again, it holds nothing in the place of the cue 'said'"):
        check_marks(tmp_path, [mark], [])
    with pytest.raises(OutputError, match="at \\(\\(1, 5\\),\\)"):
        check_marks(tmp_path, [mark], [Mark("a", "cue", ((1, 5),), ("said",))])


def test_writers_refuse_a_text_that_the_disk_changed(tmp_path, monkeypatch):
    """The check reads the file, not the memory: a writer that loses a character is found out."""
    import accordingto.export.brat as brat

    monkeypatch.setattr(brat.Path, "write_bytes", lambda self, data, write=Path.write_bytes: write(self, data.replace("😀".encode(), b":)")))
    with pytest.raises(OutputError, match="read again"):
        write_brat(SOME, tmp_path / "out", unreviewed=False)
    assert not (tmp_path / "out").exists()
    assert list(tmp_path.iterdir()) == []


def test_number_held_out_is_the_nearest_to_the_share_and_further_articles_move_few():
    made = [article(f"Text {i}.", article_id=str(i)) for i in range(40)]
    for number in range(1, 40):
        for share in (0.0, 0.2, 0.5, 0.9):
            chosen = choose_held_out(made[:number], share, {})
            assert abs(len(chosen) - share * number) <= 0.5
            assert len(chosen - choose_held_out(made[: number + 1], share, {})) <= 1
    assert choose_held_out(made, 0.2, {}) <= choose_held_out(made, 0.5, {})
    twins = [*made[:5], *(article(f"Text {i}. Again.", article_id=f"{i} again", near_duplicate_of=str(i)) for i in range(5))]
    chosen = choose_held_out(twins, 0.2, {a.article_id: a.facts["text_sha256"] for a in made})
    assert len(chosen) == 2
    assert len({name.split()[0] for name in chosen}) == 1
