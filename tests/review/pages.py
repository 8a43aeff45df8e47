"""A server of the review in a process of its own, and a browser at it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from runs import ROOT

CHROMIUM = Path("/usr/bin/chromium")  # Debian's
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@contextmanager
def served(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen, str]]:
    """Give the process that serves a run, and the address that it printed."""
    command = [sys.executable, "-m", "accordingto", "review", str(folder), "--no-browser", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT / "src")}, preexec_fn=_heed_interrupts) as process:  # noqa: PLW1509  (no threads here)
        try:
            address = process.stdout.readline().strip()
            assert address.startswith("http://127.0.0.1:"), process.stderr.read()
            yield process, address
        finally:
            process.kill()


@contextmanager
def chromium() -> Iterator:
    """Give a browser; skips where Playwright's package or Chromium is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is missing: pip install 'accordingto[test]'")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing: apt-get install chromium")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


class Reviewer:
    """A reviewer at the page, who notes everything that should not happen."""

    def __init__(self, browser, address: str, **context) -> None:
        self.context = browser.new_context(**({"viewport": {"width": 1366, "height": 768}} | context))
        self.page = self.context.new_page()
        self.address = address.partition("?")[0]
        self.wrong: list[str] = []
        self.asked: list[str] = []
        self.page.on("dialog", lambda dialog: (self.wrong.append(f"dialog {dialog.message}"), dialog.dismiss()))
        self.page.on("pageerror", lambda error: self.wrong.append(f"error {error}"))
        self.page.on("console", lambda message: self.wrong.append(f"console {message.text}") if message.type in ("error", "warning") else None)
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.add_init_script("addEventListener('securitypolicyviolation', (e) => console.error('policy ' + e.violatedDirective + ' ' + e.blockedURI)); window.shown = 0; document.addEventListener('shown', () => { window.shown++; });")
        self.go(address)

    def go(self, address: str) -> None:
        self.page.goto(address)
        self.page.wait_for_selector("html.ready")

    def press(self, *keys: str, answered: bool = True) -> None:
        """Press keys, each after the page answered the one before."""
        for key in keys:
            before = self.page.evaluate("window.shown")
            self.page.keyboard.press(key)
            if answered:
                self.page.wait_for_function("before => window.shown > before", arg=before)

    def marks(self, *keys: str) -> None:
        """Press keys that ask nothing of the server."""
        for key in keys:
            self.page.keyboard.press(key)
            self.page.evaluate("() => new Promise(done => setTimeout(done, 20))")

    def until(self, key: str, words: str) -> None:
        """Press a key until some words are chosen; fails where they never are."""
        heard = []
        while self.said != words:
            assert len(heard) < 40, heard
            self.marks(key)
            heard.append(self.said)

    def text(self, selector: str) -> str:
        return self.page.inner_text(selector)

    @property
    def claim(self) -> str:
        return self.page.get_attribute(".decide", "data-claim")

    @property
    def said(self) -> str:
        return self.page.text_content("#status span").strip()

    @property
    def focused(self) -> str:
        return self.page.evaluate("document.activeElement.id")

    def marked(self, part: str) -> str:
        """Return the words of the article that are marked as a part of the claim at hand."""
        return self.page.evaluate("part => [...document.querySelectorAll(`#text .${part}`)].map(e => e.textContent).join('')", part)

    def close(self) -> None:
        """Leave, and fail where anything happened that should not."""
        base = self.address.rstrip("/")
        elsewhere = [url for url in self.asked if not url.startswith(base + "/")]
        self.context.close()
        assert self.wrong == []
        assert elsewhere == []


def _heed_interrupts() -> None:
    """Undo what a shell does to the commands that it runs in the background: they ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
