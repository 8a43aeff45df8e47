"""What a source does with its content: pairs that differ in the content alone, so that no list of cues can tell them apart."""

import numpy as np
import pytest

import accordingto
from accordingto.document import attributions_of
from accordingto.label import LABELS
from accordingto.stance import FIELDS, split_labels


def claim_of(nlp, text: str, cue: str):
    return next(c for c in accordingto.extract([text], nlp) if c.cue.text == cue)


@pytest.mark.parametrize(
    ("text", "cue", "stance"),
    [
        ("“She lied to the families,” he said.", "said", "accuse"),
        ("“She arrived on Monday,” he said.", "said", "assert"),
        ("“We will rebuild every house,” the mayor said.", "said", "commit"),
        ("The company denied that it had paid the minister.", "denied", "deny"),
        ("Officials warned that the dam could break.", "warned", "warn"),
        ("The union urged the government to raise wages.", "urged", "demand"),
        ("The minister admitted that the figures were wrong.", "admitted", "confirm"),
        ("The mayor said that the city must close the bridge at once.", "said", "demand"),
        ("Voters asked why the bridge was closed.", "asked", "ask"),
        ("Doctors hope to open the clinic in May.", "hope", "commit"),
    ],
)
def test_stance(nlp, text, cue, stance):
    assert claim_of(nlp, text, cue).stance == stance


@pytest.mark.parametrize(
    ("field", "text", "cue", "value"),
    [
        ("negated", "The minister did not say that he would resign.", "did not say", True),
        ("negated", "The minister said that he would resign.", "said", False),
        ("certainty", "The minister said that taxes may rise.", "said", "possible"),
        ("certainty", "The minister said that taxes had risen.", "said", "certain"),
        ("framing", "The minister claimed that taxes had risen.", "claimed", "distances"),
        ("framing", "The minister said that taxes had risen.", "said", "neutral"),
        ("attribution_type", "The minister believes that taxes will rise.", "believes", "belief"),
        ("attribution_type", "The minister plans to raise taxes.", "plans", "intention"),
        ("attribution_type", "The minister said that taxes will rise.", "said", "communication"),
        ("attitude", "“Anna Berg is a liar and a thief,” the mayor said.", "said", "against"),
        ("attitude", "The bank opened in 1990, the mayor said.", "said", "neutral"),
    ],
)
def test_label(nlp, field, text, cue, value):
    assert getattr(claim_of(nlp, text, cue), field) == value


def test_attitude_aims_at_a_name_in_full(nlp):
    text = "Anna Berg leads the party. “Berg is a liar and a thief,” the mayor said."
    claim = claim_of(nlp, text, "said")
    assert (claim.attitude, claim.attitude_target) == ("against", "Anna Berg")


@pytest.mark.parametrize(
    ("text", "cue", "target"),
    [
        ("Anna Berg met Paul Grant. “He is a liar and a thief,” Berg said.", "said", "Paul Grant"),
        ("Anna Berg leads the party with Paul Grant. “She is a liar and a thief,” Grant said.", "said", "Anna Berg"),
    ],
)
def test_a_pronoun_that_an_attitude_aims_at_is_somebody_else_than_the_speaker(nlp, text, cue, target):
    claim = claim_of(nlp, text, cue)
    assert (claim.attitude, claim.attitude_target) == ("against", target)


def test_why_is_verbatim_and_begins_with_no_word_of_ours(nlp):
    text = "Officials did not say whether the dam might break."
    for claim in accordingto.extract([text], nlp):
        assert claim.cue.text in claim.why
        assert all(part in text for part in claim.why.split(" … "))


def test_every_claim_has_every_label_and_a_confidence(nlp):
    text = "Sources quoted the delegation as saying that the border, reportedly, was closed. It was raining."
    claims = list(accordingto.extract([text], nlp))
    assert claims
    for claim in claims:
        for field in FIELDS:
            assert getattr(claim, field) in LABELS[field]
        assert 0 <= claim.stance_confidence <= 1
        assert (claim.attitude == "neutral") == (claim.attitude_target is None)


def test_text_without_attributions_is_left_alone(nlp):
    assert attributions_of(nlp("It rained.")) == []


def test_scores_are_split_by_field():
    parts = dict(split_labels(np.arange(sum(map(len, LABELS.values())))))
    assert [len(part) for part in parts.values()] == [len(values) for values in LABELS.values()]
    assert parts["negated"].tolist() == [10, 11]
