"""Keys: the one table of what can be done on the page and with which key.

The handler of the page, the labels of its buttons and the list that `?` shows are all made from it, so they cannot drift apart.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from accordingto.label import LABELS


@dataclass(frozen=True)
class Key:
    """A key and what it does."""

    key: str  # as the browser names it, `ctrl+` and `shift+` before it where they count; `shift+` never with a sign that is itself shifted
    action: str  # a function of the same name in review.js
    label: str  # on the button and in the list
    group: str
    mode: str = "review"  # or `mark`: while words of the article are chosen
    value: str = ""  # what the action is given


STANCE_KEYS = tuple(zip("1234567890", map(str, LABELS["stance"])))

KEYS = (
    Key("a", "accept", "Accept", "Decide"),
    Key("x", "reject", "Reject", "Decide"),
    Key("space", "unsure", "Unsure", "Decide"),
    Key("u", "undo", "Undo", "Decide"),
    Key("ctrl+z", "undo", "Undo", "Decide"),
    Key("r", "redo", "Redo", "Decide"),
    Key("ctrl+shift+z", "redo", "Redo", "Decide"),
    Key("j", "next_claim", "Next claim", "Go"),
    Key("k", "previous_claim", "Previous claim", "Go"),
    Key("]", "next_article", "Next article", "Go"),
    Key("[", "previous_article", "Previous article", "Go"),
    Key("/", "search", "Search", "Go"),
    Key("e", "edit", "Edit", "Correct"),
    Key("s", "speaker", "Speaker", "Correct"),
    *(Key(number, "stance", f"Stance: {stance}", "Correct", value=stance) for number, stance in STANCE_KEYS),
    Key("n", "note", "Note", "Correct"),
    Key("w", "spans", "Change the marked words", "Correct"),
    Key("m", "missed", "Add a missed claim", "Correct"),
    Key("?", "help", "All keys", "Help"),
    Key("arrowright", "word_forward", "Next word", "Mark words", "mark"),
    Key("arrowleft", "word_back", "Word before", "Mark words", "mark"),
    Key("arrowdown", "sentence_forward", "Next sentence", "Mark words", "mark"),
    Key("arrowup", "sentence_back", "Sentence before", "Mark words", "mark"),
    Key("shift+arrowright", "grow", "One word more", "Mark words", "mark"),
    Key("shift+arrowleft", "shrink", "One word less", "Mark words", "mark"),
    Key("shift+arrowdown", "grow_sentence", "To the end of the sentence", "Mark words", "mark"),
    Key("shift+arrowup", "shrink_sentence", "Back by a sentence", "Mark words", "mark"),
    Key("ctrl+arrowright", "grow_character", "One character more", "Mark words", "mark"),
    Key("ctrl+arrowleft", "shrink_character", "One character less", "Mark words", "mark"),
    Key("s", "mark_source", "Source", "Mark words", "mark", "source"),
    Key("c", "mark_cue", "Cue", "Mark words", "mark", "cue"),
    Key("o", "mark_content", "Content", "Mark words", "mark", "content"),
    Key("shift+s", "more_source", "Add to the source", "Mark words", "mark", "source"),
    Key("shift+c", "more_cue", "Add to the cue", "Mark words", "mark", "cue"),
    Key("shift+o", "more_content", "Add to the content", "Mark words", "mark", "content"),
    Key("0", "no_source", "No source", "Mark words", "mark"),
    Key("enter", "save_spans", "Save", "Mark words", "mark"),
    Key("escape", "leave_spans", "Cancel", "Mark words", "mark"),
)

_SHOWN = {"space": "space", "arrowright": "→", "arrowleft": "←", "arrowdown": "↓", "arrowup": "↑", "enter": "enter", "escape": "esc"}

_SPOKEN = {"ctrl": "Control", "shift": "Shift", "space": "Space", "enter": "Enter", "escape": "Escape", "arrowright": "ArrowRight", "arrowleft": "ArrowLeft", "arrowdown": "ArrowDown", "arrowup": "ArrowUp"}


def shown_key(key: str) -> str:
    """Return a key as a button shows it: `ctrl+shift+z` → `ctrl shift z`, `arrowup` → `↑`."""
    return " ".join(_SHOWN.get(part, part) for part in key.split("+"))


def spoken_key(key: str) -> str:
    """Return a key as `aria-keyshortcuts` names it: `ctrl+z` → `Control+z`, `arrowup` → `ArrowUp`."""
    return "+".join(_SPOKEN.get(part, part) for part in key.split("+"))


def key_of(action: str, value: str = "") -> Key:
    """Return the first key of an action."""
    return next(key for key in KEYS if key.action == action and key.value in ("", value))


def keys_by_group() -> dict[str, list[Key]]:
    """Return the keys as the list shows them."""
    groups: dict[str, list[Key]] = {}
    for key in KEYS:
        groups.setdefault(key.group, []).append(key)
    return groups


def keys_for_script() -> list[dict[str, Any]]:
    """Return the table as the page's script reads it."""
    return [asdict(key) for key in KEYS]
