"""What the decisions of reviewers make of a run's articles."""

from dataclasses import replace

import pytest

from accordingto.export.judged import OPEN, parents_among
from judged_articles import TEXT, article, judged

SAID = TEXT.index("said it")


def nested(parent=None):
    return judged("he", [(SAID, SAID + 4)], "it rained", parent=parent)


def test_parent_is_the_models_while_its_content_holds_the_cue():
    outer = judged("She", "says", "he said it rained")
    wider = judged("", "reportedly", [(0, len(TEXT))])
    assert parents_among([outer, nested(outer.claim.claim_id), wider]) == [2, 0, None]
    assert parents_among([wider, nested(wider.claim.claim_id), outer]) == [None, 0, 0]


def test_claim_whose_parent_was_rejected_stands_in_what_is_around_both():
    wider = judged("", "reportedly", [(0, len(TEXT))])
    assert parents_among([wider, nested("c_rejected")]) == [None, 0]
    assert parents_among([nested("c_rejected")]) == [None]


def test_claims_that_hold_each_others_cues_are_not_each_others_parents():
    one, other = judged("", [(0, 1)], [(2, 3)]), judged("", [(2, 3)], [(0, 1)])
    assert parents_among([one, other]) == [1, None]


@pytest.mark.parametrize("verdict", OPEN)
def test_article_is_settled_when_every_claim_is(verdict):
    claims = [judged("She", "says", "he said it rained"), judged("Asif", "said", "We stay", "rejected")]
    assert article(claims=claims).settled
    assert not article(claims=[*claims, replace(nested(), verdict=verdict)]).settled
    assert not article().settled
