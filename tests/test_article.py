import codecs
import io
import os

import pytest

from accordingto.article import MAX_BYTES, MAX_CHARS, article_from_text, decode_text, find_inputs, read_article, read_articles
from accordingto.errors import InputError

TEXT = "“Très bien,” said Zoë — 5 €.\r\nA second line.\n"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode("utf-8"),
        codecs.BOM_UTF8 + TEXT.encode("utf-8"),
        TEXT.encode("utf-16"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("cp1252"),
    ],
    ids=["utf-8", "utf-8 bom", "utf-16 bom", "utf-16-be bom", "utf-16-le", "utf-16-be", "windows-1252"],
)
def test_encodings_give_the_same_text_with_its_line_ends(data):
    assert decode_text(data, "x.txt") == TEXT


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 4, "binary"),
        (b"text with a NUL \0 in it", "binary"),
        (bytes(range(1, 9)) * 100, "binary"),
        ("half \ud83d a pair".encode("utf-8", "surrogatepass"), "decode_error"),
        (b"undefined in both: \x81\x8d\xff", "decode_error"),
        (codecs.BOM_UTF16_LE + b"\x00\xd8a", "decode_error"),
        (b"a" * (MAX_BYTES + 1), "too_large"),
    ],
)
def test_what_is_no_text_is_refused_with_its_reason(data, code):
    with pytest.raises(InputError, match=r"'x\.txt' was not read: .*; .*\.") as error:
        decode_text(data, "x.txt")
    assert error.value.code == code


@pytest.mark.parametrize(("text", "code"), [("", "empty"), (" \n\t", "empty"), ("a" * (MAX_CHARS + 1), "too_large"), ("a \ud800 b", "decode_error")])
def test_text_that_cannot_be_an_article_is_refused(text, code):
    with pytest.raises(InputError) as error:
        article_from_text(text)
    assert error.value.code == code


def test_article_without_a_name_gets_the_same_id_for_the_same_text():
    one, same, other = article_from_text("One."), article_from_text("One."), article_from_text("Two.")
    assert one.article_id == same.article_id != other.article_id
    assert one.article_id[0].isalpha()


def test_folders_are_searched_and_each_file_is_taken_once(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / ".hidden").mkdir()
    for name in ("z.txt", "b/a.md", "b/c.TXT", "b/page.html", ".hidden/x.txt"):
        (tmp_path / name).write_text("x")
    found = find_inputs([str(tmp_path), str(tmp_path / "z.txt"), str(tmp_path / "b" / "*.md")])
    assert [p.relative_to(tmp_path).as_posix() for p in found.paths] == ["z.txt", "b/a.md", "b/c.TXT"]
    assert (found.left_out, found.problems) == (1, ())


def test_names_without_files_are_problems(tmp_path):
    (tmp_path / "empty").mkdir()
    found = find_inputs([str(tmp_path / "empty"), str(tmp_path / "*.txt"), str(tmp_path / "gone.txt")])
    assert [p.code for p in found.problems] == ["nothing_to_read", "missing"]
    assert found.paths == (tmp_path / "gone.txt",)  # reported when it is read


def test_one_bad_file_never_stops_the_others(tmp_path):
    names = {"a.txt": b"Good.", "b.txt": b"", "c.txt": b"\0\1\2", "d.html": b"<p>", "e.txt": b"Good too."}
    for name, data in names.items():
        (tmp_path / name).write_bytes(data)
    problems = []
    paths = [*(tmp_path / name for name in names), tmp_path / "gone.txt", tmp_path]
    assert [a.article_id for a in read_articles(paths, problems)] == ["a", "e"]
    assert [p.code for p in problems] == ["empty", "binary", "unsupported", "missing", "unreadable"]
    assert len(problems) + 2 == len(paths)


def test_ids_are_unique_where_two_files_share_a_name(tmp_path):
    paths = []
    for folder, name in (("a", "x.txt"), ("b", "x.txt"), ("c", "x-2.txt"), ("d", "x.md")):
        (tmp_path / folder).mkdir()
        paths.append(tmp_path / folder / name)
        paths[-1].write_text(folder)
    ids = [a.article_id for a in read_articles(paths, [])]
    assert ids[0] == "x"
    assert len(set(ids)) == 4


def test_standard_input_is_an_article(monkeypatch):
    class Stdin:
        buffer = io.BytesIO(b"From a pipe.")

    monkeypatch.setattr("sys.stdin", Stdin)
    assert read_article("-").text == "From a pipe."


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_file_without_permission_is_unreadable(tmp_path):
    path = tmp_path / "locked.txt"
    path.write_text("x")
    path.chmod(0)
    with pytest.raises(InputError) as error:
        read_article(path)
    assert error.value.code == "unreadable"
