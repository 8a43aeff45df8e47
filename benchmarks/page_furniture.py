"""Words of the text of pages, by trafilatura alone and without what `furniture.py` marks: precision and recall over themes.

    pip install pelican; python benchmarks/page_furniture.py

The pages are the articles written for this project, rendered by Pelican in its two themes and in the plain one of the tests, with the furniture
of a news page put in among the paragraphs. The reference is the article as it was written, its own bylines and datelines included: what the
furniture step takes of those counts against its recall.
"""

import gzip
import html
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
import inputs  # noqa: E402
from accordingto.furniture import find_furniture  # noqa: E402
from accordingto.reader.page import article_from_page  # noqa: E402

with gzip.open(ROOT / "tests/data/written_dev.jsonl.gz", "rt", encoding="utf-8") as lines:
    TEXTS = [json.loads(line)["text"] for line in lines]
BEFORE = ["Web Desk", "16 Minutes ago", "Share on Facebook", "Share | Tweet | Email"]
AMONG = ["Read more: Ten things to know about the budget", "Also read: What the ministers are not telling", "Photo: The Daily Plain / AFP", "Sign up for our morning newsletter"]
AFTER = ["Published in The Daily Plain", "Copyright 2025 The Daily Plain. All rights reserved.", "Related topics", "12 comments"]


def paragraphs(text: str) -> list[str]:
    """Return an article's paragraphs with furniture around and among them."""
    own = [line for line in text.split("\n") if line.strip()]
    middle = [part for i, line in enumerate(own) for part in ([line, AMONG[i // 3 % len(AMONG)]] if i % 3 == 2 else [line])]
    return [*BEFORE, *middle, *AFTER]


def pages(folder: Path) -> dict[str, list[bytes]]:
    """Return the pages of each theme, in the order of the texts."""
    content = folder / "content"
    content.mkdir()
    for i, text in enumerate(TEXTS):
        body = "".join(f"<p>{html.escape(line)}</p>\n" for line in paragraphs(text))
        head = f'<title>Story {i}</title><meta name="date" content="2025-03-04 10:{i:02}"><meta name="authors" content="Jo Park"><meta name="slug" content="story{i}">'
        (content / f"story{i}.html").write_text(f"<html><head>{head}</head><body>{body}</body></html>", encoding="utf-8")
    out = {"plain": [inputs.page("\n".join(paragraphs(text))) for text in TEXTS]}
    for theme in ("notmyidea", "simple"):
        target = folder / theme
        command = [sys.executable, "-m", "pelican", str(content), "-o", str(target), "-t", theme, "-e", 'SITENAME="The Daily Plain"', "TIMEZONE=\"UTC\""]
        subprocess.run(command, check=True, capture_output=True)
        out[theme] = [(target / f"story{i}.html").read_bytes() for i in range(len(TEXTS))]
    return out


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.lower()))


def without_furniture(text: str) -> str:
    kept, last = "", 0
    for start, end, _ in find_furniture(text):
        kept += text[last:start]
        last = end
    return kept + text[last:]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        rendered = pages(Path(folder))
    for theme, found in rendered.items():
        figures = {"trafilatura": Counter(), "without furniture": Counter()}
        for page, reference in zip(found, TEXTS, strict=True):
            text = article_from_page(page, theme).text
            for name, version in (("trafilatura", text), ("without furniture", without_furniture(text))):
                got, want = words(version), words(reference)
                figures[name] += Counter(right=sum((got & want).values()), got=sum(got.values()), want=sum(want.values()))
        for name, count in figures.items():
            precision, recall = count["right"] / count["got"], count["right"] / count["want"]
            print(f"{theme:10} {name:18} precision {precision:.4f}  recall {recall:.4f}  F1 {2 * precision * recall / (precision + recall):.4f}")


if __name__ == "__main__":
    main()
