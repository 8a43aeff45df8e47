"""Measures the review's page on made runs: how soon it can be opened, how soon the next claim stands there, how soon the queue answers.

    python benchmarks/review_page.py WORK [--claims 1000 100000] [--decisions 60]

The runs are the articles of tests/data/written_dev.jsonl.gz with the claims of tests/data/predicted.jsonl.gz, again and again with a
line before them that makes each another text. The times of the page are taken in Chromium, from the key to the second frame after the change.
"""

import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests" / "review")]
from made import claim_of, make_run  # noqa: E402

from accordingto.schema import Article  # noqa: E402

PUBLISHERS = ("The Daily Plain", "Northern Post", "City Wire", "Evening Sheet", "The Weekly Ledger")
TIMER = """() => {
  window.times = [];
  addEventListener("keydown", (event) => { window.started = event.timeStamp; }, true);
  document.addEventListener("shown", () => requestAnimationFrame(() => requestAnimationFrame(() => window.times.push(performance.now() - window.started))));
}"""


def lines(name: str):
    with gzip.open(ROOT / "tests" / "data" / name, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def articles(claims: int):
    """Yield articles with claims until there are so many claims."""
    texts, predicted = {a["id"]: a["text"] for a in lines("written_dev.jsonl.gz")}, defaultdict(list)
    for row in lines("predicted.jsonl.gz"):
        predicted[row["article_id"]].append(row)
    made = number = 0
    while made < claims:
        for article_id, text in texts.items():
            head = f"Edition {number} of the day\n\n"
            own, rows = head + text, predicted[article_id][: claims - made]
            if not rows:
                return
            yield Article(f"{article_id}_{number}", own, title=f"Story {number}", publisher=PUBLISHERS[number % 5]), [as_claim(own, row, len(head), made + i) for i, row in enumerate(rows)]
            made, number = made + len(rows), number + 1


def as_claim(text: str, row: dict, shift: int, number: int):
    spans = ([(s + shift, e + shift) for s, e in row[part]["spans"]] for part in ("source", "cue", "content"))
    labels = {name: row[name] for name in ("stance", "negated", "certainty", "attitude", "framing", "source_kind", "attribution_type", "attitude_target")}
    speaker = row["speaker"] and (row["speaker"] if number % 3 else f"{row['speaker']} {number % 997}")  # thousands of speakers, as many runs have
    return claim_of(text, *spans, speaker=speaker, confidence=round(row["confidence"] * 0.9 + number % 100 / 1000, 4), **labels)


def measure(run: Path, decisions: int) -> dict:
    start = time.perf_counter()
    command = [sys.executable, "-m", "accordingto", "review", str(run), "--no-browser", "--reviewer", "Ann"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, "PYTHONPATH": str(ROOT / "src")})
    address = process.stdout.readline().strip()
    figures = {"start to address": time.perf_counter() - start}
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"])
            page = browser.new_page(viewport={"width": 1366, "height": 768})
            page.goto(address)
            page.wait_for_selector("html.ready")
            figures["start to page"] = time.perf_counter() - start
            page.evaluate(TIMER)
            for name, key in (("accept", "a"), ("next claim", "j"), ("next article", "]"), ("stance", "5"), ("undo", "u")):
                times = [press(page, key) for _ in range(decisions if name == "accept" else 20)]
                figures[name] = f"median {statistics.median(times):.0f} ms, slowest {max(times):.0f} ms"
            base = address.split("?")[0]
            for name, query in (("queue", ""), ("least sure", "order=unsure"), ("stance and search", "stance=accuse&q=police"), ("search", "q=water"), ("range at random", "order=random&min=40&max=60&decision=left")):
                figures[f"queue: {name}"] = f"{fetch(page, f'{base}view?{query}&have=x'):.0f} ms"
            browser.close()
        status = Path(f"/proc/{process.pid}/status").read_text()
        figures["memory"] = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    finally:
        process.terminate()
        process.wait()
    return figures


def press(page, key: str) -> float:
    """Return the milliseconds from a key to the page that shows what came of it."""
    count = page.evaluate("times.length")
    page.keyboard.press(key)
    page.wait_for_function("count => times.length > count", arg=count)
    return page.evaluate("times.at(-1)")


def fetch(page, address: str) -> float:
    script = "async (address) => { const start = performance.now(); const answer = await fetch(address); await answer.json(); return performance.now() - start; }"
    return page.evaluate(script, address)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("--claims", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--decisions", type=int, default=60)
    options = parser.parse_args()
    for claims in options.claims:
        run = options.work / f"run{claims}"
        if not run.exists():
            start = time.perf_counter()
            make_run(run, articles(claims))
            print(f"made a run of {claims} claims in {time.perf_counter() - start:.0f} s", flush=True)
        (run / "decisions.sqlite").unlink(missing_ok=True)
        for name, value in measure(run, options.decisions).items():
            print(f"{claims:>7} claims  {name:<24} {value if isinstance(value, str) else f'{value:.2f} s'}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
