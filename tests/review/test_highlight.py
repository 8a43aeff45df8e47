"""Highlights: the page's text has the article's code points, everything is escaped, and what is hidden is shown."""

import html
import re

from hypothesis import given
from hypothesis import strategies as st
from made import claim_of, words

from accordingto.review.highlight import article_html, hidden_names, plain, plain_field, shown

ODD = st.text(st.one_of(st.sampled_from("ab <>&\"'\n\r\t\u2028\u202e\u200b\0\x1b😀👨‍👩‍👧é́"), st.characters()), min_size=1, max_size=60)


def text_of(page: str) -> str:
    """Return what a browser takes for the text of HTML: without tags, entities resolved."""
    return html.unescape(re.sub(r"<[^>]*>", "", page))


@st.composite
def _text_and_spans(draw):
    text = draw(ODD)
    edges = [sorted(draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=2, unique=True))) for _ in range(draw(st.integers(0, 6)))]
    return text, [tuple(e) for e in edges]


@given(_text_and_spans())
def test_page_has_as_many_code_points_as_the_article_and_each_span_its_own(given_):
    text, spans = given_
    claims = [claim_of("x" * 70, [], [span], [span]) for span in spans]
    page = str(article_html(text, claims))
    assert len(text_of(page)) == len(text)
    assert all(a == b or b in "\ufffd␍" for a, b in zip(text, text_of(page)))
    for number, (start, end) in enumerate(spans):
        marked = "".join(text_of(piece) for marks, piece in re.findall(r'<span(?: class="furniture")? data-r="([^"]*)">((?:[^<]|<span class="(?:hidden|line-end)"[^>]*>.</span>)*)</span>', page) if f"{number}o" in marks.split())
        assert len(marked) == end - start


def test_nested_claims_and_overlaps_share_their_pieces():
    text = "Ann said Bo claimed it rained."
    page = str(article_html(text, [words(text, "Ann", "said", "Bo claimed it rained"), words(text, "Bo", "claimed", "it rained")]))
    assert '<span data-r="0o 1s">Bo</span><span data-r="0o"> </span><span data-r="0o 1c">claimed</span>' in page


def test_discontinuous_content_and_lines_are_cut_where_they_end():
    text = "“We won,\nsaid Ann, “and stay.”"
    page = str(article_html(text, [claim_of(text, [(14, 17)], [(9, 13)], [(0, 8), (19, 30)])]))
    assert page.startswith('<p><span data-r="0o">“We won,</span>\n</p><p><span data-r="0c">said</span> <span data-r="0s">Ann</span>, <span data-r="0o">“and stay.”</span></p>')


def test_furniture_is_marked_and_lines_have_their_kinds():
    text = "A heading without an end\n- Web Desk\n\nIt rained, officials said."
    page = str(article_html(text, [], [(25, 35, "desk_byline")]))
    assert page == '<p class="heading">A heading without an end\n</p><p class="furniture"><span class="furniture">- Web Desk</span>\n</p><p class="blank">\n</p><p>It rained, officials said.</p>'


def test_hidden_characters_are_shown_by_name():
    assert str(shown("safe\u202etxt")) == 'safe<span class="hidden" data-name="RLO">\ufffd</span>txt'
    assert hidden_names("a\u202eb\0c\x1bd\u202e") == "RLO, NUL, ESC"
    assert plain("a\u202eb") == "a\ufffdb"
    assert plain_field("a\u202eb\0\ud800") == "a\u202eb\ufffd\ufffd"  # a field keeps what a reviewer may want to take out
    assert str(shown("two\n lines ")) == "two lines "
    assert str(shown(None)) == ""


def test_joined_emoji_and_accents_are_left_alone():
    text = "👨‍👩‍👧 naïve é 한국어 עברית"
    assert str(shown(text)) == text


@given(ODD)
def test_nothing_but_our_own_tags_comes_out(text):
    for page in (str(shown(text)), str(article_html(text, []))):
        assert set(re.findall(r"<[^>]*>", re.sub(r' (?:class|data-name)="[^"<>]*"', "", page))) <= {"<p>", "</p>", "<span>", "</span>"}
