"""All errors that a user can meet; each says what, why, and what to do.

AccordingToError
├── InputError       an input that cannot be read; the others go on
├── ModelError       a pipeline that is missing, damaged or of another version
├── OutputError      a table or a page that cannot be written
├── RunError         a run's folder that cannot be used, or not with these options
├── IncompleteError  a run that stopped before its end and can go on
├── TableError       a table of claims that cannot be read
├── DecisionError    a reviewer's decision that says nothing that can be done
├── GoldError        gold data that cannot be scored against
├── FloorError       a score below its pinned floor
└── TrainingError    a training that cannot start or go on
"""

from __future__ import annotations

from pathlib import Path

REASONS = {  # reason codes of inputs that gave no article (ECOSYSTEM.md section 6), with what to do
    "missing": "check the path",
    "unreadable": "check its permissions",
    "empty": "remove it from the inputs",
    "binary": "give text, a page, a document or a table",
    "unsupported": "save it as text, HTML, PDF or DOCX",
    "too_large": "split it into articles",
    "decode_error": "save it as UTF-8",
    "nothing_to_read": "give files that hold articles (README, What it reads), or a folder that holds some",
    "damaged": "get it again from where it came",
    "corrupt_member": "get the archive again from where it came",
    "truncated_record": "get the archive again from where it came; its end is missing",
    "unsafe_name": "pack the archive again without that name",
    "encrypted": "save it without a password",
    "no_text_layer": "run OCR over it first",
    "html_no_article": "save the article's own page, as the browser shows it",
    "bad_row": "correct the row",
    "missing_text": "name the column that holds the articles with --text-column",
    "ambiguous_columns": "name the one that holds the articles with --text-column",
    "unsupported_language": "only English is read",
    "missing_package": "install what it names",
    "http_status": "open it in a browser and save the page",
    "ssrf_blocked": "give the address of a public page",
    "tls_error": "open it in a browser and see what it says of the certificate",
    "timeout": "try it alone with `accordingto retry`, or leave it out",
    "crashed": "report it with the file, and run the others without it",
    "changed": "give the same command again",
    "oom": "split it, or give a worker more with --worker-memory",
    "failed": "report it with the file, and run the others without it",
}


class AccordingToError(Exception):
    """The base of all errors of this package; its text is for the user."""

    def __reduce__(self) -> tuple[object, ...]:
        """Return how a worker sends an error to its parent: as its text, not by the values that made it."""
        return _revived, (type(self), str(self)), vars(self)


def _revived(kind: type[AccordingToError], text: str) -> AccordingToError:
    error = kind.__new__(kind)
    Exception.__init__(error, text)
    return error


class InputError(AccordingToError):
    """An input that gave no article."""

    def __init__(self, path: str, code: str, why: str) -> None:
        self.path, self.code, self.why = path, code, why
        super().__init__(f"{path!r} was not read: {why}; {REASONS[code]}.")


class ModelError(AccordingToError):
    """A pipeline that cannot be loaded."""

    def __init__(self, path: Path | str, why: str) -> None:
        super().__init__(f"the model {str(path)!r} cannot be loaded: {why}; install accordingto again, or name another folder with --model.")


class OutputError(AccordingToError):
    """A table or a page that cannot be written."""

    def __init__(self, path: Path | str, why: str, remedy: str) -> None:
        super().__init__(f"{str(path)!r} was not written: {why}; {remedy}.")


class TableError(AccordingToError):
    """A table of claims that cannot be read."""

    def __init__(self, path: Path | str, why: str, remedy: str) -> None:
        super().__init__(f"the table {str(path)!r} was not read: {why}; {remedy}.")


class RunError(AccordingToError):
    """A run's folder that cannot be used."""

    def __init__(self, folder: Path | str, why: str, remedy: str) -> None:
        super().__init__(f"the run {str(folder)!r} cannot be used: {why}; {remedy}.")


class IncompleteError(AccordingToError):
    """A run that stopped before its end."""

    def __init__(self, folder: Path | str, why: str) -> None:
        super().__init__(f"the run {str(folder)!r} is not complete: {why}; give the same command again to go on.")


class DecisionError(AccordingToError):
    """A reviewer's decision that says nothing that can be done."""

    def __init__(self, which: str, why: str, remedy: str) -> None:
        super().__init__(f"{which} was not taken: {why}; {remedy}.")


class GoldError(AccordingToError):
    """Gold data that cannot be scored against."""

    def __init__(self, path: Path | str, why: str) -> None:
        super().__init__(f"{str(path)!r} is no gold data: {why}; give JSON lines, one article each, with `id`, `text` and `attributions`.")


class FloorError(AccordingToError):
    """A score below its pinned floor."""

    def __init__(self, figures: str) -> None:
        super().__init__(f"a score fell below its floor: {figures}; find the change that cost it, or lower the floor in its file and say why.")


class TrainingError(AccordingToError):
    """A training that cannot start or go on."""

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(f"the training cannot run: {why}; {remedy}.")
