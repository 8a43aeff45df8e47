"""Files made to harm: in the reading process, as a run reads them; each gives an outcome, and the next file is read as ever."""

import io
import zipfile

import pytest

import inputs
from accordingto.sandbox import Sandbox
from accordingto.schema import Problem

DEADLINE = 20.0
LAUGHS = '<!DOCTYPE l [<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12)) + "<!ENTITY own '&a11;'>]>"  # a hundred billion laughs


@pytest.fixture(scope="module")
def reading():
    child = Sandbox(deadline=DEADLINE)
    yield child
    child.close()


def read(child, name, data):
    """Return codes of problems and texts of articles; and see that the child is well."""
    found = [o.code if isinstance(o, Problem) else o.text for o in child.outcomes((name, data))]
    assert [o.text for o in child.outcomes(("next.csv", b"text\nOne.\n"))] == ["One."]
    return found


def with_entity(data, member, doctype):
    """Return a DOCX or XLSX whose first text refers to the entity `own` of a document type."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == member:
                text = content.decode()
                text = text.split("?>", 1)[1] if text.startswith("<?xml") else text
                at = next(text.index(end) for end in ("</w:t>", "</t>") if end in text)
                content = f'<?xml version="1.0"?>{doctype}{text[:at]}&own;{text[at:]}'.encode()
            new.writestr(name, content)
    return out.getvalue()


PACKAGES = {"a.docx": (inputs.docx(), "word/document.xml"), "a.xlsx": (inputs.workbook(inputs.records([inputs.TEXT])), "xl/worksheets/sheet1.xml")}


@pytest.mark.parametrize("name", PACKAGES)
def test_laughing_documents_are_refused(reading, name):
    assert read(reading, name, with_entity(*PACKAGES[name], LAUGHS)) == ["damaged"]


@pytest.mark.parametrize("name", PACKAGES)
def test_documents_take_in_no_other_file(reading, tmp_path, name):
    (tmp_path / "secret.txt").write_text("SESAME")
    (outcome,) = read(reading, name, with_entity(*PACKAGES[name], f'<!DOCTYPE l [<!ENTITY own SYSTEM "{(tmp_path / "secret.txt").as_uri()}">]>'))
    assert "SESAME" not in outcome
    assert outcome == "damaged" or outcome.endswith("any letter.")  # python-docx leaves the entity out, openpyxl refuses the workbook


def test_page_of_a_million_open_tags_gives_what_it_holds(reading):
    page = inputs.page()
    (text,) = read(reading, "a.html", page.replace(b"</article>", b"<b>" * 1_000_000 + b"</article>"))
    assert text.endswith(inputs.TEXT)
    assert read(reading, "b.html", b"<html><body>" + b"<div>" * 200_000 + b"It rained.") == ["html_no_article"]


def test_cell_that_spans_all_columns_fills_no_memory(reading):
    (text,) = read(reading, "a.html", inputs.page().replace(b"</article>", b"<table><tr><td colspan=9007199254740992>It rained</td></tr></table></article>"))
    assert inputs.TEXT in text
    assert len(text) < 100_000


def test_table_of_a_million_rows_ends_at_the_deadline():
    child = Sandbox(deadline=2.0)
    try:
        assert read(child, "a.html", inputs.page().replace(b"</article>", b"<table>" + b"<tr><td>a" * 1_000_000 + b"</table></article>")) == ["timeout"]
    finally:
        child.close()


def test_page_that_lies_about_its_letters_is_read(reading):
    (text,) = read(reading, "a.html", inputs.page().replace(b'charset="utf-8"', b'charset="utf-16"'))
    assert "“We will not close it again,”" in text


@pytest.mark.parametrize("name", ["CON.txt", "aux", "a" * 300 + ".txt", "x/" * 200 + "a.txt", "a\x1b[31m\u202etxt.txt", "~/a.txt", "$(reboot).txt"])
def test_odd_names_in_archives_are_names_and_never_paths(reading, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    assert read(reading, "a.zip", inputs.packed({name: b"Good."})) == ["Good."]
    assert list(tmp_path.iterdir()) == []
