"""Fetching: what is refused, against real servers on this machine; and that nothing else ever opens a connection."""

import gzip
import http.server
import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import inputs
from accordingto import fetch
from accordingto.article import read_outcomes
from accordingto.errors import InputError
from accordingto.fetch import Fetcher, is_public
from accordingto.folder import RunOptions, extract_run, retry_run
from accordingto.ledger import FETCHED, Ledger
from accordingto.schema import Article, Problem, WebPage
from accordingto.verify import verify_run

ROOT = Path(__file__).parents[1]
MENU = b"<html><body><nav><a href=/>Home</a></nav></body></html>"


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves an article, and all kinds of trouble."""

    def do_GET(self):
        self.server.asked.append(self.path)
        answer = getattr(self, f"send_{self.path.strip('/').split('?')[0].split('.')[0] or 'page'}", None)
        answer() if answer else self.reply(404, b"")

    def reply(self, status, body, kind="text/html; charset=utf-8", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def send_robots(self):
        self.reply(200, b"User-agent: *\nDisallow: /secret\n", "text/plain")

    def send_page(self):
        self.reply(200, inputs.page())

    def send_packed(self):
        self.reply(200, gzip.compress(inputs.page()), Content_Encoding="gzip")

    def send_bomb(self):
        self.reply(200, gzip.compress(b"<p>" + b"0" * 25_000_000, 1), Content_Encoding="gzip")

    def send_picture(self):
        self.reply(200, b"GIF89a", "image/gif")

    def send_menu(self):
        self.reply(200, MENU)

    def send_gone(self):
        self.reply(410, b"")

    def send_loop(self):
        self.reply(302, b"", Location="/loop")

    def send_onward(self):
        self.reply(302, b"", Location="/page")

    def send_file(self):
        self.reply(302, b"", Location="file:///etc/passwd")

    def send_inside(self):
        self.reply(302, b"", Location="http://10.0.0.1/")

    def send_drip(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        for _ in range(100):
            self.wfile.write(b"<p>")
            self.wfile.flush()
            time.sleep(0.2)

    def log_message(self, *_):
        pass


@pytest.fixture
def site(monkeypatch):
    """A site on this machine, which the guards are told to take for a public one; its port too."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    here = server.server_address[1]
    real = is_public
    monkeypatch.setattr(fetch, "is_public", lambda host: host == "127.0.0.1" or real(host))
    monkeypatch.setattr(fetch, "PORTS", (None, 80, 443, here))
    monkeypatch.setattr(fetch, "COURTESY", 0.0)
    server.url = f"http://127.0.0.1:{here}"
    yield server
    server.shutdown()
    server.server_close()


def test_page_becomes_an_article_with_its_address(site):
    (article,) = read_outcomes([], urls=[f"{site.url}/page"])
    assert isinstance(article, Article)
    assert article.text.endswith(inputs.TEXT)
    assert (article.title, article.path) == (inputs.META["title"], f"{site.url}/page")
    assert article.article_id.startswith("a_")


def run_of(urls, folder):
    return extract_run([], folder, RunOptions(formats=("jsonl",)), urls=urls, model=None, workers=1, memory=6_000_000_000, progress=lambda done, total: None)


def quarantine_of(folder):
    return {Path(entry["path"]).name: entry for entry in map(json.loads, (folder / "quarantine.jsonl").read_bytes().splitlines())}


def test_page_that_was_not_read_is_kept_and_retried_from_what_was_kept(site, tmp_path):
    folder = tmp_path / "run"
    assert run_of([f"{site.url}/{page}" for page in ("page", "menu", "gone")], folder).quarantined == {"html_no_article": 1, "http_status": 1}
    found = quarantine_of(folder)
    kept = folder / found["menu"]["original"]
    assert (kept.parent, kept.suffix, kept.stem, kept.read_bytes()) == (folder / "quarantine", ".html", found["menu"]["file_sha256"], MENU)
    assert (found["gone"]["original"], found["gone"]["file_sha256"], len(list(kept.parent.iterdir()))) == (None, None, 1)
    assert verify_run(folder) == []

    del site.asked[:]
    retry_run(folder, workers=1, memory=6_000_000_000, progress=lambda done, total: None)
    assert {"/gone", "/robots.txt"} == set(site.asked)  # what the server did not give is asked for again, what was kept is not
    assert (quarantine_of(folder), kept.read_bytes()) == (found, MENU)

    kept.write_bytes(b"other")
    assert verify_run(folder) == [f"{found['menu']['original']} is not as it was written"]


def test_kept_page_that_can_be_read_at_last_leaves_the_quarantine(site, tmp_path):
    folder, url = tmp_path / "run", f"{site.url}/menu"
    run_of([url], folder)
    ledger = Ledger(folder)
    ledger.end_file(url, FETCHED, 1, WebPage(url, url, ".html", inputs.page()))  # as if the reader had become better
    ledger.commit()
    ledger.close()
    del site.asked[:]
    summary = retry_run(folder, workers=1, memory=6_000_000_000, progress=lambda done, total: None)
    assert (summary.extracted, summary.quarantined, site.asked) == (1, {}, [])
    assert json.loads((folder / "articles.jsonl").read_text())["url"] == inputs.META["url"]
    assert not (folder / "quarantine").exists()
    assert verify_run(folder) == []


def test_one_host_is_asked_for_its_rules_once_in_a_run(site, tmp_path):
    run_of([f"{site.url}/page?{i}" for i in range(3)], tmp_path / "run")
    assert site.asked.count("/robots.txt") == 1


@pytest.mark.parametrize("page", ["packed", "onward"])
def test_packed_and_moved_pages_are_followed(site, page):
    assert Fetcher().fetch(f"{site.url}/{page}").data == inputs.page()


@pytest.mark.parametrize(
    ("page", "code"),
    [("bomb", "too_large"), ("picture", "unsupported"), ("gone", "http_status"), ("loop", "http_status"), ("file", "ssrf_blocked"), ("inside", "ssrf_blocked"), ("secret", "http_status"), ("drip", "timeout")],
)
def test_trouble_is_refused_with_its_reason(site, monkeypatch, page, code):
    if page == "drip":
        monkeypatch.setattr(fetch, "PATIENCE", 1.0)
    (problem,) = read_outcomes([], urls=[f"{site.url}/{page}"])
    assert isinstance(problem, Problem)
    assert problem.code == code, problem.message
    assert "/secret" not in site.asked


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.1.2.3/",
        "http://100.64.0.1/",
        "http://0.0.0.0/",
        "https://192.168.0.1/",
        "http://224.0.0.1/",
        "http://[fe80::1]/",
        "http://127.0.0.1:22/",
        "http://user@93.184.216.34/",
        "file:///etc/passwd",
        "ftp://93.184.216.34/",
        "javascript:alert(1)",
        "http:///x",
        "http://x:99999999/",
    ],
)
def test_addresses_inside_are_never_asked(url):
    start = time.monotonic()
    with pytest.raises(InputError) as error:
        Fetcher().fetch(url)
    assert error.value.code == "ssrf_blocked", str(error.value)
    assert time.monotonic() - start < 5


def test_name_that_changes_its_address_gains_nothing(site, monkeypatch):
    """The name is public when it is looked at and private when it is connected to: the peer is looked at again."""
    monkeypatch.undo()
    monkeypatch.setattr(fetch, "PORTS", (None, 80, 443, site.server_address[1]))
    real, calls = socket.getaddrinfo, []

    def rebinding(host, port, *rest, **named):
        calls.append(host)
        return real("93.184.216.34" if len(calls) == 1 else "127.0.0.1", port, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with pytest.raises(InputError) as error:
        Fetcher().fetch(f"http://rebinding.example:{site.server_address[1]}/page")
    assert (error.value.code, len(calls), site.asked) == ("ssrf_blocked", 2, [])


def test_wrong_certificate_is_refused_and_not_tried_again(site, monkeypatch, tmp_path):
    import ssl

    trustme = pytest.importorskip("trustme")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(fetch, "PORTS", (None, server.server_address[1]))
    with pytest.raises(InputError) as error:
        Fetcher().fetch(f"https://127.0.0.1:{server.server_address[1]}/page")
    assert (error.value.code, server.asked) == ("tls_error", [])
    server.shutdown()
    server.server_close()


def test_proxies_of_the_environment_are_not_used(site, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert Fetcher().fetch(f"{site.url}/page").data == inputs.page()


def test_nothing_else_opens_a_connection(tmp_path):
    """Every kind of input, into a table and into a run, in processes whose sockets raise and say so in a file."""
    told = tmp_path / "connections.txt"
    (tmp_path / "sitecustomize.py").write_text(
        "import socket, traceback\n"
        f"def refuse(*args, **kwargs):\n    open({str(told)!r}, 'a').write(''.join(traceback.format_stack()) + repr(args))\n    raise OSError('a connection was opened')\n"
        "real = socket.socket.connect\n"
        "socket.socket.connect = lambda self, address: real(self, address) if self.family == getattr(socket, 'AF_UNIX', None) else refuse(address)\n"
        "socket.socket.connect_ex = socket.socket.sendto = refuse\n"
        "socket.getaddrinfo = socket.create_connection = socket.gethostbyname = refuse\n"
    )
    news = tmp_path / "news"
    news.mkdir()
    outside = '<img src="http://93.184.216.34/x.png"><script src="http://93.184.216.34/x.js"></script><link rel="stylesheet" href="http://93.184.216.34/x.css">'
    rows = inputs.records([inputs.TEXT])
    files = {
        "a.txt": inputs.TEXT.encode(), "a.html": inputs.page(head=outside), "a.mhtml": inputs.mhtml(inputs.page(head=outside)), "a.pdf": inputs.pdf(), "a.docx": inputs.docx(),
        "a.rss": inputs.feed([inputs.TEXT]), "b.rss": b'<?xml version="1.0"?><!DOCTYPE rss SYSTEM "http://93.184.216.34/x.dtd"><rss version="2.0"><channel><item><description>x</description></item></channel></rss>',
        "http.rss": b"http://93.184.216.34/feed", "a.csv": inputs.csv_table(rows), "a.xlsx": inputs.workbook(rows), "a.parquet": inputs.parquet(rows), "a.jsonl": inputs.jsonl(rows), "a.json": inputs.newspaper4k(),
        "a.warc.gz": inputs.warc([inputs.page(head=outside)]), "a.zip": inputs.packed({"a.html": inputs.page(head=outside)}),
    }  # fmt: skip
    for name, data in files.items():
        (news / name).write_bytes(data)
    import os

    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))}
    for output in (tmp_path / "claims.csv", tmp_path / "run"):
        done = subprocess.run([sys.executable, "-m", "accordingto", "extract", str(news), "-o", str(output)], env=environment, capture_output=True, timeout=300, check=False)
        assert done.returncode == 3, done.stderr.decode()  # b.rss or http.rss hold nothing
        assert not told.exists(), told.read_text()
    probe = subprocess.run([sys.executable, "-c", "import socket; socket.create_connection(('93.184.216.34', 80))"], env=environment, capture_output=True, check=False)
    assert probe.returncode == 1  # the watch works
    assert told.exists()
