"""The review's page in a real browser, by its keys, with a real server in another process."""

import re
import shutil
import signal

import pytest
from made import make_run, words
from pages import Reviewer, chromium, served
from runs import run as command

from accordingto.review.decision import fold
from accordingto.review.log import DecisionLog
from accordingto.schema import Article

EMOJI = "A heading 👨‍👩‍👧\n\n😀 Officials 🎉 said it rained. “We 🙂 stay,” Ann Lee added."
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def run(seeds, tmp_path):
    return shutil.copytree(seeds, tmp_path / "run", ignore=shutil.ignore_patterns("decisions.sqlite*"))


def logged(folder):
    with DecisionLog(folder) as log:
        return [row for _, row in log.read()]


def test_seeds_are_reviewed_with_the_keyboard_alone(browser, run):
    """Every claim gets a decision; each third is rejected, each seventh left unsure; the log holds exactly that."""
    with served(run, "--reviewer", "Ann Lee") as (_, address):
        ann = Reviewer(browser, address)
        assert "token" not in ann.page.url
        assert "token" not in ann.page.content()
        total = int(re.search(r"of (\d+) done", ann.text("#progress"))[1])
        assert total > 40
        expected = {}
        for number in range(total):
            key, verdict = ("Space", "unsure") if number % 7 == 6 else ("x", "reject") if number % 3 == 2 else ("a", "accept")
            expected[ann.claim] = verdict
            ann.press(key)
        assert ann.said.startswith("Saved: ")
        assert ann.said.endswith("That was the last claim shown.")
        assert re.search(rf"{total} of {total} done\s+0 left", ann.text("#progress"))
        assert "precision so far" in ann.text("#progress")
        assert {c: s.decision for c, s in fold(logged(run)).items()} == expected
        assert {s.reviewer for s in logged(run)} == {"Ann Lee"}
        ann.close()


def test_edit_note_speaker_and_stance_by_keys(browser, run):
    with served(run) as (_, address):
        ann = Reviewer(browser, address)
        claim = ann.claim
        ann.press("4")
        assert ann.page.input_value("#field-stance") == "accuse"
        ann.press("s", answered=False)
        assert ann.focused == "field-speaker"
        ann.page.keyboard.type("axu Lee")  # letters that are keys elsewhere
        ann.press("Enter")
        ann.press("n", answered=False)
        ann.page.keyboard.type("see / page? 12")
        ann.press("Control+Enter")
        ann.press("e", answered=False)
        assert ann.focused == "field-claim"
        ann.page.keyboard.press("Control+A")
        ann.page.keyboard.type("kept")
        ann.press("Escape")  # leaves it, and saves it
        assert ann.said == "Saved: claim."
        assert ann.focused == "record-title"
        assert ann.claim == claim
        assert [(d.field, d.new) for d in logged(run)] == [("stance", "accuse"), ("speaker", "axu Lee"), ("note", "see / page? 12"), ("claim", "kept")]
        ann.press("u")
        assert ann.page.input_value("#field-claim") != "kept"
        ann.page.reload()
        ann.page.wait_for_selector("html.ready")
        assert ann.claim == claim
        assert ann.page.input_value("#field-speaker") == "axu Lee"
        assert ann.page.input_value("#field-note") == "see / page? 12"
        assert "was" in ann.text(".field.stance")
        ann.close()


def test_note_says_how_it_is_saved_and_has_a_button_that_saves(browser, run):
    with served(run) as (_, address):
        ann = Reviewer(browser, address)
        assert "ctrl enter saves" in ann.text(".field.note")
        ann.press("?", answered=False)
        assert "begins a new line and ctrl enter saves" in ann.text("#help")
        ann.press("Escape", "n", answered=False)
        ann.page.keyboard.type("one")
        ann.press("Enter", answered=False)
        ann.page.keyboard.type("two")
        hold(ann, ".field.note button")
        ann.page.wait_for_function("() => window.shown > 0 && document.querySelector('#status span').textContent.includes('saved')")
        assert [(d.field, d.new) for d in logged(run)] == [("note", "one\ntwo")]
        ann.close()


def hold(ann, selector, milliseconds=150):
    """Press the mouse on something as a hand does, which takes a while to let go."""
    box = ann.page.locator(selector).first.bounding_box()
    ann.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    ann.page.mouse.down()
    ann.page.wait_for_timeout(milliseconds)
    ann.page.mouse.up()


@pytest.mark.parametrize(("field", "button", "verdict"), [("speaker", "accept", "accept"), ("claim", "reject", "reject")])
def test_click_that_leaves_a_field_saves_both_the_field_and_the_decision(browser, run, field, button, verdict):
    with served(run) as (_, address):
        ann = Reviewer(browser, address)
        claim = ann.claim
        ann.page.click(f"#field-{field}")
        ann.page.keyboard.type("Ann ")
        hold(ann, f"button[data-action={button}]")
        ann.page.wait_for_function("() => window.shown > 1")
        state = fold(logged(run))[claim]
        assert state.decision == verdict
        assert "Ann" in state.edits[field]
        assert ann.claim != claim
        ann.close()


def test_words_written_while_the_last_field_is_saved_are_kept(browser, run):
    with served(run) as (_, address):
        ann = Reviewer(browser, address)
        ann.page.route("**/edit", lambda route: (ann.page.keyboard.type("mayor"), route.continue_()))
        ann.press("s", answered=False)
        ann.page.keyboard.type("Ann Lee")
        ann.page.keyboard.press("Tab")
        ann.page.wait_for_function("() => window.shown > 0")
        assert ann.focused == "field-speaker_role"
        ann.page.unroute("**/edit")
        ann.page.keyboard.type(" of Ames")
        ann.press("Enter")
        assert {d.field: d.new for d in logged(run)} == {"speaker": "Ann Lee", "speaker_role": "mayor of Ames"}
        ann.close()


def test_list_that_is_walked_through_is_saved_once(browser, run):
    with served(run) as (_, address):
        ann = Reviewer(browser, address)
        ann.page.focus("#field-certainty")
        before = ann.page.input_value("#field-certainty")
        for key in ("ArrowDown", "ArrowDown", "ArrowDown"):
            ann.page.keyboard.press(key)
        chosen = ann.page.input_value("#field-certainty")
        ann.page.wait_for_function("() => window.shown > 0")
        assert chosen != before
        assert [(d.field, d.old, d.new) for d in logged(run)] == [("certainty", before, chosen)]
        assert ann.focused == "field-certainty"
        ann.close()


def test_undo_and_redo_by_keys_lead_back_to_the_claims(browser, run):
    with served(run) as (_, address):
        ann = Reviewer(browser, address)
        claims = []
        for key in ("a", "x", "Space"):
            claims.append(ann.claim)
            ann.press(key)
        for claim in reversed(claims):
            ann.press("u")
            assert ann.claim == claim
            assert "not decided" in ann.text("#record-title")
        ann.press("u")
        assert ann.said == "There is nothing to take back."
        ann.press("Control+Shift+Z", "r")
        assert ann.claim == claims[1]
        assert "rejected" in ann.text("#record-title")
        ann.press("Control+z")
        assert {c: s.decision for c, s in fold(logged(run)).items()} == {claims[0]: "accept"}
        ann.close()


def test_fast_typing_decides_one_claim_after_the_other(browser, run):
    with served(run) as (_, address):
        ann = Reviewer(browser, address)
        for key in "aaxxa":
            ann.page.keyboard.press(key)  # without waiting
        ann.page.wait_for_function("() => window.shown >= 5")
        states = fold(logged(run))
        assert len(states) == 5
        assert [s.decision for s in states.values()].count("reject") == 2
        ann.close()


def test_filter_for_what_is_not_stated_outlives_a_change_of_order(browser, run):
    with served(run) as (_, address):
        ann = Reviewer(browser, address)
        total = ann.text(".listed h2")
        ann.go(f"{ann.address}?speaker=")
        found = ann.text(".listed h2")
        assert found != total
        before = ann.page.evaluate("window.shown")
        ann.page.select_option("#order", "unsure")
        ann.page.wait_for_function("before => window.shown > before", arg=before)
        assert ann.text(".listed h2") == found
        assert "speaker=&" in ann.page.url
        assert "q=" not in ann.page.url
        assert "min=" not in ann.page.url
        ann.close()


def test_filter_and_search_live_in_the_address_and_survive_a_reload(browser, run):
    with served(run) as (_, address):
        ann = Reviewer(browser, address)
        ann.press("/", answered=False)
        assert ann.focused == "q"
        ann.page.keyboard.type("taliban")
        ann.press("Enter")
        count = int(re.match(r"(\d+)", ann.text(".listed h2"))[1])
        assert 0 < count < 42
        ann.page.click("details[data-facet=stance] summary")
        before = ann.page.evaluate("window.shown")
        ann.page.click("details[data-facet=stance] a >> nth=0")
        ann.page.wait_for_function("before => window.shown > before", arg=before)
        fewer = int(re.match(r"(\d+)", ann.text(".listed h2"))[1])
        assert 0 < fewer < count
        assert "q=taliban" in ann.page.url
        assert "stance=" in ann.page.url
        before = ann.page.evaluate("window.shown")
        ann.page.select_option("#order", "unsure")
        ann.page.wait_for_function("before => window.shown > before", arg=before)
        shown = [float(t.split()[0]) for t in ann.page.locator("#lines .confidence").all_inner_texts()]
        assert shown == sorted(shown)
        url, lines = ann.page.url, ann.text("#lines")
        before = ann.page.evaluate("window.shown")
        ann.page.go_back()
        ann.page.wait_for_function("before => window.shown > before", arg=before)
        assert ann.page.input_value("#order") == "article"
        ann.page.go_forward()
        ann.page.wait_for_function("before => window.shown > before + 1", arg=before)
        assert ann.text("#lines") == lines
        ann.go(url)
        assert ann.text("#lines") == lines
        assert ann.page.input_value("#q") == "taliban"
        assert ann.claim
        ann.close()


def test_steps_between_claims_and_articles(browser, run):
    with served(run) as (_, address):
        ann = Reviewer(browser, address)
        first = ann.claim
        assert ann.marked("cue")
        ann.press("j")
        second, cue = ann.claim, ann.marked("cue")
        assert second != first
        assert cue in ann.text(".parts")
        ann.press("k")
        assert ann.claim == first
        ann.press("k")
        assert ann.said == "That was the first claim shown."
        heading = ann.text("#article .eyebrow")
        ann.press("]")
        assert ann.text("#article .eyebrow") != heading
        ann.press("[")
        assert ann.text("#article .eyebrow") == heading
        assert logged(run) == []
        ann.close()


def test_help_lists_the_keys_and_lets_none_through(browser, run):
    with served(run) as (_, address):
        ann = Reviewer(browser, address)
        ann.press("?", answered=False)
        assert ann.page.is_visible("#help")
        for word in ("Accept", "Redo", "Add a missed claim", "Next sentence"):
            assert word in ann.text("#help")
        ann.press("a", answered=False)
        ann.press("Escape", answered=False)
        assert not ann.page.is_visible("#help")
        ann.press("j")
        assert logged(run) == []
        ann.close()


def test_space_on_a_button_presses_that_button(browser, run):
    with served(run) as (_, address):
        ann = Reviewer(browser, address)
        claim = ann.claim
        ann.page.focus("button[data-action=reject]")
        ann.press("Space")
        assert fold(logged(run))[claim].decision == "reject"
        assert ann.focused == "record-title"  # so that the next space is a decision again
        ann.press("Space")
        assert [s.decision for s in fold(logged(run)).values()].count("unsure") == 1
        ann.close()


@pytest.fixture
def emoji(tmp_path):
    claim = words(EMOJI, "Officials", "said", "it rained")
    return make_run(tmp_path / "emoji", [(Article("a", EMOJI), [claim])])


def test_missed_claim_is_added_with_keys_and_counts_code_points(browser, emoji):
    """The words stand behind characters that take two units in a browser, and one in the article."""
    with served(emoji, "--reviewer", "Ann") as (_, address):
        ann = Reviewer(browser, address)
        ann.press("m", answered=False)
        ann.marks("End")  # is no key here
        ann.until("ArrowRight", "Ann")
        ann.marks("Shift+ArrowRight")
        assert ann.said == "Ann Lee"
        ann.marks("s", "ArrowRight", "c")
        ann.until("ArrowLeft", "We")
        ann.marks("Shift+ArrowRight", "Shift+ArrowRight", "o")
        ann.press("Enter")
        (row,) = logged(emoji)
        assert row.kind == "add"
        assert ann.focused == "field-speaker"
        spans = [EMOJI[int(s) : int(e)] for s, e in (part.split() for part in re.findall(r"\d+ \d+", row.new))]
        assert spans == ["Ann Lee", "added", "We 🙂 stay"]
        assert ann.page.input_value("#field-speaker") == "Ann Lee"
        assert ann.marked("content") == "We 🙂 stay"
        assert ann.page.evaluate("(e => [e.selectedOptions[0].text, getComputedStyle(e).fontStyle])(document.querySelector('#field-stance'))") == ["not chosen", "italic"]
        assert "accepted" in ann.text("#record-title")
        ann.press("Escape", answered=False)
        ann.press("u")
        assert "1 claim" in ann.text("#article .eyebrow")
        assert "Claim 1 of 1" in ann.text("#record-title")  # what stands beside it
        assert ann.text(".listed h2") == "1 claim"
        ann.close()


def test_missed_claim_is_added_with_the_mouse(browser, emoji):
    with served(emoji) as (_, address):
        ann = Reviewer(browser, address)
        select = """words => { const walker = document.createTreeWalker(document.querySelector('#text'), NodeFilter.SHOW_TEXT);
            for (let node = walker.nextNode(); node; node = walker.nextNode()) { const at = node.data.indexOf(words); if (at >= 0) { getSelection().setBaseAndExtent(node, at, node, at + words.length); return; } } }"""
        ann.page.evaluate(select, " Ann Lee ")
        ann.page.click("button[data-action=missed]")
        for part, chosen in (("source", None), ("cue", "added"), ("content", "“We 🙂 stay,”")):
            if chosen:
                ann.page.evaluate(select, chosen)
            ann.page.wait_for_timeout(50)
            ann.page.click(f"button[data-action=mark_{part}]")
        ann.page.click("button[data-action=save_spans]")
        ann.page.wait_for_function("() => window.shown > 0")
        (row,) = logged(emoji)
        assert [EMOJI[int(s) : int(e)] for s, e in (part.split() for part in re.findall(r"\d+ \d+", row.new))] == ["Ann Lee", "added", "“We 🙂 stay,”"]
        ann.close()


def test_words_of_a_claim_are_changed_with_keys(browser, emoji):
    with served(emoji) as (_, address):
        ann = Reviewer(browser, address)
        ann.press("w", answered=False)
        assert [ann.text(f"#marker [data-part={p}]") for p in ("source", "cue", "content")] == ["Officials", "said", "it rained"]
        ann.until("ArrowRight", "rained")
        ann.marks("Control+ArrowLeft", "Control+ArrowLeft", "o")
        assert ann.text("#marker [data-part=content]") == "rain"
        ann.until("ArrowUp", "A")
        ann.marks("Shift+ArrowDown")
        assert ann.said == "A heading 👨‍👩‍👧"
        ann.marks("Shift+ArrowLeft")  # a family is one step
        ann.marks("Shift+o", "0")
        ann.press("Enter")
        assert {d.field: d.new for d in logged(emoji)} == {"source_spans": "", "content_spans": f"0 9;{EMOJI.index('rained')} {EMOJI.index('rained') + 4}"}
        assert ann.marked("content") == "A headingrain"
        assert ann.marked("source") == ""
        ann.press("w", answered=False)
        ann.marks("Escape")
        ann.press("u")
        assert ann.marked("content") == "it rained"
        assert not ann.page.is_visible("#marker")
        ann.close()


def test_claim_without_a_cue_is_not_saved_and_says_why(browser, emoji):
    with served(emoji) as (_, address):
        ann = Reviewer(browser, address)
        ann.press("m", answered=False)
        assert ann.text("#marker [data-part=cue]") == "not chosen"
        ann.marks("ArrowRight", "o", "Enter")
        assert "needs a cue" in ann.said
        assert logged(emoji) == []
        ann.close()


def test_server_killed_between_two_decisions_loses_nothing(browser, run):
    with served(run, "--reviewer", "Ann") as (process, address):
        ann = Reviewer(browser, address)
        done = []
        for key in ("a", "x", "a"):
            done.append(ann.claim)
            ann.press(key)
        process.send_signal(signal.SIGKILL)
        process.wait()
        not_done = ann.claim
        ann.press("x", answered=False)
        ann.page.wait_for_selector("#alert:has-text('Not saved yet')")
        assert ann.claim == not_done
        ann.context.close()
    assert [s.decision for s in map(fold(logged(run)).get, done)] == ["accept", "reject", "accept"]
    with served(run, "--reviewer", "Ann") as (_, address):
        ann = Reviewer(browser, address)
        assert ann.claim == not_done  # the first that is not decided
        assert "3 of 42 done" in ann.text("#progress")
        ann.press("u")
        assert ann.claim == done[-1]
        ann.press("r", "a", "a")
        ann.close()
    assert len(fold(logged(run))) == 4


def test_answer_that_was_lost_is_asked_for_again_and_decided_once(browser, run):
    """The browser is cut off after the server has saved; the page sends the same request again."""
    with served(run) as (_, address):
        ann = Reviewer(browser, address)
        claim, cut = ann.claim, []

        def lose_once(route):
            if not cut:
                cut.append(route.fetch())
                route.abort()
            else:
                route.continue_()

        ann.page.route("**/decide", lose_once)
        ann.press("a")
        assert len(cut) == 1
        assert [(d.claim_id, d.new) for d in logged(run)] == [(claim, "accept")]
        assert ann.text("#alert") == ""
        ann.wrong = [w for w in ann.wrong if "ERR_FAILED" not in w]  # the browser's own word of the request that we cut off
        ann.close()


def test_two_tabs_do_not_overwrite_each_other(browser, run):
    with served(run, "--reviewer", "Ann") as (_, address):
        ann = Reviewer(browser, address)
        tab = ann.context.new_page()
        tab.goto(ann.page.url)
        tab.wait_for_selector("html.ready")
        claim = ann.claim
        ann.press("a")
        tab.keyboard.press("x")
        tab.wait_for_selector("#alert:has-text('Not saved')")
        assert tab.get_attribute(".decide", "data-claim") == claim
        assert "accepted" in tab.inner_text("#record-title")
        assert fold(logged(run))[claim].decision == "accept"
        tab.close()
        ann.close()


def test_page_can_be_used_by_a_screen_reader(browser, run):
    with served(run) as (_, address):
        ann = Reviewer(browser, address)
        page = ann.page
        for role, name in (("navigation", "Queue"), ("main", "Article"), ("region", re.compile("Claim 1 of")), ("search", None), ("status", None)):
            assert page.get_by_role(role, name=name).count() >= 1, (role, name)
        unnamed = """() => [...document.querySelectorAll('input:not([type=hidden]), select, textarea, button')].filter(e => e.checkVisibility() && !(e.labels?.length || e.ariaLabel || e.textContent.trim())).map(e => e.outerHTML)"""
        assert page.evaluate(unnamed) == []
        assert page.get_by_role("button", name="Accept", exact=True).get_attribute("aria-keyshortcuts") == "a"
        ann.press("a")
        assert ann.focused == "record-title"
        assert ann.said == "Saved: accepted."
        heard = page.text_content("#status .away")
        assert "Claim 2 of" in heard
        ann.press("m", answered=False)
        assert page.get_attribute("#text", "role") == "application"
        ann.marks("ArrowRight")
        assert ann.said
        ann.marks("Escape")
        assert page.get_attribute("#text", "role") is None
        order = []
        page.evaluate("document.activeElement.blur(); getSelection().removeAllRanges(); scrollTo(0, 0)")
        page.focus(".skip")
        for _ in range(120):
            page.keyboard.press("Tab")
            region = page.evaluate("document.activeElement.closest('header, nav, main, section#record')?.id ?? ''")
            if not order or order[-1] != region:
                order.append(region)
        assert order[:4] == ["", "queue", "article", "record"]  # the header has no id
        ann.close()


CONTRAST = """() => {
  const channel = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const colour = (text) => text.match(/[\\d.]+/g).map(Number);
  const behind = (element) => { for (let e = element; e; e = e.parentElement) { const c = colour(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] === 1) return c; } return [255, 255, 255]; };
  const low = [];
  for (const e of document.querySelectorAll('body *')) {
    if (!e.checkVisibility() || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || e.closest('.away, .skip, .hidden, .line-end, #status, dialog:not([open])')) continue;
    const [a, b] = [light(colour(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) low.push([e.className || e.tagName, e.textContent.trim().slice(0, 30), Math.round(ratio * 100) / 100]);
  }
  return low;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_of_all_text_is_at_least_that_of_wcag_aa(browser, run, scheme):
    with served(run, "--reviewer", "Ann") as (_, address):
        ann = Reviewer(browser, address, color_scheme=scheme, reduced_motion="reduce")
        ann.press("a", "x", "Space", "4", "]")  # the second seed has furniture
        assert ann.page.evaluate("document.querySelectorAll('.furniture').length") > 2
        assert ann.page.evaluate(CONTRAST) == []
        ann.press("m", answered=False)
        assert ann.page.evaluate(CONTRAST) == []
        ann.press("Escape", "?", answered=False)
        assert ann.page.evaluate(CONTRAST) == []
        ann.close()


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (390, 844)])
def test_nothing_is_wider_than_the_window_and_decisions_are_in_sight(browser, run, width, height):
    with served(run, "--reviewer", "Ann") as (_, address):
        ann = Reviewer(browser, address, viewport={"width": width, "height": height})
        for _ in range(3):
            assert ann.page.evaluate("document.documentElement.scrollWidth") <= width
            box = ann.page.locator("button[data-action=accept]").bounding_box()
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= height
            cue = ann.page.locator("#text .cue").first.bounding_box()
            assert 0 <= cue["y"] <= height
            ann.press("a")
        for part in ("source", "cue", "content"):
            assert ann.page.is_visible(f".legend mark.{part}")
        assert re.search(r"\d+ % to \d+ %", ann.text("#progress"))
        assert ann.page.is_visible("#progress .interval")
        ann.close()


def test_accept_all_says_that_it_accepts_one_page_of_the_queue(browser, tmp_path):
    texts = [f"Officials said it rained {n} times." for n in range(60)]
    run = make_run(tmp_path / "long", [(Article(f"a{n}", text), [words(text, "Officials", "said", f"it rained {n} times")]) for n, text in enumerate(texts)])
    with served(run) as (_, address):
        ann = Reviewer(browser, address)
        assert ann.text("[data-action=accept_all]") == "Accept the 50 on this page"
        assert "this page: 1 to 50 of 60" in ann.text(".listed")
        ann.go(ann.address + "?q=rained+7")
        assert ann.text("[data-action=accept_all]") == "Accept all shown (6)"
        ann.close()


def test_payloads_run_nowhere(browser, tmp_path):
    payloads = [HOSTILE, "<script>alert(1)</script>", '"><svg onload=alert(1)>', "</textarea><script>alert(1)</script>", "javascript:alert(1)"]
    articles = []
    for number, payload in enumerate(payloads):
        text = f"{payload} said {payload} rained."
        claim = words(text, payload, "said", f"{payload} rained", speaker_role=payload, attitude="against", attitude_target=payload, why=payload, model=payload)
        articles.append((Article(f"{number}{payload}", text, payload, payload, payload, payload, f"in/{number}{payload}.txt", authors=(payload,)), [claim]))
    run = make_run(tmp_path / "<img src=x onerror=alert(1)>", articles)
    with served(run, "--reviewer", HOSTILE) as (_, address):
        ann = Reviewer(browser, address)
        for payload in payloads:
            for key in ("s", "n", "e"):
                ann.press(key, answered=False)
                ann.page.keyboard.press("Control+A")
                ann.page.keyboard.insert_text(f"{payload}{key}")
                ann.press("Control+Enter")
            assert payload in ann.text(".statement")
            ann.press("a")
        ann.press("/", answered=False)
        ann.page.keyboard.insert_text(HOSTILE)
        ann.press("Enter")
        ann.go(f"{ann.address}?speaker={HOSTILE}&stance={HOSTILE}&q={HOSTILE}&claim={HOSTILE}")
        assert ann.page.evaluate("document.querySelectorAll('img, iframe, script:not([src=\"/review.js\"])').length") == 0
        ann.close()


def test_stopped_server_leaves_in_order(run):
    with served(run) as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        said = process.stderr.read()
        assert said.endswith("the review is stopped; every decision is saved\n")
        assert "good for one browser" in said
        assert "table" not in said
        assert "Traceback" not in said


def test_review_is_served_at_the_port_that_was_asked_for_and_says_where_it_is_taken(run):
    with served(run) as (process, address):
        port = re.search(r":(\d+)/", address)[1]
        second = command("review", run, "--no-browser", "--port", port)
        assert second.returncode == 1
        assert "take another --port" in second.stderr
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    with served(run, "--port", port) as (_, again):
        assert f":{port}/" in again
