"""Coefficients against worked examples that others published, and a run's reviewers against each other."""

import json
import shutil
from dataclasses import replace

import pytest
from decisions import added, edit, lead, verdict
from hypothesis import given
from hypothesis import strategies as st
from runs import run

from accordingto.review.agreement import cohen_kappa, krippendorff_alpha, measure_agreement
from accordingto.review.decision import spans_text
from accordingto.review.log import DecisionLog, new_batch
from accordingto.review.runs import read_run

COHEN_1960 = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]  # A coefficient of agreement for nominal scales, table 1, as counts of 200
TWO_BY_TWO = [[20, 5], [10, 15]]  # Wikipedia, Cohen's kappa, the simple example


def pairs_of(table):
    return [(str(i), str(j)) for i, row in enumerate(table) for j, count in enumerate(row) for _ in range(count)]


@pytest.mark.parametrize(("table", "kappa"), [(COHEN_1960, 0.492), (TWO_BY_TWO, 0.4), ([[5, 0], [0, 5]], 1.0), ([[0, 5], [5, 0]], -1.0)])
def test_kappa_is_that_of_published_examples(table, kappa):
    assert cohen_kappa(pairs_of(table)) == pytest.approx(kappa, abs=0.0005)


KRIPPENDORFF_2011 = [
    (["0100000010", "1110010000"], 0.095),  # Computing Krippendorff's alpha-reliability, A: two observers, binary
    (["123321412...", "1233224125.3", ".3332342251.", "12332441251."], 0.743),  # C: many observers, nominal, missing data
]
WIKIPEDIA = (["*****34121133*3", "1*213343*******", "**21344*21133*4"], 0.691)


@pytest.mark.parametrize(("observers", "alpha"), [*KRIPPENDORFF_2011, WIKIPEDIA])
def test_alpha_is_that_of_published_examples(observers, alpha):
    assert len({len(values) for values in observers}) == 1
    units = [[value for value in unit if value not in ".*"] for unit in zip(*observers)]
    assert krippendorff_alpha(units) == pytest.approx(alpha, abs=0.0005)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=30))
def test_coefficients_do_not_depend_on_order_and_end_at_one(pairs):
    for measure in (cohen_kappa, krippendorff_alpha):
        value = measure(pairs)
        assert value == pytest.approx(measure([(b, a) for a, b in reversed(pairs)]))
        assert value is None or value <= 1 + 1e-9
        assert (value == pytest.approx(1)) == (value is not None and all(a == b for a, b in pairs))


@pytest.mark.parametrize("pairs", [[], [("a", "a"), ("a", "a")]])
def test_coefficients_of_what_cannot_differ_are_not_defined(pairs):
    assert (cohen_kappa(pairs), krippendorff_alpha(pairs)) == (None, None)


@pytest.fixture
def folder(seeds, tmp_path):
    shutil.copytree(seeds, tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def claims(seeds):
    found = read_run(seeds)
    shas = {article_id: sha for sha, article_id in found.articles.by_text.items()}
    return [(c, shas[c.article_id]) for c in found.claims()]


def decide(folder, pair, made, *args, **changes):
    claim, sha = pair
    with DecisionLog(folder) as log:
        log.decide([made(*args, **{"claim": claim.claim_id} | changes, article_sha256=sha, batch=new_batch())])


def test_reviewers_of_a_run_are_compared_on_what_both_judged(folder, claims):
    words = ["accept"] * 7 + ["reject"] * 3
    for i, word in enumerate(words):
        decide(folder, claims[i], verdict, word)
        decide(folder, claims[i], verdict, "reject" if i == 0 else word, reviewer="Bo")
    decide(folder, claims[20], verdict, "accept")  # Ann alone
    decide(folder, claims[0], lead, "accept")  # settles it, and is no part of the agreement
    own = claims[1][0].stance
    decide(folder, claims[1], edit, "stance", "deny" if own != "deny" else "ask", reviewer="Bo")
    found = measure_agreement(folder)
    by = {p.field: p for p in found.pairs}
    table = [("a", "a")] * 6 + [("a", "r")] + [("r", "r")] * 3
    assert (by["decision"].claims, by["decision"].same) == (10, 0.9)
    assert by["decision"].kappa == pytest.approx(cohen_kappa(table))
    assert found.alpha["decision"] == pytest.approx(krippendorff_alpha(table))
    assert (by["stance"].claims, by["stance"].same) == (6, pytest.approx(5 / 6))  # accepted by both
    assert by["framing"].same == 1.0
    assert (found.judged["decision"], found.judged["stance"]) == (10, 6)


def test_spans_are_compared_where_both_worked(folder, claims):
    here = [c for c in claims if c[1] == claims[0][1]][:4]
    for pair in here:
        for reviewer in ("Ann", "Bo"):
            decide(folder, pair, verdict, "accept", reviewer=reviewer)
    assert measure_agreement(folder).spans == {"Ann, Bo": dict.fromkeys(("cue_f1", "source_exact_f1", "content_exact_f1", "relation_f1"), 100.0)}
    (start, end), *_ = here[0][0].content.spans
    decide(folder, here[0], edit, "content_spans", spans_text([(start, end - 12)]), reviewer="Bo")
    decide(folder, here[1], verdict, "reject", reviewer="Bo")
    decide(folder, here[0], lambda *a, **k: replace(added(claim=k["claim"], reviewer="Bo", fields={"cue_spans": "0 3", "content_spans": "4 9"}), article_sha256=k["article_sha256"], batch=k["batch"]), claim="c_new")
    figures = measure_agreement(folder).spans["Ann, Bo"]
    assert figures["cue_f1"] == round(200 * 3 / 8, 1)  # three cues in common; Ann holds four, Bo three and an added one
    assert figures["content_exact_f1"] == round(200 * 2 / 8, 1)


def test_decisions_of_claims_that_are_gone_are_counted_and_left_out(folder, claims):
    decide(folder, claims[0], verdict, "accept", claim="c_gone")
    found = measure_agreement(folder)
    assert (found.orphaned, found.pairs, found.alpha["decision"]) == (1, [], None)


def test_command_prints_a_table_or_json(folder, claims):
    for reviewer, words in (("Ann", "aarr"), ("Bo", "aara")):
        for pair, word in zip(claims, words):
            decide(folder, pair, verdict, {"a": "accept", "r": "reject"}[word], reviewer=reviewer)
    done = run("agreement", folder)
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("decision"))
    assert line.split()[1:3] == ["4", "0.533"]
    assert line.endswith("Ann & Bo: 4, 0.750, 0.500")
    facts = json.loads(run("agreement", folder, "--json").stdout)
    assert facts["alpha"]["decision"] == pytest.approx(0.5333, abs=1e-4)


def test_no_reviewers_name_controls_the_terminal(folder, claims):
    for reviewer in ("Ann", "\x1b]0;owned\x07\u202eoB"):  # as from a log that was merged
        decide(folder, claims[0], verdict, "accept", reviewer=reviewer)
    done = run("agreement", folder)
    assert "owned" in done.stdout
    assert all(c.isprintable() for line in done.stdout.splitlines() for c in line)


def test_speakers_are_compared_too(folder, claims):
    for reviewer in ("Ann", "Bo"):
        for pair in claims[:2]:
            decide(folder, pair, verdict, "accept", reviewer=reviewer)
    decide(folder, claims[0], edit, "speaker", "Ada", reviewer="Bo")
    (found,) = [p for p in measure_agreement(folder).pairs if p.field == "speaker"]
    assert (found.claims, found.same) == (2, 0.5)


def test_one_reviewer_is_nothing_to_compare(folder, claims):
    decide(folder, claims[0], verdict, "accept")
    done = run("agreement", folder)
    assert (done.returncode, done.stdout) == (0, "nothing to compare: no claim has been decided by two reviewers yet\n")


def test_run_that_nobody_reviewed_is_refused(folder):
    done = run("agreement", folder)
    assert (done.returncode, "nobody has decided anything in it" in done.stderr) == (1, True)
