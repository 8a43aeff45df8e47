import io
import os

import pytest

from accordingto.article import article_from_text, find_inputs, read_article, read_articles
from accordingto.errors import InputError
from accordingto.schema import MAX_CHARS


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
    (tmp_path / "b" / "page_files").mkdir()
    for name in ("z.txt", "b/a.md", "b/c.TXT", "b/page.html", "b/page_files/frame.html", "b/picture.png", ".hidden/x.txt"):
        (tmp_path / name).write_text("x")
    found = find_inputs([str(tmp_path), str(tmp_path / "z.txt"), str(tmp_path / "b" / "*.md")])
    assert [p.relative_to(tmp_path).as_posix() for p in found.paths] == ["z.txt", "b/a.md", "b/c.TXT", "b/page.html"]
    assert (found.left_out, found.problems) == (1, ())


def test_names_without_files_are_problems(tmp_path):
    (tmp_path / "empty").mkdir()
    found = find_inputs([str(tmp_path / "empty"), str(tmp_path / "*.txt"), str(tmp_path / "gone.txt")])
    assert [p.code for p in found.problems] == ["nothing_to_read", "missing"]
    assert found.paths == (tmp_path / "gone.txt",)  # reported when it is read


def test_one_bad_file_never_stops_the_others(tmp_path):
    names = {"a.txt": b"Good.", "b.txt": b"", "c.txt": b"\0\1\2", "d.rtf": b"{rtf", "e.txt": b"Good too."}
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
