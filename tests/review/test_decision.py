import random
from dataclasses import replace

import pytest
from decisions import added, edit, lead, logs, time, verdict
from hypothesis import given
from hypothesis import strategies as st

from accordingto.errors import DecisionError
from accordingto.review.decision import EDITABLE, ClaimState, added_claim, check_decision, corrected, decision_from_json, decision_line, field_text, fold, spans_from, spans_text
from accordingto.schema import SpanText
from test_table import claim

TEXT = "He said it often rains in May, “we know.”\nMore."


def state_of(*decisions):
    return fold(replace(d, decision_id=f"d_{i}", at=time(i), batch=d.batch if d.batch != "b_1" else f"b_{i}") for i, d in enumerate(decisions))


@pytest.mark.parametrize(
    ("decisions", "decision", "conflict"),
    [
        ([verdict("accept")], "accept", False),
        ([verdict("accept"), verdict("reject")], "reject", False),  # the same reviewer thought better of it
        ([verdict("accept"), verdict("")], "", False),
        ([verdict("accept"), verdict("reject", reviewer="Bo")], "reject", True),
        ([verdict("accept"), verdict("reject", reviewer="Bo"), verdict("")], "reject", False),
        ([verdict("accept"), verdict("reject", reviewer="Bo"), lead("accept")], "accept", False),
        ([lead("reject"), verdict("accept"), verdict("accept", reviewer="Bo")], "reject", False),
        ([edit("stance", "deny"), edit("stance", "warn", reviewer="Bo")], "", True),
        ([verdict("accept"), edit("speaker", "Ann Lee", old="Ann"), verdict("accept", reviewer="Bo")], "accept", True),  # Bo holds what the machine wrote
        ([verdict("accept", reviewer="Bo"), edit("claim", "it rains", old="rain"), verdict("accept")], "accept", True),
        ([verdict("accept"), edit("claim", "it  rains", old="it rains"), verdict("accept", reviewer="Bo")], "accept", False),
        ([edit("stance", "deny", old="ask"), verdict("accept", reviewer="Bo")], "accept", True),
        ([verdict("accept"), edit("stance", "deny", old="ask"), edit("stance", "ask", old="deny"), verdict("accept", reviewer="Bo")], "accept", False),  # changed back
        ([verdict("accept"), edit("stance", "deny", old="ask"), verdict("accept", reviewer="Bo"), edit("stance", "deny", old="ask", reviewer="Bo")], "accept", False),
        ([verdict("accept"), edit("stance", "deny", old="ask"), verdict("accept", reviewer="Bo"), lead("deny", "stance")], "accept", False),
        ([verdict("accept"), edit("note", "x"), verdict("accept", reviewer="Bo")], "accept", False),
        ([edit("note", "x"), edit("note", "y", reviewer="Bo")], "", False),
        ([verdict("accept"), verdict("reject", reviewer="Bo"), lead("look again", "note")], "reject", True),  # a remark settles nothing
        ([verdict("accept"), verdict("reject", reviewer="Bo"), lead("accept"), lead("")], "reject", True),  # the lead's verdict is taken back
        ([edit("stance", "deny"), edit("stance", "warn", reviewer="Bo"), lead("ask", "stance")], "", False),
        ([edit("stance", "deny"), edit("stance", "warn", reviewer="Bo"), lead("ask", "framing")], "", True),
        ([edit("stance", "deny"), edit("stance", "warn", reviewer="Bo"), lead("accept")], "accept", False),
    ],
)
def test_last_word_holds_and_differing_ones_conflict_until_the_lead_speaks(decisions, decision, conflict):
    state = state_of(*decisions)["c_1"]
    assert (state.decision, state.conflict) == (decision, conflict)


def test_last_edit_holds_and_the_leads_goes_before():
    state = state_of(edit(new="deny"), lead("warn", "stance"), edit(new="ask", reviewer="Bo"), edit("speaker", "Ann Lee"))["c_1"]
    assert state.edits == {"stance": "warn", "speaker": "Ann Lee"}
    assert state.edits_by == {"Ann": {"stance": "deny", "speaker": "Ann Lee"}, "Bo": {"stance": "ask"}}


def test_undone_batch_counts_for_nothing_until_it_is_done_again():
    undo, redo = (verdict("", claim="", article_sha256="", field="", kind=kind, undoes="b_x", batch="b_y") for kind in ("undo", "redo"))
    both = [verdict("accept", batch="b_x"), edit(claim="c_2", batch="b_x")]
    assert state_of(*both, undo) == {}
    assert state_of(*both, undo, redo) == state_of(*both)
    assert set(state_of(*both)) == {"c_1", "c_2"}


@given(logs(), st.randoms(use_true_random=False))
def test_fold_does_not_depend_on_how_logs_were_united(log, chance: random.Random):
    parts = [[], [], []]
    for decision in log:
        for part in chance.sample(parts, chance.randint(1, 3)):  # two logs may hold the same row
            part.append(decision)
    chance.shuffle(parts)
    assert fold(d for part in parts for d in part) == fold(log)


@given(logs())
def test_decision_comes_back_from_its_line(log):
    assert [decision_from_json(decision_line(d)) for d in log] == log


@pytest.mark.parametrize(
    ("decision", "why"),
    [
        (verdict("maybe"), "'maybe' is no verdict"),
        (verdict(kind="guess"), "'guess' is no kind"),
        (verdict(batch=""), "no batch"),
        (verdict(old="\ud800"), "a value that is no text"),
        (verdict(at="yesterday"), "a time in another form"),
        (verdict(claim=""), "names no claim"),
        (verdict(article_sha256=""), "no article"),
        (verdict(field="stance"), "cannot be changed"),
        (edit("claim_id", "c_2"), "cannot be changed"),
        (edit("decision", "accept"), "cannot be changed"),
        (edit("stance", "lie"), "'lie' is no stance"),
        (edit("negated", "yes"), "'yes' is no negated"),
        (edit("cue_spans", "5 3"), "are no spans"),
        (edit("cue_spans", "0 4;2 6"), "are no spans"),
        (edit("cue_spans", "0 99"), "are no spans"),
        (edit("cue_spans", "0 4\n"), "are no spans"),
        (edit("cue_spans", ""), "a claim has cue"),
        (added(fields={"cue_spans": ""}), "no cue or no content"),
        (added(fields={"claim_id": "c_2"}), "no cue or no content"),
        (added(fields={"stance": "lie"}), "'lie' is no stance"),
        (replace(added(), new="["), "no cue or no content"),
        (verdict("", kind="undo"), "which batch"),
        (verdict(at="2026-02-30T10:00:00.000000+00:00"), "a time in another form"),
        (verdict(at="9999-12-31T23:59:59.999999+00:00"), "a time in another form"),  # behind which the log's next could not stand
    ],
)
def test_what_is_no_decision_is_refused(decision, why):
    with pytest.raises(DecisionError, match=why):
        check_decision(decision, TEXT)


def test_decisions_are_accepted():
    for decision in (verdict(), edit(), edit("source_spans", ""), edit("cue_spans", "3 7"), lead(), lead("deny", "stance"), added(), edit("stance", "")):
        check_decision(decision, TEXT)


@pytest.mark.parametrize("line", [b"{}", b"[1]", b"no", b'{"decision_id": 1}', b'{"unknown": ""}'])
def test_line_that_is_no_decision_is_refused(line):
    with pytest.raises(DecisionError, match="it is no decision"):
        decision_from_json(line)


@given(st.lists(st.integers(0, 10**6), unique=True, max_size=8).map(sorted))
def test_spans_come_back_from_their_text(edges):
    spans = tuple(zip(edges[::2], edges[1::2]))
    assert spans_from(spans_text(spans)) == spans


def test_edits_stand_in_the_claim():
    edits = {"speaker": "Ann Lee", "speaker_role": "", "stance": "deny", "negated": "True", "note": "see p. 3"}
    found = corrected(claim(speaker_role="Mayor"), ClaimState(edits=edits), TEXT)
    assert found == claim(speaker="Ann Lee", stance="deny", negated=True)
    assert {name: field_text(found, name) for name in edits} == edits | {"note": ""}


def test_new_spans_change_what_hangs_on_them():
    found = corrected(claim(), ClaimState(edits={"content_spans": "8 29;31 41", "source_spans": ""}), TEXT)
    assert found.content == SpanText("it often rains in May … “we know.”", ((8, 29), (31, 41)))
    assert (found.source, found.claim, found.quotation, found.claim_id) == (SpanText("", ()), "it often rains in May … we know.", "mixed", "c_1")
    assert found.context == "He said it often rains in May, “we know.”"


def test_edited_statement_and_sufficient_context_stay():
    whole = "He said it often rains in May, “we know.”\nMore."
    found = corrected(claim(context=whole), ClaimState(edits={"content_spans": "8 29", "claim": "it rains in May"}), TEXT)
    assert (found.claim, found.context) == ("it rains in May", whole)


def test_spans_outside_of_the_text_are_refused():
    with pytest.raises(DecisionError, match="an edit of c_1 was not taken: '0 99' are no spans"):
        corrected(claim(), ClaimState(edits={"cue_spans": "0 99"}), TEXT)


def test_added_claim_has_what_its_reviewer_and_its_article_say():
    article = {"article_id": "a", "title": "T", "authors": ["Ann", "Jo"], "src": {"beat": "roads"}}
    state = state_of(added(), edit("speaker", "Ann Lee", claim="c_new"))["c_new"]
    found = added_claim("c_new", state, article, TEXT)
    assert (state.decision, state.by) == ("accept", {"Ann": "accept"})
    assert (found.claim_id, found.title, found.authors, found.src, found.speaker, found.stance) == ("c_new", "T", "Ann; Jo", {"beat": "roads"}, "Ann Lee", "assert")
    assert (found.source.text, found.cue.text, found.content.text, found.claim, found.why) == ("", "said", "it … often", "it … often", "said")
    assert found.context == TEXT.split("\n", maxsplit=1)[0]


def test_every_editable_field_has_a_text():
    assert {name: field_text(claim(negated=False), name) for name in EDITABLE} == dict.fromkeys(EDITABLE, "") | {
        "negated": "False", "claim": "it rains", "source_spans": "0 2", "cue_spans": "3 7", "content_spans": "8 10;11 16",
    }  # fmt: skip
