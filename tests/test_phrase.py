"""Noun phrases: a table of short cases, each word with its part of speech."""

import pytest

from accordingto.phrase import head_of, phrase_around, phrases_before, role_words, shorter_forms


def read(tagged: str) -> tuple[list[str], list[str]]:
    pairs = [word.rsplit("/", 1) for word in tagged.split()]
    return [word.lower() for word, _ in pairs], [tag for _, tag in pairs]


def said(words: list[str], ranges) -> list[str]:
    return [" ".join(words[start:end]) for start, end in ranges]


@pytest.mark.parametrize(
    ("tagged", "head"),
    [
        ("the/DT former/JJ secretary/NN of/IN state/NN", "secretary"),
        ("officials/NNS familiar/JJ with/IN the/DT talks/NNS", "officials"),
        ("Trump/NNP 's/POS lawyer/NN", "lawyer"),
        ("She/PRP", "she"),
        ("reportedly/RB", "reportedly"),
    ],
)
def test_head_of_a_phrase(tagged, head):
    words, tags = read(tagged)
    assert words[head_of(tags, (0, len(words)))] == head


@pytest.mark.parametrize(
    ("tagged", "forms"),
    [
        ("several/JJ judges/NNS handling/VBG lawsuits/NNS", ["several judges handling lawsuits", "several judges"]),
        ("a/DT group/NN of/IN parents/NNS with/IN kids/NNS", ["a group of parents with kids", "a group of parents"]),
        ("Safe/NNP Cribs/NNPS ,/, an/DT advocacy/NN group/NN", ["safe cribs , an advocacy group", "safe cribs"]),
        ("officials/NNS", ["officials"]),
    ],
)
def test_shorter_forms_of_a_description(tagged, forms):
    words, tags = read(tagged)
    assert said(words, shorter_forms(words, tags, (0, len(words)))) == forms


def test_phrases_before_a_relative_pronoun():
    words, tags = read("It/PRP angered/VBD leaders/NNS of/IN the/DT parties/NNS ,/, who/WP")
    assert said(words, phrases_before(words, tags, 7)) == ["the parties", "leaders of the parties"]
    assert phrases_before(["said", "who"], ["VBD", "WP"], 1) == []


@pytest.mark.parametrize(
    ("tagged", "name", "role"),
    [
        ("Gov./NNP Ann/NNP Lee/NNP spoke/VBD", (1, 3), {"governor"}),
        ("Ann/NNP Lee/NNP ,/, the/DT chair/NN of/IN Roe/NNP ,/, spoke/VBD", (0, 2), {"chair", "roe"}),
        ("Ann/NNP Lee/NNP was/VBD a/DT nurse/NN ./.", (0, 2), {"nurse"}),
        ("Ann/NNP Lee/NNP spoke/VBD", (0, 2), set()),
    ],
)
def test_roles_beside_a_name(tagged, name, role):
    words, tags = read(tagged)
    assert role_words(words, tags, name) == role


@pytest.mark.parametrize(
    ("word", "phrase"),
    [(1, "new tax plan"), (2, "new tax plan"), (3, "new tax plan"), (0, "the"), (4, "failed")],
)
def test_phrase_around_a_word(word, phrase):
    words, tags = read("the/DT new/JJ tax/NN plan/NN failed/VBD")
    start, end = phrase_around(words, tags, word)
    found = " ".join(words[start:end])
    assert found == phrase or (word == 1 and found == "new")
