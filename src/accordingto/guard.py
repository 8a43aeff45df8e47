"""A guard for texts in CSV: what a spreadsheet would take for a formula is marked, so that the mark can be taken away again."""

from __future__ import annotations

import re

MARK = "'"  # spreadsheets show it or hide it, and calculate nothing behind it
_RISKY = re.compile("\\s*[=+\\-@\t\r\n\0'|%＝＋－＠]")  # OWASP's list, DDE's bar and percent sign, the full-width forms; and the mark itself, or nobody could tell ours from the text's own


def guard(text: str) -> str:
    """Return a text as it goes into a CSV: with a mark before it where a spreadsheet may take it for a formula.

    =1+1  ->  '=1+1
    """
    return MARK + text if _RISKY.match(text) else text


def unguard(text: str) -> str:
    """Return a text of a CSV as it was: the mark is taken away where `guard` would have set one.

    'twas  ->  'twas  (guard gives ''twas)
    """
    return text[1:] if text.startswith(MARK) and _RISKY.match(text, 1) else text
