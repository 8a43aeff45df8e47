"""The review's server as its page talks to it: every decision is in the log when it is answered, and what is answered is safe to show."""

import json
import re
import shutil

import pytest
from asking import Browser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made import make_run, words

from accordingto.review.decision import Decision
from accordingto.schema import Article

FIRST = "Officials said it rained. Residents denied it rained."
SECOND = "Ann Lee warned that floods 😀 would come, and the council agreed."
PAYLOADS = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'><svg/onload=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "</title></style><script>alert(1)</script>",
    "javascript:alert(1)",
    "{{ 7*7 }}{% raw %}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<a href=javascript:alert(1)>x</a>",
    "\u202e<b>\u2066",
    "--><iframe src=//evil.example>",
    "` onmouseover=alert(1) `",
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    first = [words(FIRST, "Officials", "said", "it rained", confidence=0.9), words(FIRST, "Residents", "denied", "it rained", stance="deny", confidence=0.2)]
    second = [words(SECOND, "Ann Lee", "warned", "that floods 😀 would come", stance="warn", confidence=0.6)]
    return make_run(tmp_path_factory.mktemp("server") / "run", [(Article("a", FIRST, title="Rain"), first), (Article("b", "Nothing is said here."), []), (Article("c", SECOND, publisher="Plain"), second)])


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "run")


@pytest.fixture
def browser(folder):
    browser = Browser(folder)
    yield browser
    browser.close()


def again(browser: Browser, folder, **who) -> Browser:
    """Return a browser at a server that was started afterwards."""
    browser.close()
    return Browser(folder, **who)


def test_decision_is_in_the_log_when_it_is_answered_and_the_next_claim_comes(browser, folder):
    one, two, _ = browser.claims
    answer = browser.decide(one, "accept").json()
    assert answer["said"] == "Saved: accepted."
    assert f"claim={two}" in answer["address"]
    ((_, row),) = browser.log.read()
    assert (row.claim_id, row.kind, row.field, row.old, row.new, row.reviewer) == (one, "verdict", "decision", "", "accept", "Ann")
    later = again(browser, folder)
    assert later.desk.standing.state(one).decision == "accept"
    assert "<b>1</b> of 3 done" in later.get("/").text
    later.close()


def test_last_claim_says_so_and_stays(browser):
    answer = browser.decide(browser.claims[2], "reject").json()
    assert answer["said"] == "Saved: rejected. That was the last claim shown."
    assert f"claim={browser.claims[2]}" in answer["address"]


def test_filter_of_the_address_decides_what_comes_next(browser):
    one, two, three = browser.claims
    answer = browser.decide(two, "accept", f"?order=unsure&decision=left&claim={two}").json()
    assert f"claim={three}" in answer["address"]
    assert "decision=left" in answer["address"]
    lines = re.findall(r'data-claim="(c_\w+)" class="line', answer["parts"]["queue"])
    assert lines == [three, one]


def test_edit_writes_old_and_new_and_only_what_changed(browser):
    one = browser.claims[0]
    assert browser.edit(one, stance="deny", speaker="Officials", negated="True").json()["said"] == "Saved: stance, negated."
    rows = [row for _, row in browser.log.read()]
    assert [(r.field, r.old, r.new) for r in rows] == [("stance", "assert", "deny"), ("negated", "False", "True")]
    assert len({r.batch for r in rows}) == 1
    assert browser.edit(one, stance="deny").json()["said"] == "Nothing changed."
    assert browser.desk.claim(one).stance == "deny"


def test_neutral_attitude_is_towards_nobody(browser):
    one = browser.claims[0]
    browser.edit(one, attitude="against", attitude_target="the council")
    browser.edit(one, attitude="neutral")
    assert (browser.desk.claim(one).attitude, browser.desk.claim(one).attitude_target) == ("neutral", None)


def test_edited_speaker_and_stance_are_what_the_queue_filters_by(browser):
    one = browser.claims[0]
    browser.edit(one, speaker="Weather Office", stance="warn")
    assert one in browser.get("/view", speaker="Weather Office").json()["parts"]["queue"]
    assert one in browser.get("/view", q="weather office", stance="warn").json()["parts"]["queue"]
    assert f'data-claim="{one}" class="line' not in browser.get("/view", stance="assert").json()["parts"]["queue"]


def test_run_that_was_written_anew_is_told_and_no_other_article_is_shown(folder):
    browser = Browser(folder)
    lines = (folder / "articles.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "articles.jsonl").write_bytes(b"".join(reversed(lines)))  # as `retry` may put an article before the others
    for answer in (browser.get("/", article="a"), browser.get("/view", article="c"), browser.decide(browser.claims[0], "accept"), browser.post("/add", "?article=c", source_spans="", cue_spans="0 3", content_spans="4 7")):
        assert answer.status_code == 503
        assert answer.text == f"the run {str(folder)!r} cannot be used: it was written anew meanwhile; open it again."
    browser.close()


def test_white_space_makes_no_other_speaker(browser):
    one = browser.claims[0]
    browser.edit(one, speaker="  Ann \n Lee ", note=" as \n written ")
    assert (browser.desk.claim(one).speaker, browser.desk.standing.state(one).edits["note"]) == ("Ann Lee", " as \n written ")
    assert browser.edit(one, speaker="Ann  Lee").json()["said"] == "Nothing changed."
    browser.edit(one, speaker="   ")
    assert browser.desk.claim(one).speaker is None


def test_undo_and_redo_go_all_the_way_back_and_forth(browser):
    one, two, three = browser.claims
    browser.decide(one, "accept")
    browser.decide(two, "reject")
    browser.edit(three, note="look again")
    states = [dict(browser.desk.standing.states)]
    for said in ("Taken back.",) * 3 + ("There is nothing to take back.",):
        answer = browser.post("/undo").json()
        assert answer["said"] == said
        states.append({c: s for c, s in browser.desk.standing.states.items() if s.decision or s.edits})
    assert states[3] == states[4] == {}
    for said in ("Done again.",) * 3 + ("There is nothing to do again.",):
        assert browser.post("/redo").json()["said"] == said
    assert browser.desk.standing.states == states[0]


def test_undo_and_redo_that_are_sent_again_are_done_once(browser):
    one, two, _ = browser.claims
    browser.decide(one, "accept")
    browser.decide(two, "reject")
    for _ in range(2):  # the answer to the first was lost
        assert browser.post("/undo", request="r 1").status_code == 200
        assert [browser.desk.standing.state(claim).decision for claim in (one, two)] == ["accept", ""]
    browser.post("/undo", request="r 2")
    for _ in range(2):
        assert browser.post("/redo", request="r 3").status_code == 200
        assert [browser.desk.standing.state(claim).decision for claim in (one, two)] == ["accept", ""]


def test_undo_leads_to_the_claim_that_it_changed(browser):
    one, _, three = browser.claims
    browser.decide(one, "accept")
    assert f"claim={one}" in browser.post("/undo", f"?claim={three}").json()["address"]


def test_accept_all_takes_those_that_were_listed_and_nobody_has_decided_as_one(browser):
    one, two, three = browser.claims
    browser.decide(one, "reject")
    assert browser.post("/accept_all", claims=[one, two, "c_gone", two]).json()["said"].startswith("Saved: 1 accepted.")
    assert [browser.desk.standing.state(c).decision for c in (one, two, three)] == ["reject", "accept", ""]
    browser.post("/undo")
    assert [browser.desk.standing.state(c).decision for c in (one, two, three)] == ["reject", "", ""]
    assert browser.post("/accept_all", claims=[f"c_{n}" for n in range(51)]).status_code == 400


def test_request_that_is_sent_again_is_done_once(browser):
    one, two, _ = browser.claims
    body = {"claim": one, "verdict": "accept", "seen": 0, "request": "r1"}
    assert browser.post("/decide", f"?claim={one}", **body).status_code == 200
    repeated = browser.post("/decide", f"?claim={one}", **body)
    assert (repeated.status_code, repeated.json()["said"]) == (200, "Saved.")
    assert len(list(browser.log.read())) == 1
    assert browser.desk.standing.state(two).decision == ""


def test_claim_that_changed_since_it_was_shown_is_not_overwritten(browser, folder):
    one = browser.claims[0]
    other = Browser(folder, reviewer="Bo")
    other.decide(one, "reject")
    answer = browser.decide(one, "accept", seen=0)
    assert answer.status_code == 409
    assert answer.json()["said"].startswith("Not saved")
    assert "Bo" in answer.json()["parts"]["record"]
    assert browser.desk.standing.state(one).by == {"Bo": "reject"}
    assert browser.decide(one, "accept").status_code == 200
    other.close()


def test_disagreement_is_shown_found_and_settled_by_a_lead(browser, folder):
    one = browser.claims[0]
    other = Browser(folder, reviewer="Bo")
    other.decide(one, "reject")
    browser.decide(one, "accept", seen=1)
    view = browser.get("/view", decision="conflict").json()["parts"]
    assert re.findall(r'data-claim="(c_\w+)" class="line', view["queue"]) == [one]
    assert "Reviewers disagree" in view["record"]
    assert "1</b> disagreed" in view["progress"]
    assert re.findall(r'<bdi>(Ann|Bo)</bdi> <b class="badge (\w+)', view["record"]) == [("Bo", "reject"), ("Ann", "accept")]
    assert re.findall(r'class="badge (\w+)', view["record"].partition("</h2>")[0]) == ["conflict"]
    assert re.findall(r'data-value="(\w+)"|aria-pressed="(true)"', view["record"]) == [("", "true")]  # one's own verdict
    assert 'class="line conflict"' in view["queue"]
    lead = Browser(folder, reviewer="Lea", lead=True)
    lead.decide(one, "reject")
    assert lead.desk.standing.state(one).decision == "reject"
    assert not lead.desk.standing.state(one).conflict
    record = browser.get("/view", claim=one).json()["parts"]["record"]
    assert "A lead has settled it" in record
    assert re.search(r'<bdi>Lea</bdi>, lead <b class="badge reject">', record)
    assert 'class="badge conflict"' not in record
    for each in (other, lead):
        each.close()


def test_lead_settles_what_reviewers_wrote_differently(browser, folder):
    one = browser.claims[0]
    other = Browser(folder, reviewer="Bo")
    browser.edit(one, stance="deny")
    other.edit(one, seen=1, stance="ask")
    assert browser.get("/view", decision="conflict").json()["parts"]["queue"].count('class="line') == 1
    lead = Browser(folder, reviewer="Lea", lead=True)
    lead.edit(one, stance="warn")
    assert lead.desk.claim(one).stance == "warn"
    assert not lead.desk.standing.state(one).conflict
    for each in (other, lead):
        each.close()


def test_precision_is_of_a_random_sample_only_where_it_is(browser):
    at_random = [browser.desk.queue.ids[n] for n in browser.desk.queue.orders["random"]]
    browser.decide(at_random[1], "accept")
    assert "not a random sample" in browser.get("/").text
    browser.decide(at_random[0], "reject")
    page = browser.get("/").text
    assert "not a random sample" not in page
    assert "<b>50 %</b>" in page


def test_others_decisions_leave_a_claim_to_me(browser, folder):
    other = Browser(folder, reviewer="Bo")
    other.decide(browser.claims[0], "accept")
    other.close()
    lines = re.findall(r'data-claim="(c_\w+)" class="line', browser.get("/view", decision="mine").json()["parts"]["queue"])
    assert lines == browser.claims


def test_undone_addition_to_an_article_without_claims_leaves_no_word_of_a_filter(browser):
    added = browser.post("/add", "?article=b", source_spans="", cue_spans="11 15", content_spans="0 7").json()
    parts = browser.post("/undo", added["address"]).json()["parts"]
    assert "No claim was found in this article" in parts["record"]
    assert "show all" not in parts["queue"]
    assert "The filter shows no claim of this article" in browser.get("/view", article="b", q="rained").json()["parts"]["record"]


def test_what_the_lead_has_decided_is_not_left_to_the_lead(browser, folder):
    one, two, three = browser.claims
    lead = Browser(folder, reviewer="Lea", lead=True)
    lead.decide(one, "reject")
    lead.edit(two, note="a remark alone decides nothing")
    queue = lead.get("/view", decision="mine").json()["parts"]["queue"]
    lead.close()
    assert re.findall(r'data-claim="(c_\w+)" class="line', queue) == [two, three]
    assert re.search(r'not decided by me</bdi></span> <span class="count">2<', queue)


def test_missed_claim_is_added_by_code_points_and_can_be_edited_and_taken_back(browser, folder):
    start = SECOND.index("the council")
    answer = browser.post("/add", "?article=c", source_spans=f"{start} {start + 11}", cue_spans=f"{start + 12} {start + 18}", content_spans=f"{SECOND.index('floods')} {SECOND.index(',')}").json()
    new = re.search(r"claim=(c_\w+)", answer["address"])[1]
    claim = browser.desk.claim(new)
    assert (claim.source.text, claim.cue.text, claim.content.text) == ("the council", "agreed", "floods 😀 would come")
    assert browser.desk.standing.state(new).decision == "accept"
    assert browser.desk.progress().added == 1
    assert browser.desk.progress().total == 3
    browser.edit(new, stance="support", speaker="council")
    later = again(browser, folder)
    assert (later.desk.claim(new).stance, later.desk.claim(new).speaker) == ("support", "council")
    assert "added by a reviewer" in later.get("/view", claim=new).json()["parts"]["record"]
    later.post("/undo")
    later.post("/undo")
    assert later.get("/view", claim=new).json()["address"] != f"/?claim={new}"
    assert later.desk.progress().added == 0
    later.post("/redo")
    assert later.desk.claim(new).cue.text == "agreed"
    later.close()


@pytest.mark.parametrize(("spans", "why"), [({"cue_spans": "3 2"}, "no spans"), ({"cue_spans": "0 9999"}, "no spans"), ({"cue_spans": "-1 4"}, "no spans"), ({"cue_spans": ""}, "no cue"), ({"cue_spans": "0 5;3 8"}, "no spans")])
def test_spans_that_are_none_are_refused(browser, spans, why):
    answer = browser.post("/add", "?article=a", **({"source_spans": "0 9", "cue_spans": "10 14", "content_spans": "15 20"} | spans))
    assert answer.status_code == 422
    assert why in answer.json()["said"]
    assert list(browser.log.read()) == []


def test_claim_that_is_there_is_not_added_twice(browser):
    answer = browser.post("/add", "?article=a", source_spans="0 9", cue_spans="10 14", content_spans="15 24")
    assert answer.status_code == 422
    assert "is there already" in answer.json()["said"]


def test_changed_words_change_what_hangs_on_them(browser):
    one = browser.claims[0]
    browser.edit(one, content_spans="18 24", source_spans="")
    claim = browser.desk.claim(one)
    assert (claim.content.text, claim.claim, claim.source.text) == ("rained", "rained", "")
    record = browser.get("/view", claim=one).json()["parts"]["record"]
    assert "none stated" in record
    assert browser.edit(one, cue_spans="").status_code == 422


def test_page_that_has_the_article_is_not_sent_it_again(browser):
    one, two, _ = browser.claims
    have = re.search(r'data-version="([^"]+)"', browser.get("/").text)[1]
    assert "article" not in browser.post("/decide", f"?claim={one}", claim=one, verdict="accept", seen=0, have=have).json()["parts"]
    assert "article" in browser.post("/edit", f"?claim={two}", claim=two, changes={"cue_spans": "36 41"}, seen=0, have=have).json()["parts"]


def test_articles_without_claims_are_passed_by_only_where_nothing_is_filtered(browser):
    one = browser.claims[0]
    step = browser.get("/go", claim=one, step="next_article").json()
    assert "article=b" in step["address"]
    assert "Nothing is said here." in step["parts"]["article"]
    assert browser.claims[2] in browser.get("/go", article="b", step="next_article").json()["address"]
    assert browser.claims[2] in browser.get("/go", claim=one, step="next_article", order="unsure", decision="left").json()["address"]
    assert browser.get("/go", article="a", step="previous_article").json()["said"] == "That was the first article."


def test_run_without_claims_can_be_reviewed_for_what_was_missed(tmp_path):
    browser = Browser(make_run(tmp_path / "run", [(Article("a", FIRST), [])]))
    assert "The run has no claims" in browser.get("/").text
    answer = browser.post("/add", "?article=a", source_spans="0 9", cue_spans="10 14", content_spans="15 24")
    assert answer.status_code == 200
    assert "Officials" in answer.json()["parts"]["record"]
    browser.close()


def test_run_without_articles_is_no_error(tmp_path):
    browser = Browser(make_run(tmp_path / "run", []))
    assert "no articles" in browser.get("/").text
    assert browser.post("/add", source_spans="", cue_spans="0 1", content_spans="1 2").status_code == 400
    for step in ("next_claim", "previous_claim", "next_article", "previous_article"):
        assert browser.get("/go", step=step).status_code == 200
    browser.close()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A run with a payload in every field of an article and a claim."""
    articles = []
    for number, payload in enumerate(PAYLOADS):
        text = f"{payload} said {payload} rained.\n{payload}"
        claim = words(text, payload, "said", f"{payload} rained")
        facts = dict.fromkeys(("speaker", "speaker_role", "attitude_target", "why", "claim", "context", "model"), payload) | {"attitude": "against"}
        labels = {"stance": payload, "source_kind": payload, "certainty": payload} if number % 2 else {}
        claim = type(claim)(**({f: getattr(claim, f) for f in claim.__dataclass_fields__} | facts | labels))
        articles.append((Article(f"{number} {payload}", text, payload, payload, payload, payload, f"in/{number} {payload}.txt", authors=(payload,)), [claim]))
    return make_run(tmp_path_factory.mktemp("hostile") / "<b>run&", articles)


TAGS = """a b bdi blockquote body button code datalist dd details dialog div dl dt footer form h1 h2 h3 head header html i input kbd label li link main mark meta
meter nav noscript ol option p rect script section select span summary svg textarea title ul"""
ALLOWED_TAGS = set(TAGS.split())


def check_safe(page: str) -> None:
    """Fail where HTML holds an element, an attribute or an address that our templates do not write."""
    from html.parser import HTMLParser

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attributes):
            assert tag in ALLOWED_TAGS, tag
            for name, value in attributes:
                assert not name.startswith("on"), (tag, name)
                assert name not in ("style", "srcdoc", "formaction"), name
                if name in ("href", "src", "action"):
                    assert value.startswith(("/", "#", "https://", "http://")), value
                    assert not value.startswith("//"), value
            if tag == "script":
                assert dict(attributes)["src"] == "/review.js"
            if tag == "a" and dict(attributes).get("target"):
                assert dict(attributes)["rel"] == "noopener noreferrer"

    Reader().feed(page)


def test_payloads_in_every_field_stay_text(hostile, tmp_path):
    folder = shutil.copytree(hostile, tmp_path / "<i>run&")
    browser = Browser(folder, reviewer=PAYLOADS[0])
    for number, claim in enumerate(browser.claims):
        payload = PAYLOADS[number % len(PAYLOADS)]
        browser.edit(claim, note=payload, claim=payload, speaker=payload + "x")
        browser.decide(claim, "accept")
    for claim in browser.claims:
        page = browser.get("/", claim=claim).text
        check_safe(page)
        for part in browser.get("/view", claim=claim).json()["parts"].values():
            check_safe(part)
    assert "<i>run" not in browser.get("/").text
    browser.close()


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payloads_in_the_address_stay_text(browser, payload):
    for name in ("q", "speaker", "stance", "publisher", "decision", "kind", "claim", "article", "order", "min", "max", "have", "nonsense"):
        check_safe(browser.get("/", **{name: payload}).text)
        check_safe("".join(browser.get("/view", **{name: payload}).json()["parts"].values()))


def test_only_web_addresses_become_links(tmp_path):
    urls = ["javascript:alert(1)", " JaVaScRiPt:alert(1)", "data:text/html,x", "//evil.example", "http:evil", "file:///etc/passwd", "https://plain.example/a?b=1&c=2"]
    browser = Browser(make_run(tmp_path / "run", [(Article(f"a{i}", f"{FIRST} {i}", url=url), []) for i, url in enumerate(urls)]))
    pages = [browser.get("/view", article=f"a{i}").json()["parts"]["article"] for i in range(len(urls))]
    assert ['target="_blank"' in page for page in pages] == [False] * 6 + [True]
    assert '<a href="https://plain.example/a?b=1&amp;c=2" target="_blank" rel="noopener noreferrer">' in pages[-1]
    browser.close()


def test_spoofed_names_show_their_hidden_characters(tmp_path):
    text = "Ann\u202eeeL said it rained."
    browser = Browser(make_run(tmp_path / "run", [(Article("a", text), [words(text, "Ann\u202eeeL", "said", "it rained")])]))
    parts = browser.get("/view").json()["parts"]
    mark = '<span class="hidden" data-name="RLO">'
    assert all(mark in parts[name] for name in ("queue", "record", "article"))
    assert "holds hidden characters: RLO" in parts["record"]
    browser.close()


def test_desk_follows_the_log_that_others_write_to(browser, folder):
    """What the page holds in memory is what a server started afterwards reads from the log."""
    one = browser.claims[0]
    browser.log.append([Decision("d_x", one, browser.desk.digests[0], "Cy", "verdict", "decision", "", "reject", "2026-11-18T10:00:00.000000+00:00", "b_x")])
    assert "rejected" in browser.get("/view", claim=one).json()["parts"]["record"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["accept", "reject", "unsure", "stance", "note", "undo", "redo", "all", "words"]), st.integers(0, 2)), max_size=12))
def test_whatever_is_done_the_page_agrees_with_the_log(made, tmp_path_factory, steps):
    folder = shutil.copytree(made, tmp_path_factory.mktemp("any") / "run")
    browser = Browser(folder)
    for what, number in steps:
        claim = browser.claims[number]
        if what in ("undo", "redo"):
            browser.post(f"/{what}")
        elif what == "all":
            browser.post("/accept_all", claims=browser.claims)
        elif what in ("stance", "note"):
            browser.edit(claim, **{what: "deny" if browser.desk.claim(claim).stance != "deny" else "ask"})
        elif what == "words":
            browser.edit(claim, source_spans="" if browser.desk.claim(claim).source.spans else "0 3")
        else:
            browser.decide(claim, what)
    seen = {c: browser.desk.standing.state(c) for c in browser.claims}, [browser.desk.claim(c) for c in browser.claims], browser.get("/").text
    later = again(browser, folder)
    assert {c: later.desk.standing.state(c) for c in later.claims} == seen[0]
    assert [later.desk.claim(c) for c in later.claims] == seen[1]
    assert re.sub(r'data-version="[^"]*"', "", later.get("/").text) == re.sub(r'data-version="[^"]*"', "", seen[2])
    later.close()


def test_answers_are_json_that_any_text_fits_into(browser):
    one = browser.claims[0]
    browser.edit(one, note="\0\x1b😀\u2028</script>")
    answer = browser.get("/view", claim=one)
    json.loads(answer.content)
    check_safe(answer.json()["parts"]["record"])
