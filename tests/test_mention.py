import pytest
import spacy

from accordingto.document import encoding_of, set_encoding
from accordingto.mention import NAME_KINDS, find_candidates, find_names, own_words

import numpy as np  # isort: skip


@pytest.fixture
def read():
    """Return a function from a text, and the kinds of its names by their words, to the Doc and its encoding."""
    nlp = spacy.blank("en")

    def build(text: str, names: dict[str, str]):
        doc = nlp(text)
        encoded = np.zeros((len(doc), 398), np.float32)
        encoded[:, 388] = 1  # O
        for name, kind in names.items():
            begin = 388 + 1 + 2 * NAME_KINDS.index(kind)
            words = name.split()
            for i in range(len(doc)):
                if [t.text for t in doc[i : i + len(words)]] == words and encoded[i, 388] == 1:
                    encoded[i : i + len(words), begin + 1] = 2
                    encoded[i, begin] = 3
                    encoded[i : i + len(words), 388] = 0
        set_encoding(doc, np.arange(len(doc)), encoded, np.zeros(len(doc)), ["NN"], [(0, len(doc))], "steady")
        return doc, encoding_of(doc)

    return build


@pytest.mark.parametrize(
    ("source", "description"),
    [
        ("the senior official, who was not named", "senior official"),
        ("Ted Cruz (R-Tex.)", "Ted Cruz"),
        ("Clinton’s", "Clinton"),
        ("“The Late Show”", "The Late Show"),
        ("Rosa Huamaní, 54", "Rosa Huamaní"),
        ("officials", "officials"),
        ("", ""),
    ],
)
def test_own_words_are_a_description(source, description):
    assert own_words(source) == description


def test_short_names_join_the_nearest_longer_one_and_two_of_one_surname_stay_apart(read):
    text = "Bill Clinton spoke . Clinton left . Hillary Clinton spoke . Clinton stayed . Mr. Doe came ."
    doc, encoding = read(text, {"Bill Clinton": "PERSON", "Hillary Clinton": "PERSON", "Clinton": "PERSON", "Mr. Doe": "PERSON"})
    names = find_names(doc, encoding)
    found = {c.name: len(c.mentions) for c in find_candidates(doc, encoding, names, [])}
    assert found == {"Bill Clinton": 2, "Hillary Clinton": 2, "Doe": 1}


@pytest.mark.parametrize(
    ("text", "names", "found"),
    [
        ("Bill Clinton ran . Bill Clinton won . Hillary Clinton came . Mrs. Clinton left .", ["Bill Clinton", "Hillary Clinton", "Clinton"], {"Bill Clinton": 2, "Hillary Clinton": 2}),
        ("Bill Clinton ran . Bill Clinton won . Hillary Clinton came . Clinton left .", ["Bill Clinton", "Hillary Clinton", "Clinton"], {"Bill Clinton": 3, "Hillary Clinton": 1}),
        ("George W. Bush spoke . Laura Bush left .", ["George W. Bush", "Laura Bush"], {"George W. Bush": 1, "Laura Bush": 1}),
        ("Joseph R. Biden Jr. spoke . Biden left .", ["Joseph R. Biden Jr.", "Biden"], {"Joseph R. Biden Jr.": 2}),
        ("Dixon Ng Kam - wah spoke . Ng left .", ["Dixon Ng Kam - wah", "Ng"], {"Dixon Ng Kam - wah": 2}),
        ("Chief Justice Roberts spoke . Prime Minister Ann Lee left .", ["Chief Justice Roberts", "Prime Minister Ann Lee"], {"Roberts": 1, "Ann Lee": 1}),
    ],
)
def test_people_are_told_apart_by_title_first_name_and_how_often_they_are_named(read, text, names, found):
    doc, encoding = read(text, dict.fromkeys(names, "PERSON"))
    assert {c.name: len(c.mentions) for c in find_candidates(doc, encoding, find_names(doc, encoding), [])} == found


def test_a_bodys_name_loses_its_article_and_what_hangs_behind(read):
    doc, encoding = read("The Tax Policy Center at the said so . Tax Policy Center agreed .", {"The Tax Policy Center at the": "ORGANIZATION", "Tax Policy Center": "ORGANIZATION"})
    assert [(c.name, c.mentions) for c in find_candidates(doc, encoding, find_names(doc, encoding), [])] == [("Tax Policy Center", [(1, 4), (9, 12)])]


def test_two_people_and_bare_shares_are_named_in_full(read):
    doc, encoding = read("Barack Obama met Hillary Clinton . Obama and Clinton agreed .", dict.fromkeys(("Barack Obama", "Hillary Clinton", "Obama", "Clinton"), "PERSON"))
    assert [c.name for c in find_candidates(doc, encoding, find_names(doc, encoding), [(6, 9)])][2:] == ["Barack Obama and Hillary Clinton"]
    doc, encoding = read("46 percent of voters agree , 44 percent do not", {})
    encoding.tags[:] = ["CD", "NN", "IN", "NNS", "VB", ",", "CD", "NN", "VB", "RB"]
    assert [c.name for c in find_candidates(doc, encoding, [], [(6, 8)])] == ["44 percent of voters"]


def test_initials_and_last_words_stand_for_a_body_but_never_for_a_person(read):
    text = "The Bureau of Public Roads ( BPR ) said so . Public Roads agreed . Ann Roads did not ."
    doc, encoding = read(text, {"Bureau of Public Roads": "ORGANIZATION", "BPR": "ORGANIZATION", "Public Roads": "ORGANIZATION", "Ann Roads": "PERSON"})
    found = {c.name: len(c.mentions) for c in find_candidates(doc, encoding, find_names(doc, encoding), [])}
    assert found == {"Bureau of Public Roads": 3, "Ann Roads": 1}


def test_descriptions_are_candidates_once_and_pronouns_are_not(read):
    doc, encoding = read("The officials spoke . They left . Officials agreed .", {})
    found = find_candidates(doc, encoding, [], [(0, 2), (4, 5), (7, 8)])
    assert [(c.name, c.mentions) for c in found] == [("officials", [(0, 2), (7, 8)])]


def test_capital_of_a_sentence_is_taken_back_where_the_word_is_common(read):
    doc, encoding = read("Officials spoke . Islamabad agreed . The officials left .", {})
    encoding.lines[[0, 3]] = 1
    found = find_candidates(doc, encoding, [], [(0, 1), (3, 4)])
    assert [c.name for c in found] == ["officials", "Islamabad"]
