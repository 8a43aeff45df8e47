"""Articles read in order, by this process and by workers: the same claims, each article in its place."""

import pytest

from accordingto.errors import ModelError
from accordingto.pool import Failure
from accordingto.reading import ALONE, read_in_order
from accordingto.schema import MAX_CHARS, Article

MEMORY = 6_000_000_000


def articles(count):
    """Articles of different lengths, the fourth too long for a Doc."""
    for i in range(count):
        text = f"Mayor Ann Lee {i} said the bridge was safe.\n\n“It will open on Monday,” she added. " * (1 + i % 5)
        yield Article(f"a{i}", "x " * (MAX_CHARS // 2 + 1) if i == 3 else text, title=f"Bridge {i}", authors=("Jo Roe",))


def read(count, workers):
    return list(read_in_order(articles(count), model=None, guideline=None, workers=workers, memory=MEMORY))


def test_workers_read_what_one_process_reads_each_article_in_its_place():
    alone, together = read(2 * ALONE, 1), read(2 * ALONE, 2)
    assert [article.article_id for article, _ in together] == [f"a{i}" for i in range(2 * ALONE)]
    assert together == alone
    assert [article.article_id for article, found in together if isinstance(found, Failure)] == ["a3"]
    assert all(found and found[0].title == article.title for article, found in together if not isinstance(found, Failure))


def test_few_articles_are_read_without_workers(monkeypatch):
    monkeypatch.setattr("accordingto.reading.Pool", None)  # to start one would fail
    assert len(read(5, 2)) == 5


def test_nothing_to_read_needs_no_model(tmp_path):
    assert list(read_in_order([], model=tmp_path, guideline=None, workers=2, memory=MEMORY)) == []


def test_model_that_no_worker_can_load_is_told(tmp_path):
    with pytest.raises(ModelError, match=r"meta\.json"):
        list(read_in_order(articles(ALONE + 2), model=tmp_path, guideline=None, workers=2, memory=MEMORY))


def test_memory_that_no_worker_can_live_with_is_told():
    with pytest.raises(ModelError, match="--worker-memory"):
        list(read_in_order(articles(ALONE + 2), model=None, guideline=None, workers=2, memory=100_000_000))
