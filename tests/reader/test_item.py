"""What each kind of file gives: the text and the metadata of real generators' files, and a reason for each broken one."""

import json

import pytest

import inputs
from accordingto.errors import InputError
from accordingto.reader import blob as blobs
from accordingto.reader.blob import blob_of_bytes
from accordingto.reader.item import article_as_json, article_from_json, items_of
from inputs import META, TEXT

ROWS = inputs.records([TEXT, TEXT + " More."])


def read(name, data, **options):
    """Return the articles and reason codes that a file gives, in order."""
    out = []
    try:
        for item in items_of(blob_of_bytes(name, data), **options):
            try:
                out.append(item.read())
            except InputError as error:
                out.append(error.code)
    except InputError as error:
        out.append(error.code)
    return out


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.html", inputs.page()),
        ("a.mhtml", inputs.mhtml(inputs.page())),
        ("a.html.gz", inputs.gzipped(inputs.page())),
        ("a.warc", inputs.warc([inputs.page()], compressed=False)),
        ("a.warc.gz", inputs.warc([inputs.page()])),
        ("a.zip", inputs.packed({"x/a.html": inputs.page(), "__MACOSX/a.html": b"x", ".DS_Store": b"x"})),
        ("b.zip", inputs.packed({"a.warc.gz": inputs.warc([inputs.page()])})),
    ],
)
def test_pages_give_the_article_and_its_metadata(name, data):
    (article,) = read(name, data)
    assert article.text.split("\n", 1)[1] == TEXT  # the first line is the title, which trafilatura keeps
    assert (article.title, article.publisher, article.published, article.authors, article.language) == (META["title"], META["publisher"], META["published"], (META["author"],), "en")
    assert article.url.startswith(META["url"])


@pytest.mark.parametrize(
    ("name", "data", "publisher", "published"),
    [
        ("a.csv", inputs.csv_table(ROWS), META["publisher"], "2025-03-04"),
        ("a.csv", inputs.csv_table(ROWS, delimiter=";", encoding="cp1252"), META["publisher"], "2025-03-04"),
        ("a.csv", inputs.csv_table(ROWS, encoding="utf-8-sig"), META["publisher"], "2025-03-04"),
        ("a.csv", inputs.csv_table(ROWS, encoding="utf-16"), META["publisher"], "2025-03-04"),
        ("a.tsv", inputs.csv_table(ROWS, delimiter="\t"), META["publisher"], "2025-03-04"),
        ("a.xlsx", inputs.workbook(ROWS), META["publisher"], "2025-03-04"),
        ("a.parquet", inputs.parquet(ROWS), META["publisher"], "2025-03-04"),
        ("a.jsonl", inputs.jsonl(ROWS), META["publisher"], "2025-03-04"),
        ("a.jsonl.gz", inputs.gzipped(inputs.jsonl(ROWS)), META["publisher"], "2025-03-04"),
        ("a.json", json.dumps({"articles": ROWS}).encode(), META["publisher"], "2025-03-04"),
        ("a.zip", inputs.packed({"a.csv": inputs.csv_table(ROWS)}), META["publisher"], "2025-03-04"),
        ("fundus.json", inputs.fundus([TEXT, TEXT + " More."]), "", META["published"]),
        ("feed.rss", inputs.feed([TEXT, TEXT + " More."]), META["publisher"], META["published"]),
        ("feed.xml", inputs.feed([TEXT, TEXT + " More."], atom=True), META["publisher"], META["published"]),
    ],
)
def test_tables_and_feeds_give_an_article_a_row(name, data, publisher, published):
    first, second = read(name, data)
    assert (first.text, second.text) == (TEXT, TEXT + " More.")
    assert (first.title, first.publisher, first.published) == (META["title"], publisher, published)
    assert first.url.startswith(META["url"])


def test_ids_and_other_columns_are_carried_through():
    first, _ = read("a.csv", inputs.csv_table(ROWS))
    assert (first.article_id, first.src) == ("n0", {"beat": "roads"})


@pytest.mark.parametrize("data", [inputs.news_please(), inputs.newspaper4k()], ids=["news-please", "newspaper4k"])
def test_json_of_crawlers_is_read(data):
    (article,) = read("a.json", data)
    assert (article.text, article.title, article.authors, article.language, article.url) == (TEXT, META["title"], (META["author"],), "en", META["url"])
    assert article.published.startswith("2025-03-04T09:41:00")
    assert article.src["published"].startswith("2025-03-04 09:41:00")


def test_pdf_lines_become_paragraphs():
    (article,) = read("a.pdf", inputs.pdf())
    assert article.text == TEXT.replace("“", '"').replace("”", '"')
    assert (article.title, article.authors, article.published) == (META["title"], (META["author"],), "")


def test_docx_gives_its_paragraphs():
    (article,) = read("a.docx", inputs.docx())
    assert (article.text, article.title, article.authors) == (TEXT, META["title"], (META["author"],))


@pytest.mark.parametrize(
    ("name", "data", "codes"),
    [
        ("a.html", b" \n", ["empty"]),
        ("a.html", b"<html><body><nav>Home</nav></body></html>", ["html_no_article"]),
        ("a.html", b"\0\1\2" * 100, ["binary"]),
        ("a.mhtml", b"no envelope", ["damaged"]),
        ("a.pdf", inputs.pdf(scanned=True), ["no_text_layer"]),
        ("a.pdf", inputs.pdf(password="x"), ["encrypted"]),
        ("a.pdf", inputs.pdf()[:300], ["damaged"]),
        ("a.docx", inputs.docx()[:900], ["damaged"]),
        ("a.docx", inputs.docx(""), ["empty"]),
        ("a.docx", b"\xd0\xcf\x11\xe0" + b"x" * 99, ["encrypted"]),
        ("a.xlsx", inputs.workbook(ROWS)[:-500], ["damaged"]),
        ("a.parquet", inputs.parquet(ROWS)[:-9], ["damaged"]),
        ("a.rss", b"<rss version='2.0'><channel></channel></rss>", ["nothing_to_read"]),
        ("a.rss", inputs.feed([""]), ["missing_text"]),
        ("a.xml", b"<catalog><book/></catalog>", ["unsupported"]),
        ("a.xml", b'<!DOCTYPE r [<!ENTITY a "aaaa">]><rss version="2.0"><channel><title>&a;</title></channel></rss>', ["damaged"]),
        ("a.csv", b"", ["empty"]),
        ("a.csv", b"headline,date\nx,y\n", ["missing_text"]),
        ("a.csv", b"text,body\nx,y\n", ["ambiguous_columns"]),
        ("a.csv", b"text,title\nGood.,x,y,z\n,t\nFine.,t\n", ["bad_row", "empty", "Fine."]),
        ("a.csv", b"text\n" + b"\xe2\x80\x9c utf-8\n\x93 windows\nneither \x81\nlast\n", ["“ utf-8", "“ windows", "bad_row", "last"]),
        ("a.jsonl", b'{"text": "Good."}\n{"text": \n[1]\n{"title": "t"}\n{"text": ""}\n', ["Good.", "bad_row", "bad_row", "missing_text", "empty"]),
        ("a.jsonl", b'{"text": "a", "body": "b"}\n{"text": "a", "body": "a"}\n', ["ambiguous_columns", "a"]),
        ("a.json", b"[" * 100_000, ["damaged"]),
        ("a.json", b"3", ["missing_text"]),
        ("a.rtf", b"{\\rtf1}", ["unsupported"]),
        ("a.gz", inputs.gzipped(TEXT.encode())[:-20], ["corrupt_member"]),
        ("a.gz.gz", inputs.gzipped(b"x"), ["unsupported"]),
        ("a.zip", b"PK no", ["damaged"]),
        ("a.zip", inputs.packed({"a.txt": b"Good.", "b.zip": b"x", "c.png": b"x"}), ["Good.", "unsupported", "unsupported"]),
    ],
)
def test_broken_files_are_refused_with_their_reason(name, data, codes):
    assert [a if isinstance(a, str) else a.text for a in read(name, data)] == codes


def test_text_column_settles_what_is_ambiguous():
    (article,) = read("a.csv", b"text,body\nx,y\n", text_column="body")
    assert (article.text, article.src) == ("y", {"text": "x"})
    assert read("a.csv", b"text,body\nx,y\n", text_column="gone") == ["missing_text"]


@pytest.mark.parametrize("name", ["../../x.txt", "/etc/x.txt", "C:\\x.txt", "a/../../x.txt"])
def test_names_that_lead_out_of_an_archive_are_refused(name):
    good, bad = sorted(read("a.zip", inputs.packed({name: b"Bad.", "good.txt": b"Good."})), key=lambda a: isinstance(a, str))
    assert (good.text, bad) == ("Good.", "unsafe_name")


def test_links_and_passwords_in_archives_are_refused():
    import io
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("link.txt")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("locked.txt", "x")
    data = bytearray(out.getvalue())
    for signature, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        data[data.rindex(signature) + at] |= 1  # the flag of encryption
    assert read("a.zip", bytes(data)) == ["unsafe_name", "encrypted"]


@pytest.mark.parametrize(("name", "pack"), [("a.txt.gz", inputs.gzipped), ("a.html.gz", inputs.gzipped), ("a.jsonl.gz", inputs.gzipped), ("a.zip", lambda data: inputs.packed({"a.jsonl": data}))])
def test_bombs_are_refused(monkeypatch, name, pack):
    monkeypatch.setattr(blobs, "RATIO_FROM", 1_000_000)
    bomb = pack(b'{"text": "x"}\n' + b" " * 100_000_000)
    assert len(bomb) < 200_000
    assert read(name, bomb)[-1] == "too_large"


def test_package_that_is_a_bomb_is_refused():
    bomb = inputs.packed({"word/document.xml": b"0" * 300_000_000})
    assert read("a.docx", bomb) == ["too_large"]
    assert read("a.xlsx", bomb) == ["too_large"]


def test_article_survives_the_pipe_between_processes():
    (article,) = read("a.json", inputs.newspaper4k("Odd \u2028 text \U0001f600"))
    assert article_from_json(article_as_json(article)) == article
