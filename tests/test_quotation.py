import pytest

from accordingto.quotation import quotation_of, quoted_spans


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("“I won,” he said.", ["“I won,”"]),
        ('He said "yes" and "no".', ['"yes"', '"no"']),
        ("‘We will go,’ she said. ‘Soon.’", ["‘We will go,’", "‘Soon.’"]),
        ("She said 'it is the workers' fault' today.", ["'it is the workers'"]),  # a plural's apostrophe cannot be told from a closing mark
        ("It’s John’s and the workers’ own.", []),
        ("«Jamais», dit-il. „Nie“", ["«Jamais»", "„Nie“"]),
        ("“He called it ‘mad’ twice.”", ["“He called it ‘mad’ twice.”"]),
        ("“It goes on\n\n“and on,” he said", ["“It goes on", "“and on,”"]),
        ('An odd " mark.\nNext.', ['" mark.']),
        ("", []),
    ],
)
def test_quoted_spans(text, quoted):
    assert [text[s:e] for s, e in quoted_spans(text)] == quoted


@pytest.mark.parametrize(
    ("content", "expected"),
    [("“I won,”", "direct"), ("that “I won”", "mixed"), ("and lost", "indirect"), ("", "indirect")],
)
def test_quotation_is_a_property_of_the_letters(content, expected):
    text = "“I won,” he said, and added that “I won” and lost."
    start = text.index(content)
    assert quotation_of([(start, start + len(content))], quoted_spans(text), text) == expected
