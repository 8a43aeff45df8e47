"""Who is meant: a table of short cases that a linguist can read and extend."""

import pytest

import accordingto
from accordingto.schema import Article

CASES = [  # id, text, (cue, speaker, role, kind)
    ("full name and role", "Defence Minister Khawaja Asif cautioned that talks may fail.", ("cautioned", "Khawaja Asif", "Defence Minister", "person")),
    ("surname", "Angela Rivers runs the clinic.\n\nRivers said the clinic was full.", ("said", "Angela Rivers", None, "person")),
    ("he", "Mayor Paul Grant opened the bridge on Monday. He said it was safe.", ("said", "Paul Grant", "Mayor", "person")),
    ("she, not the last name", "Judge Carla Weiss sentenced David Moore on Friday. She said the crime was cruel.", ("said", "Carla Weiss", "Judge", "person")),
    ("who", "The plan was praised by Laura Kent, who said it would save lives.", ("said", "Laura Kent", None, "person")),
    ("they", "Officials familiar with the talks met reporters. They said the talks had failed.", ("said", "officials familiar with the talks", None, "group")),
    ("unnamed", "A senior official said the deal was dead.", ("said", "senior official", None, "unnamed")),
    ("company", "Acme Corporation said on Monday it would close two plants.", ("said", "Acme Corporation", None, "organization")),
    ("document", "The report said prices would rise.", ("said", "report", None, "document")),
    ("place as a government", "Islamabad demanded action against the group.", ("demanded", "Islamabad", None, "organization")),
    ("two of one surname", "Bill Clinton spoke in Ohio. Hillary Clinton said the race in Iowa was close.", ("said", "Hillary Clinton", None, "person")),
    ("outside of a quotation", "“My brother told me it was over,” Anna Berg said.", ("said", "Anna Berg", None, "person")),
    ("inside of a quotation", "“The doctors told me it was over,” Anna Berg said.", ("told", "doctors", None, "group")),
    ("spokesman of a company", "Acme Corporation closed two plants. A spokesman for Acme said the move was final.", ("said", "spokesman for Acme", None, "unnamed")),
    ("role in the headline", "Senator Ruth Vance resigns\n\nVance said on Friday that she was tired.", ("said", "Ruth Vance", "Senator", "person")),
    ("description before the name", "“I will not resign,” the mayor said. Mayor Tom Hale then left the hall.", ("said", "Tom Hale", "Mayor", "person")),
    ("surname with a hyphen", "Councillor Raymond Yip Cheuk-lam said the road would stay.", ("said", "Raymond Yip Cheuk-lam", "Councillor", "person")),
    ("who after a description", "The plan angered local shopkeepers, who said it would ruin them.", ("said", "local shopkeepers", None, "group")),
    ("acronym", "The Congressional Budget Office warned of deficits. The CBO said taxes were too low.", ("said", "Congressional Budget Office", None, "organization")),
    ("Mrs.", "Bill Clinton spoke in Ohio and Bill Clinton won. Hillary Clinton was in Iowa. Mrs. Clinton said the race was close.", ("said", "Hillary Clinton", None, "person")),
    ("he, by the first name", "Anna Berg met David Moore on Friday. He said the talks were cruel.", ("said", "David Moore", None, "person")),
    ("share of a poll", "Some 46 percent of likely voters back the plan. But 44 percent fear that it will fail.", ("fear", "44 percent of likely voters", None, "group")),
    ("two people", "Senator Ruth Vance met Mayor Tom Hale.\n\nVance and Hale said the bridge was safe.", ("said", "Ruth Vance and Tom Hale", None, "group")),
    ("apposition of a body", "Safe Roads Alliance, an advocacy group, said the plan was too narrow.", ("said", "Safe Roads Alliance", None, "organization")),
    ("nobody", "The minister was reportedly arrested on Monday.", ("reportedly", None, None, "none")),
]


NOT_YET = {"they"}  # known errors of the shipped weights: see the issue on speakers


@pytest.mark.parametrize(("text", "expected"), [pytest.param(text, row, id=name, marks=[pytest.mark.xfail(reason="not learned yet", strict=True)] if name in NOT_YET else []) for name, text, row in CASES])
def test_speaker_role_and_kind(nlp, text, expected):
    rows = {c.cue.text: (c.speaker, c.speaker_role, c.source_kind) for c in accordingto.extract([text], nlp)}
    cue, *facts = expected
    assert rows.get(cue) == tuple(facts)


def test_letters_of_an_interview_are_the_people_named_before_it(nlp):
    text = "Angela Rivers sold porridge for years. Her book is out.\n\nShe spoke to Adrian Roe over coffee.\n\nQ: When did you start writing?\n\nA: I wrote it down in May.\n\nQ: Who pays?\n\nA: The lawyer paid for it."
    rows = [(c.source.text, c.speaker) for c in accordingto.extract([text], nlp) if c.source.text in ("Q", "A")]
    assert set(rows) == {("Q", "Adrian Roe"), ("A", "Angela Rivers")}


OPINION = "{}We have been lied to again. I believe that the new bridge is a waste of money, and I suspect that the council knows it. I hope that somebody stops it.\n\nTom Berger runs the company. Berger said the bridge was safe.{}"


@pytest.mark.parametrize(("before", "behind"), [("By Dana Whitlock\n\n", ""), ("", "\n\nDana Whitlock is a columnist of this newspaper."), ("", "\n\nDana Whitlock, Leeds")])
def test_the_writer_is_named_by_byline_signature_or_the_line_about_the_author(nlp, before, behind):
    rows = [(c.speaker, c.source_kind) for c in accordingto.extract([OPINION.format(before, behind)], nlp) if c.source.text == "I"]
    assert rows
    assert set(rows) == {("Dana Whitlock", "author")}


@pytest.mark.parametrize(("authors", "speaker"), [((), "author"), (("Dana Whitlock",), "Dana Whitlock"), (("Web Desk",), "author"), (("A. Lee", "B. Roe"), "A. Lee and B. Roe")])
def test_the_writer_is_named_by_the_metadata_where_the_text_does_not(nlp, authors, speaker):
    article = Article("a", OPINION.format("", ""), authors=authors)
    assert {c.speaker for c in accordingto.extract([article], nlp) if c.source.text == "I"} == {speaker}


def test_who_asks_is_a_reporter_where_nobody_else_is_named(nlp):
    text = "Mayor Anna Brandt took questions from reporters.\n\nQ: Will the bridge open?\n\nA: It will open in May."
    assert {(c.source.text, c.speaker, c.speaker_role) for c in accordingto.extract([text], nlp) if c.source.text in ("Q", "A")} == {("Q", "reporter", None), ("A", "Anna Brandt", "Mayor")}


def test_names_are_the_docs_entities(nlp):
    doc = nlp("Angela Rivers of the World Health Organization said so in Geneva.")
    assert [(e.text, e.label_) for e in doc.ents] == [("Angela Rivers", "PERSON"), ("World Health Organization", "ORG"), ("Geneva", "LOC")]


def test_speaker_confidence_is_there_where_a_source_is(nlp):
    claims = list(accordingto.extract(["Officials said the road was reportedly closed."], nlp))
    assert claims
    for claim in claims:
        assert (claim.speaker is None) == (claim.source.spans == ()) == (claim.speaker_confidence is None)
