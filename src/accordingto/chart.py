"""Charts: bars as SVG that stands in an HTML page, drawn by matplotlib.

The page's style sheet has the last word: text is `currentColor`, nothing carries a style of its own (a strict
Content-Security-Policy would refuse it), and each bar links to where its number leads.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, LABELS, ROW, BAR = 380.0, 150.0, 21.0, 14.0  # in points: of the chart, of its column of names, of a row and of the bar in it; a phone shows it at about its size
FONT, SMALL = 10.0, 8.5
LABEL_CHARS = 26  # that the column of names holds at this font
ROOM_FOR_NUMBER = 1.18  # the longest bar ends before the right edge, where its number stands

# Okabe and Ito's palette, told apart by the colour-blind; greys for what is no answer. All are seen on white and on the dark page.
BLUE, SKY, GREEN, ORANGE, RED, PINK, GREY, PALE = "#0072b2", "#56b4e9", "#009e73", "#e69f00", "#d55e00", "#cc79a7", "#8a8f98", "#c6cad1"
_TEXT, _PAPER = "#010203", "#fcfdfe"  # stand for the page's own colours of text and paper until the SVG is written
_PAGE_COLOURS = {_TEXT: "currentColor", _PAPER: "var(--paper)"}
_ON_DARK = {BLUE}  # bars whose number is read better in white
_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"


@dataclass(frozen=True)
class Bar:
    """A number to draw: its name in full, and the fragment of the page that it leads to."""

    label: str
    number: int
    href: str = ""


def bars_chart(title: str, bars: Sequence[Bar]) -> str:
    """Return one bar a row, with its number at its end."""

    def draw(axes: Axes) -> None:
        longest = max(bar.number for bar in bars)
        axes.set_xlim(0, longest * ROOM_FOR_NUMBER)
        for row, bar in enumerate(bars):
            _name(axes, row, bar.label, bar.href)
            _bar(axes, row, 0, bar, BLUE)
            axes.text(bar.number + longest * 0.012, row, f"{bar.number:,}", fontsize=FONT, va="center_baseline", color=_TEXT)

    return _draw(title, len(bars), draw)


def shares_chart(title: str, rows: Sequence[tuple[str, Sequence[Bar]]], colours: Sequence[str]) -> str:
    """Return a row as parts of its whole, in the order of the colours; parts that have room for it show their percentage."""

    def draw(axes: Axes) -> None:
        axes.set_xlim(0, 1)
        for row, (label, parts) in enumerate(rows):
            _name(axes, row, label)
            whole, left = sum(part.number for part in parts), 0.0
            for part, colour in zip(parts, colours):
                share = part.number / whole
                _bar(axes, row, left, part, colour, width=share)
                if share >= 0.08:  # "12 %" is as wide
                    axes.text(left + share / 2, row, f"{share:.0%}", fontsize=SMALL, ha="center", va="center_baseline", color="#ffffff" if colour in _ON_DARK else "#000000")
                left += share

    return _draw(title, len(rows), draw)


def opposed_chart(title: str, rows: Sequence[tuple[str, Bar, Bar]]) -> str:
    """Return two bars a row, to the left and to the right of a middle line, with their numbers at their ends."""

    def draw(axes: Axes) -> None:
        longest = max(bar.number for _, *pair in rows for bar in pair)
        reach = longest * ROOM_FOR_NUMBER * 1.05
        axes.set_xlim(-reach, reach)
        axes.axvline(0, color=_TEXT, linewidth=0.8)
        for row, (label, left, right) in enumerate(rows):
            _name(axes, row, label)
            for bar, sign, colour, side in ((left, -1, RED, "right"), (right, 1, BLUE, "left")):
                if bar.number:
                    _bar(axes, row, 0, bar, colour, width=sign * bar.number)
                    axes.text(sign * (bar.number + longest * 0.03), row, f"{bar.number:,}", fontsize=FONT, ha=side, va="center_baseline", color=_TEXT)

    return _draw(title, len(rows), draw)


def shorten(text: str, most: int) -> str:
    """Return text of at most `most` characters; an ellipsis stands for the rest."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _name(axes: Axes, row: int, label: str, href: str = "") -> None:
    where = axes.get_yaxis_transform()  # across in parts of the width, down in rows
    axes.text(-0.02, row, shorten(label, LABEL_CHARS), transform=where, fontsize=FONT, ha="right", va="center_baseline", color=_TEXT, parse_math=False, url=f"{href}|{label}")


def _bar(axes: Axes, row: int, left: float, bar: Bar, colour: str, width: float | None = None) -> None:
    """Draw a bar that links; its name and number travel in the link until the SVG is written."""
    if bar.number:
        url = f"{bar.href}|{bar.label}: {bar.number:,}"
        axes.barh(row, bar.number if width is None else width, left=left, height=BAR / ROW, color=colour, edgecolor=_PAPER, linewidth=0.8, url=url, clip_on=False)


def _draw(title: str, rows: int, draw: Callable[[Axes], None]) -> str:
    """Return what `draw` puts on axes of so many rows; the same bytes for the same drawing."""
    import matplotlib.style
    from matplotlib.figure import Figure

    height = rows * ROW + 6
    written = io.StringIO()
    with matplotlib.style.context("default"), matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "accordingto"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # the reader's browser has fonts of its own
        figure = Figure(figsize=(WIDTH / 72, height / 72))
        axes = figure.add_axes((LABELS / WIDTH, 0, 1 - LABELS / WIDTH, 1))
        axes.set_ylim(rows - 0.5 + 3 / ROW, -0.5 - 3 / ROW)
        axes.axis("off")
        figure.patch.set_visible(False)
        draw(axes)
        figure.savefig(written, format="svg", metadata={"Date": None})
    return _for_page(written.getvalue(), title)


def _for_page(svg: str, title: str) -> str:
    """Return matplotlib's SVG as a part of a page: no styles, ids, fonts or metadata of its own; a title, and titles of its links."""
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(svg)  # noqa: S314  (matplotlib has just written it)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}defs"):
                parent.remove(child)
    for element in root.iter():
        element.attrib.pop("id", None)
        for name, value in _properties(element.attrib.pop("style", "")):
            element.set(name, _PAGE_COLOURS.get(value, value))
        link = element.attrib.pop(f"{{{_XLINK}}}href", None)
        if link is not None:
            href, _, label = link.partition("|")
            element.attrib.clear()  # of matplotlib's target="_blank"
            if href:
                element.attrib.update({"href": href, "tabindex": "-1"})  # the table beside the chart has the same links for the keyboard
            _entitle(element, label)
    box = root.get("viewBox", "")
    root.attrib.clear()
    root.attrib.update({"viewBox": box, "role": "img", "class": "chart"})
    _entitle(root, title)
    return ElementTree.tostring(root, encoding="unicode")


def _properties(style: str) -> list[tuple[str, str]]:
    """Return the properties of a style as attributes: `font: 10px 'DejaVu Sans'` is the size alone, the fonts are the page's."""
    pairs = [(name.strip(), value.strip()) for name, _, value in (part.partition(":") for part in style.split(";")) if name.strip()]
    sizes = [("font-size", size[0]) for name, value in pairs if name == "font" and (size := re.search(r"[\d.]+(?=px)", value))]
    return sizes + [(name, value.removesuffix("px")) for name, value in pairs if name not in ("font", "font-family")]


def _entitle(element: ElementTree.Element, text: str) -> None:
    title = ElementTree.Element(f"{{{_SVG}}}title")
    title.text = text
    element.insert(0, title)
