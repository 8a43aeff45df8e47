"""The queue against the plain way to ask the same: a loop over all claims."""

from urllib.parse import parse_qsl

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordingto.review.queue import FACETS, ORDERS, Filter, Queue, Row, filter_from, searched

VALUES = {"stance": ["assert", "deny", ""], "kind": ["person", "group"], "speaker": ["Ann Lee", "Bo", "", "a&b=c"], "publisher": ["Plain", ""]}
rows_drawn = st.lists(
    st.builds(
        lambda article, place, hundredths, facets, text: (article, place, hundredths / 100, facets, text),
        st.integers(0, 4), st.integers(0, 30), st.integers(0, 100), st.fixed_dictionaries({k: st.sampled_from(v) for k, v in VALUES.items()}), st.sampled_from(["it rained", "the road closed", "rain closed it"]),
    ),
    max_size=25,
)  # fmt: skip
decisions_drawn = st.lists(st.tuples(st.integers(0, 24), st.sampled_from(["", "accept", "reject", "unsure"]), st.booleans()), max_size=15)
filters_drawn = st.builds(
    Filter,
    st.dictionaries(st.sampled_from(["stance", "kind", "speaker", "publisher"]), st.sampled_from(["assert", "deny", "person", "Ann Lee", "a&b=c", "Plain", "", "gone"]).map(lambda v: (v,)), max_size=2),
    st.sampled_from(["", "rain", "closed it", "nothing"]),
    st.integers(0, 60).map(float),
    st.integers(40, 100).map(float),
    st.sampled_from(list(ORDERS)),
)


def queue_of(drawn, decisions=()) -> Queue:
    queue = Queue([Row(f"c_{i:03}", a, p, c, f, t, t) for i, (a, p, c, f, t) in enumerate(drawn)])
    for number, decision, conflict in decisions:
        if number < len(queue):
            queue.set_decision(number, decision, {"conflict": conflict})
    return queue


def fits(queue: Queue, number: int, wanted: Filter, but: str = "") -> bool:
    for name, values in wanted.chosen.items():
        if name == but:
            continue
        own = {queue.value(name, number) or ("left" if name == "decision" else "")} | ({"conflict"} if name == "decision" and queue.flags["conflict"][number] else set())
        if not own & set(values):
            return False
    return all(word in queue.text(number) for word in wanted.text.casefold().split()) and wanted.low <= round(float(queue.confidences[number]) * 100, 2) <= wanted.high


@given(rows_drawn, decisions_drawn, filters_drawn, st.lists(st.sampled_from(["left", "accept", "conflict", "reject"]), unique=True, max_size=3))
def test_selection_and_counts_are_those_of_a_loop(drawn, decisions, wanted, chosen):
    wanted = Filter(dict(wanted.chosen) | ({"decision": tuple(chosen)} if chosen else {}), wanted.text, wanted.low, wanted.high, wanted.order)
    queue = queue_of(drawn, decisions)
    found = queue.select(wanted)
    assert set(found.tolist()) == {n for n in range(len(queue)) if fits(queue, n, wanted)}
    assert len(set(found.tolist())) == len(found)
    for name in ("stance", "speaker"):
        expected = [queue.value(name, n) for n in range(len(queue)) if fits(queue, n, wanted, but=name)]
        assert {v: c for v, c in queue.counts(wanted)[name].values if c} == {v: expected.count(v) for v in set(expected)}
    left = [n for n in range(len(queue)) if fits(queue, n, wanted, but="decision")]
    counts = dict(queue.counts(wanted)["decision"].values)
    assert counts["left"] == sum(not queue.value("decision", n) for n in left)
    assert counts["conflict"] == sum(bool(queue.flags["conflict"][n]) for n in left)


@given(rows_drawn)
def test_orders_are_what_they_say(drawn):
    queue = queue_of(drawn)
    where = [(row[0], row[1]) for row in drawn]
    for order, key in {"article": lambda n: where[n], "unsure": lambda n: drawn[n][2], "sure": lambda n: -drawn[n][2]}.items():
        keys = [key(n) for n in queue.select(Filter(order=order)).tolist()]
        assert keys == sorted(keys)
    assert sorted(queue.select(Filter(order="random")).tolist()) == list(range(len(drawn)))


@given(rows_drawn, filters_drawn)
def test_steps_go_through_what_is_shown_also_from_outside_of_it(drawn, wanted):
    queue = queue_of(drawn)
    shown = queue.select(wanted)
    ranks = queue.ranks[wanted.order]
    for current in range(len(queue)):
        after = [n for n in shown.tolist() if ranks[n] > ranks[current]]
        before = [n for n in shown.tolist() if ranks[n] < ranks[current]]
        assert queue.neighbour(shown, current, wanted.order, 1) == (after[0] if after else None)
        assert queue.neighbour(shown, current, wanted.order, -1) == (before[-1] if before else None)


@given(filters_drawn)
def test_address_holds_the_whole_filter(wanted):
    assert filter_from(parse_qsl(wanted.query(claim="c_1"), keep_blank_values=True)) == wanted


@pytest.mark.parametrize("query", ["min=nan&max=inf", "min=-5&max=1e999", "order=worst", "min=x", "q=%20%20", "claim=", "decision=nonsense"])
def test_nonsense_in_an_address_is_no_error(query):
    queue = queue_of([(0, 1, 0.5, {"stance": "assert"}, "it rained")])
    wanted = filter_from(parse_qsl(query, keep_blank_values=True))
    assert wanted.order in ORDERS
    assert 0 <= wanted.low <= wanted.high <= 100
    assert len(queue.select(wanted)) == (0 if "decision" in query else 1)


def test_next_article_is_the_next_with_something_to_show():
    queue = queue_of([(a, 1, 0.5, {"stance": s}, "x") for a, s in ((0, "assert"), (1, "deny"), (3, "assert"), (3, "deny"))])
    every, denied = queue.select(Filter()), queue.select(Filter({"stance": ("deny",)}))
    assert [queue.neighbour_article(every, a, 1) for a in range(4)] == [1, 2, 2, None]
    assert queue.neighbour_article(denied, 0, 1) == 1
    assert queue.neighbour_article(denied, 3, -1) == 1
    assert queue.neighbour_article(denied, 1, -1) is None


def test_commonest_values_come_first_and_chosen_ones_always():
    queue = queue_of([(0, i, 0.5, {"speaker": f"s{min(i, 40 - i):02}"}, "x") for i in range(41)])
    counts = queue.counts(Filter({"speaker": ("s20", "gone")}), most=5)["speaker"]
    assert [c for _, c in counts.values] == [2, 2, 2, 2, 2, 1, 0]
    assert counts.unlisted == 16
    assert {"s20", "gone"} < {v for v, _ in counts.values}


@pytest.mark.parametrize("words", ["“We will stay,”", '"we will stay,"', "'we will", "don’t", "don't", "«stay", "‘won’", "stay," ])
def test_words_are_found_whatever_their_quotation_marks(words):
    queue = Queue([Row(f"c_{i}", 0, i, 0.5, {}, searched(text), text) for i, text in enumerate(["“We will stay,” and don’t say we 'won'", "It rained"])])
    assert queue.select(Filter(text=words)).tolist() == [0]


def test_no_claims_are_no_error():
    queue = Queue([])
    assert len(queue.select(Filter())) == 0
    assert queue.neighbour(np.zeros(0, np.int64), None, "article", 1) is None
    assert set(queue.counts(Filter())) == set(FACETS)
