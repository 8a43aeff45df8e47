import pytest

from accordingto.reader.record import article_from_record, parse_date


@pytest.mark.parametrize(
    ("written", "parsed"),
    [
        ("2025-03-04", "2025-03-04"),
        ("2025-03-04T09:41:00Z", "2025-03-04T09:41:00Z"),
        ("2025-03-04 09:41:00", "2025-03-04T09:41:00"),
        ("2025-03-04 00:00:00", "2025-03-04"),
        ("Tue, 04 Mar 2025 09:41:00 GMT", "2025-03-04T09:41:00+00:00"),
        ("25/12/2024", "2024-12-25"),
        ("12/25/2024", "2024-12-25"),
        ("05/06/2024", "05/06/2024"),  # day and month cannot be told apart
        ("99/99/2024", "99/99/2024"),
        ("last week", "last week"),
        ("", ""),
    ],
)
def test_dates_are_iso_or_as_they_were(written, parsed):
    assert parse_date(written) == parsed


@pytest.mark.parametrize(("authors", "names"), [("By Ann Lee and Jo Park", ("Ann Lee", "Jo Park")), ("A; B", ("A", "B")), (["A, B", "C"], ("A, B", "C")), ("", ()), (None, ())])
def test_authors_are_names(authors, names):
    assert article_from_record({"text": "x", "authors": authors}, "t").authors == names


def test_names_of_columns_are_compared_without_case_spaces_and_underscores():
    article = article_from_record({"Full Text": "x", "PUBLISH_DATE": "2025-01-02", "Media Name": "P", "Stories ID": 7.0, "tags": ["a", "b"]}, "t")
    assert (article.text, article.published, article.publisher, article.article_id, article.src) == ("x", "2025-01-02", "P", "7", {"tags": "a, b"})
