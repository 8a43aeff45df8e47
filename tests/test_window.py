import itertools

import numpy as np
import pytest
import spacy

from accordingto.window import GAPS, SHAPES, WordCache, cut_windows, encoder_inputs, words_from_doc


class OnePieceALetter:
    """A tokenizer that gives each letter of a word one piece."""

    def encode(self, sequence, *, add_special_tokens):
        return type("Encoding", (), {"ids": [1000 + ord(c) for c in sequence]})()


@pytest.fixture
def words_of():
    nlp, cache = spacy.blank("en"), WordCache(OnePieceALetter())
    return lambda text: words_from_doc(nlp.make_doc(text), cache)


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("The mayor said", "title lower lower"),
        ("FBI A 12 iPhone7 iPhone", "upper title digit alnum mixed"),
        ('“ ” " ‘ : , . — ( %', "open close straight single colon comma stop dash bracket other"),
    ],
)
def test_shapes_tell_what_the_uncased_wordpieces_do_not(words_of, text, shapes):
    assert [SHAPES[i] for i in words_of(text).shape] == shapes.split()


def test_words_leave_white_space_out_and_keep_true_offsets(words_of):
    text = "  Hello,\r\n\r\nworld \u2029 again\n"
    words = words_of(text)
    assert [text[s:e] for s, e in zip(words.start_char, words.end_char)] == ["Hello", ",", "world", "again"]
    assert [GAPS[g] for g in words.gap] == ["line", "none", "line", "line"]


def test_heading_is_read_as_a_sentence_of_its_own(words_of):
    nlp, cache = spacy.blank("en"), WordCache(OnePieceALetter())
    words = words_from_doc(nlp.make_doc("A heading\nSources said.\n“Yes”\nOver"), cache, stop_headings=True)
    assert [i for i, pieces in enumerate(words.pieces) if pieces[-1] == 1012] == [1]
    assert not [pieces for pieces in words_of("A heading\nSources said.").pieces if pieces[-1] == 1012]


def test_wrapping_of_a_long_line_is_no_line_break(words_of):
    words = words_of("The mayor said that\nthe bridge was safe.\nNobody agreed.")
    assert [int(i) for i in np.flatnonzero(words.gap == 2)] == [0, 9]


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("“ Yes , ” he said", "1 1 1 1 0 0"),
        ('" Yes " he " no " .', "1 1 1 0 1 1 1 0"),
        ("“ never closed\n\nNext paragraph", "1 1 1 0 0"),
        ("stray ” mark", "0 1 0"),
        ("", ""),
    ],
)
def test_quoted_words_end_with_their_paragraph(words_of, text, quoted):
    assert words_of(text).quoted.tolist() == [int(q) for q in quoted.split()]


def test_windows_cover_every_word_once_and_cut_between_paragraphs(words_of):
    text = "\n\n".join(["one two three four ."] * 3)  # 16 pieces a paragraph
    words = words_of(text)
    windows = cut_windows(words, max_pieces=40)
    assert windows == [(0, 10), (10, 15)]
    assert [words.gap[start] for start, _ in windows] == [2, 2]


def test_one_endless_paragraph_is_cut_at_full_stops_not_lost(words_of):
    words = words_of("alpha beta . gamma delta . " * 50)
    windows = cut_windows(words, max_pieces=60)
    assert windows[0][0] == 0
    assert windows[-1][1] == len(words)
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(windows))
    assert all(words.shape[end - 1] == SHAPES.index("stop") for _, end in windows)
    assert max(len(encoder_inputs(words, s, e)["pieces"]) for s, e in windows) <= 60


def test_no_words_give_no_window(words_of):
    assert cut_windows(words_of("  \n ")) == []


def test_inputs_point_from_words_to_their_first_pieces(words_of):
    words = words_of("Ab c def")
    inputs = encoder_inputs(words, 1, 3)
    assert inputs["first_piece"].tolist() == [1, 2]
    assert inputs["pieces"].tolist() == [101, 1000 + ord("c"), *(1000 + ord(c) for c in "def"), 102]
    assert {len(inputs[name]) for name in ("pieces", "shape", "gap", "quoted")} == {6}
