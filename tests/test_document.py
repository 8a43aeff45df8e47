import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, DocBin

from accordingto.document import attributions_of, encoding_of, set_attributions, set_encoding
from accordingto.schema import Attribution

TEXT = "Officials said “the road” was, for now, “closed”."
ATTRIBUTIONS = [
    Attribution(((0, 9),), ((10, 14),), ((15, 29), (40, 48)), None, 0.75, attitude="against", aim=(19, 23), why=((10, 14), (41, 47))),
    Attribution((), ((26, 29),), ((15, 29),), 0, 0.25),  # shares a content span with the first
]


@pytest.fixture
def doc():
    doc = spacy.blank("en")(TEXT)
    set_attributions(doc, ATTRIBUTIONS)
    return doc


def test_attributions_come_back_as_they_were_set(doc):
    assert attributions_of(doc) == ATTRIBUTIONS


def test_attributions_survive_docbin_and_bytes(doc):
    vocab = spacy.blank("en").vocab
    copies = [*DocBin().from_bytes(DocBin(docs=[doc]).to_bytes()).get_docs(vocab), Doc(vocab).from_bytes(doc.to_bytes())]
    assert [attributions_of(copy) for copy in copies] == [ATTRIBUTIONS, ATTRIBUTIONS]


def test_doc_without_attributions_has_none():
    assert attributions_of(spacy.blank("en")("Nothing.")) == []


def test_attribution_outside_the_text_is_refused():
    with pytest.raises(ValueError, match="cue of attribution 0, characters 90 to 95, lies outside"):
        set_attributions(spacy.blank("en")("Short."), [Attribution((), ((90, 95),), (), None, 1.0)])


def test_encoding_comes_back_without_white_space_rows():
    doc = spacy.blank("en")("One\n\ntwo")
    encoded = np.arange(2 * 398, dtype=np.float32).reshape(2, 398)
    encoded[:, -1] = [1, 0]
    set_encoding(doc, np.array([0, 2]), encoded, np.array([1, 1]), ["NN", "CD"], [(0, 2)], "steady")
    encoding = encoding_of(doc)
    assert encoding.tokens.tolist() == [0, 2]
    assert np.array_equal(np.column_stack([encoding.vectors, encoding.sentence, encoding.cue, encoding.entity]), encoded[:, :-1])
    assert (encoding.lines.tolist(), encoding.windows, encoding.guideline) == ([1, 1], [(0, 2)], "steady")
    assert (encoding.tags, [t.tag_ for t in doc]) == (["CD", "NN"], ["CD", "", "NN"])


def test_doc_that_no_encoder_read_says_so():
    with pytest.raises(ValueError, match="needs the component 'encoder' before"):
        encoding_of(spacy.blank("en")("Nothing."))
