import pytest

from accordingto.article import article_from_text
from accordingto.claim import claims_from_doc, readable
from accordingto.schema import Article


@pytest.mark.parametrize(
    ("contents", "claim"),
    [
        (["“We won,”", "“and we will stay.”"], "We won … and we will stay."),
        (["that it will show “no flexibility” in its stance"], "it will show “no flexibility” in its stance"),
        (["“A” and “B”"], "“A” and “B”"),
        (["“never closed here"], "never closed here"),
        (["and closed there.”"], "and closed there."),
        (['"Straight,"'], "Straight"),
        (["‘We will go,’"], "We will go"),
        (["over two\n  lines"], "over two lines"),
        (["That much is clear"], "much is clear"),
        ([], ""),
    ],
)
def test_claim_reads_as_a_statement(contents, claim):
    text, spans = "", []
    for content in contents:
        spans.append((len(text), len(text) + len(content)))
        text += content + " | "
    assert readable(text, spans) == claim


def test_rows_stand_in_the_order_of_the_cues_with_parents_by_id(doc_of):
    text = "Sources quoted the delegation as saying it would stay. Officials agreed."
    doc = doc_of(
        text,
        ("Officials", "agreed", ["Officials agreed"], None),
        ("the delegation", "as saying", ["it would stay"], 2),
        ("Sources", "quoted", ["the delegation as saying it would stay"], None),
    )
    claims = claims_from_doc(article_from_text(text), doc, model="m 1")
    assert [c.cue.text for c in claims] == ["quoted", "as saying", "agreed"]
    assert claims[1].parent_id == claims[0].claim_id
    assert claims[0].parent_id is None


def test_claim_without_source_keeps_empty_source(doc_of):
    text = "The road was reportedly closed."
    claim = claims_from_doc(article_from_text(text), doc_of(text, ("", "reportedly", ["The road was", "closed"], None)), model="m")[0]
    assert (claim.source.text, claim.source.spans, claim.speaker) == ("", (), None)
    assert claim.content.text == "The road was … closed"
    assert (claim.why, claim.quotation) == ("reportedly", "indirect")


def test_claim_id_depends_on_text_and_spans_alone(doc_of):
    def first_id(text: str, cue: str, article_id: str) -> str:
        return claims_from_doc(Article(article_id, text), doc_of(text, ("He", cue, ["it"], None)), model="m")[0].claim_id

    base = first_id("He said it then.", "said", "a")
    assert base == first_id("He said it then.", "said", "another name")
    assert base.startswith("c_")
    assert len({base, first_id("He said it now.", "said", "a"), first_id("He said it then.", "said it", "a")}) == 3


def test_context_is_the_sentences_that_hold_the_parts(doc_of):
    text = "It rained. It will stop, she said. It will be dry. They left."
    doc = doc_of(text, ("she", "said", ["It will stop", "It will be dry"], None))
    assert claims_from_doc(article_from_text(text), doc, model="m")[0].context == "It will stop, she said. It will be dry."
