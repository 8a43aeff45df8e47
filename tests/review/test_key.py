"""The table of keys: no key means two things, and page and script follow it."""

import re
from collections import Counter
from importlib.resources import files

from accordingto.label import LABELS
from accordingto.review.key import KEYS, key_of, shown_key

BROWSER = files("accordingto.review").joinpath("browser")


def test_no_key_does_two_things_in_one_mode():
    assert max(Counter((key.mode, key.key) for key in KEYS).values()) == 1


def test_keys_that_the_issue_promises_are_there():
    wanted = {"a": "accept", "x": "reject", "space": "unsure", "e": "edit", "s": "speaker", "j": "next_claim", "k": "previous_claim", "[": "previous_article", "]": "next_article",
              "u": "undo", "ctrl+shift+z": "redo", "n": "note", "m": "missed", "/": "search", "?": "help"}  # fmt: skip
    assert {key.key: key.action for key in KEYS if key.mode == "review" and key.key in wanted} == wanted
    assert [key.value for key in KEYS if key.action == "stance"] == list(LABELS["stance"])


def test_buttons_of_the_page_take_their_keys_from_the_table():
    """A template names actions alone; a key that is written out in one would drift."""
    for name in ("page", "queue", "record", "article"):
        template = BROWSER.joinpath(f"{name}.html.jinja").read_text()
        for action in re.findall(r'button\("(\w+)"[,)]', template):
            assert key_of(action).action == action
        assert not re.search(r"<button[^>]*>[^<]*<kbd[^>]*>(?!esc)\w", template)


def test_script_has_every_action_and_no_key_of_its_own():
    script = BROWSER.joinpath("review.js").read_text() + BROWSER.joinpath("words.js").read_text()
    for key in KEYS:
        generic = re.match(r"(mark|more)_(source|cue|content)", key.action)
        assert re.search(rf"^  {key.action}: ", script, re.M) or f'"{key.action}"' in script or generic, key.action
    assert not re.search(r"event\.key === \"[a-z?/\[\]]\"", script)


def test_keys_are_shown_as_people_write_them():
    assert [shown_key(k) for k in ("a", "ctrl+shift+z", "shift+arrowright", "space")] == ["a", "ctrl shift z", "shift →", "space"]
