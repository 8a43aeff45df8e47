import sqlite3

import pytest

from accordingto.errors import IncompleteError, RunError
from accordingto.ledger import FETCHED, FILE, Ledger
from accordingto.schema import Article, Problem, WebPage

ONE = Article("a", "One.", title="T", authors=("Ann", "Jo"), src={"beat": "roads"})


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(tmp_path)
    yield made
    made.close()


def test_items_come_back_in_an_order_of_their_own(ledger):
    ledger.add_item("b.txt", 0, Problem("b.txt", "empty", "nothing"))
    ledger.add_item("a.csv", 1, Article("y", "Two."), "s2")
    ledger.add_item("a.csv", 0, ONE, "s1")
    first, second, third = ledger.entries()
    assert (first.path, first.number, first.text, first.article.title, first.article.authors, first.article.src) == ("a.csv", 0, "s1", "T", ("Ann", "Jo"), {"beat": "roads"})
    assert (second.number, third.code, third.stage) == (1, "empty", "read")
    assert ledger.text("s1") == "One."


def test_text_is_to_be_read_once(ledger):
    ledger.add_item("a.txt", 0, ONE, "s1")
    ledger.add_item("b.txt", 0, ONE, "s1")
    assert [(sha256, text) for _, sha256, text in ledger.pending(0, 9)] == [("s1", "One.")]
    ledger.set_claims("s1", b"{}\n{}\n", 2, b"m")
    assert (ledger.pending(0, 9), ledger.claims("s1"), ledger.signature("s1"), ledger.count_pending()) == ([], [b"{}", b"{}"], b"m", 0)
    assert [entry.count for entry in ledger.entries()] == [2, 2]


def test_failures_of_the_model_can_be_taken_up(ledger):
    ledger.add_item("a.txt", 0, ONE, "s1")
    ledger.add_item("b.txt", 0, Problem("b.txt", "empty", "nothing"))
    ledger.add_item("c.txt", 0, Problem("c.txt", "unsupported_language", "de"))
    for path in ("a.txt", "b.txt", "c.txt"):
        ledger.end_file(path, "f", 1)
    ledger.set_failed("s1", "oom", "it filled the memory")
    assert [(e.code, e.stage) for e in ledger.entries()] == [("oom", "model"), ("empty", "read"), ("unsupported_language", "read")]
    assert ledger.problem_paths(("unsupported_language",)) == ["b.txt"]
    ledger.forget_problems(["b.txt"])
    assert ledger.count_pending() == 1
    assert [ledger.is_done(path, "f") for path in ("a.txt", "b.txt", "c.txt")] == [True, False, True]


def test_page_of_the_web_is_kept_until_all_of_it_could_be_read(ledger):
    page = WebPage("https://x.y/a", "https://x.y/b", ".html", b"\0<p>" * 999)
    ledger.end_file(page.url, FETCHED, 1, page)
    assert (ledger.originals(), ledger.original(page.url), ledger.file_digest(page.url)) == ([page.url], page, None)
    ledger.forget_problems([page.url])
    assert (ledger.is_done(page.url, FETCHED), ledger.original(page.url)) == (False, page)
    ledger.end_file(page.url, FETCHED, 1)
    assert (ledger.originals(), ledger.original(page.url)) == ([], None)


def test_what_was_not_committed_is_gone(tmp_path):
    first = Ledger(tmp_path)
    first.add_item("a.txt", 0, ONE, "s1")
    first.commit()
    first.add_item("b.txt", 0, ONE, "s1")
    first._db.close()  # as a kill does
    second = Ledger(tmp_path)
    assert [entry.path for entry in second.entries()] == ["a.txt"]
    second.close()


def test_changed_file_is_not_done(ledger):
    ledger.start_file("a.txt")
    ledger.end_file("a.txt", "f1", 1)
    assert (ledger.is_done("a.txt", "f1"), ledger.is_done("a.txt", "f2")) == (True, False)


def test_one_process_holds_it_at_a_time(ledger, tmp_path):
    with pytest.raises(RunError, match=r"another process works on it \(process \d+\)"):
        Ledger(tmp_path)


def test_damaged_ledger_is_refused(tmp_path):
    (tmp_path / FILE).write_bytes(b"no database" * 1000)
    with pytest.raises(RunError, match="damaged"):
        Ledger(tmp_path)


def test_ledger_that_cannot_be_written_is_incomplete(tmp_path, monkeypatch):
    def full(*_, **__):
        raise sqlite3.OperationalError("database or disk is full")

    class Connection(sqlite3.Connection):
        execute = full

    monkeypatch.setattr(sqlite3, "connect", lambda *args, real=sqlite3.connect, **named: real(*args, **named, factory=Connection))
    with pytest.raises(IncompleteError, match="disk is full"):
        Ledger(tmp_path)
