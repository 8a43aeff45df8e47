"""Files of every kind that is read, as real generators write them; used by the tests and by benchmarks/mixed_inputs.py."""

import csv
import gzip
import html
import io
import json
import zipfile
from email.message import EmailMessage

TEXT = (
    "Officials said on Monday that the northern bridge was safe after engineers had inspected every one of its forty bolts.\n"
    "“We will not close it again,” the mayor, Ann Lee, told reporters outside the town hall. She added that traffic would return to normal within a week.\n"
    "According to the inspection report, two beams must be replaced before the winter, and the county has set aside the money for them.\n"
    "Residents claimed that they had warned the council about rust as early as March, but the council denied having received any letter."
)
META = {"title": "Bridge is safe, officials say", "publisher": "The Daily Plain", "author": "Jo Park", "published": "2025-03-04T09:41:00+00:00", "url": "https://plain.example/bridge"}


def page(text: str = TEXT, *, title: str = META["title"], head: str = "") -> bytes:
    """Return a web page with an article, a menu, a sidebar and a footer."""
    paragraphs = "".join(f"<p>{html.escape(line)}</p>" for line in text.split("\n"))
    data = json.dumps({"@context": "https://schema.org", "@type": "NewsArticle", "headline": title, "datePublished": META["published"]})
    return f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)} | {META["publisher"]}</title>
<meta property="og:title" content="{html.escape(title)}"><meta property="og:site_name" content="{META["publisher"]}"><meta name="author" content="{META["author"]}">
<link rel="canonical" href="{META["url"]}"><script type="application/ld+json">{data}</script>{head}</head>
<body><nav><ul><li><a href="/">Home</a></li><li><a href="/sport">Sport</a></li></ul></nav>
<main><article><h1>{html.escape(title)}</h1><p class="byline">By {META["author"]}</p>{paragraphs}</article></main>
<aside><h3>Most read</h3><ul><li><a href="/a">Ten things</a></li></ul></aside><footer>Copyright 2025 {META["publisher"]}. All rights reserved.</footer></body></html>""".encode()


def mhtml(body: bytes) -> bytes:
    """Return a page as Chromium saves it."""
    message = EmailMessage()
    message["From"] = "<Saved by Blink>"
    message["Snapshot-Content-Location"] = META["url"]
    message["Subject"] = META["title"]
    message["MIME-Version"] = "1.0"
    message.make_related()
    message.add_related(body, maintype="text", subtype="html", cte="quoted-printable")
    message.add_related(b"body { color: black }", maintype="text", subtype="css")
    return bytes(message)


def pdf(text: str = TEXT, *, password: str = "", scanned: bool = False) -> bytes:
    """Return a PDF set in lines by reportlab; scanned: its page is a picture."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.lib.utils import simpleSplit
    from reportlab.pdfgen import canvas

    out = io.BytesIO()
    sheet = canvas.Canvas(out, pagesize=A4, encrypt=password or None, invariant=1)
    sheet.setTitle(META["title"])
    sheet.setAuthor(META["author"])
    style = getSampleStyleSheet()["BodyText"]
    y = 780
    for paragraph in [] if scanned else text.split("\n"):
        for line in simpleSplit(paragraph.replace("“", '"').replace("”", '"'), style.fontName, 11, 440):
            sheet.setFont(style.fontName, 11)
            sheet.drawString(72, y, line)
            y -= 14
            if y < 60:
                sheet.showPage()
                y = 780
        y -= 10
    if scanned:
        sheet.rect(100, 100, 300, 300, fill=1)
    sheet.save()
    return out.getvalue()


def docx(text: str = TEXT) -> bytes:
    """Return a DOCX."""
    import docx as library

    document = library.Document()
    document.core_properties.title, document.core_properties.author = META["title"], META["author"]
    for line in text.split("\n"):
        document.add_paragraph(line)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def feed(texts: list[str], *, atom: bool = False) -> bytes:
    """Return an RSS or Atom feed with the texts as items."""
    bodies = [html.escape("".join(f"<p>{html.escape(line)}</p>" for line in text.split("\n"))) for text in texts]
    if atom:
        entries = "".join(f'<entry><title>{META["title"]}</title><link href="{META["url"]}/{i}"/><id>urn:{i}</id><updated>{META["published"]}</updated><content type="html">{body}</content></entry>' for i, body in enumerate(bodies))
        return f'<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>{META["publisher"]}</title><id>urn:f</id><updated>{META["published"]}</updated>{entries}</feed>'.encode()
    entries = "".join(f"<item><title>{META['title']}</title><link>{META['url']}/{i}</link><pubDate>Tue, 04 Mar 2025 09:41:00 GMT</pubDate><description>{body}</description></item>" for i, body in enumerate(bodies))
    return f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>{META["publisher"]}</title><language>en</language>{entries}</channel></rss>'.encode()


def records(texts: list[str]) -> list[dict[str, str]]:
    """Return texts as records of a table."""
    return [{"id": f"n{i}", "Headline": META["title"], "media_name": META["publisher"], "publish_date": "2025-03-04", "url": f"{META['url']}/{i}", "Text": text, "beat": "roads"} for i, text in enumerate(texts)]


def csv_table(rows: list[dict[str, str]], *, delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    """Return records as CSV."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def workbook(rows: list[dict[str, str]]) -> bytes:
    """Return records as XLSX."""
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(list(rows[0]))
    for row in rows:
        book.active.append(list(row.values()))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def parquet(rows: list[dict[str, str]]) -> bytes:
    """Return records as Parquet."""
    import pyarrow
    import pyarrow.parquet

    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), out)
    return out.getvalue()


def jsonl(rows: list[dict[str, str]]) -> bytes:
    """Return records as JSON lines."""
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def news_please(text: str = TEXT) -> bytes:
    """Return an article as news-please writes it: `text` is null beside `maintext`."""
    facts = {"authors": [META["author"]], "date_publish": "2025-03-04 09:41:00", "filename": "x.json", "language": "en", "source_domain": "plain.example"}
    return json.dumps(facts | {"maintext": text, "text": None, "title": META["title"], "title_page": None, "url": META["url"]}).encode()


def newspaper4k(text: str = TEXT) -> bytes:
    """Return an article as newspaper4k writes it."""
    facts = {"url": META["url"], "title": META["title"], "authors": [META["author"]], "publish_date": "2025-03-04 09:41:00+00:00"}
    return json.dumps(facts | {"text": text, "meta_lang": "en", "meta_site_name": META["publisher"], "keywords": ["bridge"], "images": []}).encode()


def fundus(texts: list[str]) -> bytes:
    """Return articles as Fundus writes them: a list, with the body in parts beside `plaintext`."""
    facts = {"title": META["title"], "authors": [META["author"]], "publishing_date": META["published"], "topics": ["roads"], "free_access": True}
    origin = {"requested_url": META["url"], "crawl_date": META["published"]}
    bodies = [{"summary": [], "sections": [{"headline": [], "paragraphs": text.split("\n")}]} for text in texts]
    return json.dumps([facts | {"plaintext": text, "body": body, "html": origin} for text, body in zip(texts, bodies)]).encode()


def warc(pages: list[bytes], *, compressed: bool = True) -> bytes:
    """Return a web archive with the pages, a request before each and a picture at the end, as warcio writes it."""
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    out = io.BytesIO()
    writer = WARCWriter(out, gzip=compressed)
    fixed = {"WARC-Date": "2025-03-04T10:00:00Z"}

    def add(number: int, kind: str, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        head = StatusAndHeaders(status, headers, protocol="HTTP/1.1")
        own = fixed | {"WARC-Record-ID": f"<urn:uuid:00000000-0000-0000-0000-{number:012}>"}
        writer.write_record(writer.create_warc_record(f"{META['url']}/{number}", kind, payload=io.BytesIO(body), http_headers=head, warc_headers_dict=own))

    for i, body in enumerate(pages):
        add(2 * i, "request", "GET / HTTP/1.1", [("Host", "plain.example")], b"")
        add(2 * i + 1, "response", "200 OK", [("Content-Type", "text/html; charset=utf-8")], body)
    add(999, "response", "200 OK", [("Content-Type", "image/png")], b"\x89PNG")
    return out.getvalue()


def packed(members: dict[str, bytes]) -> bytes:
    """Return a zip file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2025, 3, 4, 10, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def gzipped(data: bytes) -> bytes:
    """Return gzipped bytes."""
    return gzip.compress(data, mtime=0)
