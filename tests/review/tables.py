"""Reviewed tables for the tests: the run's own, as a person and a spreadsheet change them."""

import csv
import io
import random

import openpyxl


def read_book(path) -> list[dict]:
    header, *body = openpyxl.load_workbook(path)["Claims"].iter_rows(values_only=True)
    return [dict(zip(header, row)) for row in body]


def write_book(rows, path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Claims"
    book.active.append(list(rows[0]))
    for row in rows:
        book.active.append(list(row.values()))
        for cell in book.active[book.active.max_row]:
            cell.data_type = "s" if cell.data_type == "f" else cell.data_type
    book.save(path)


def read_csv(path) -> list[dict]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


def write_csv(rows, path, separator=",", encoding="utf-8") -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        lines = csv.DictWriter(file, list(rows[0]), delimiter=separator)
        lines.writeheader()
        lines.writerows(rows)


def review(rows: list[dict], reviewer="Ann") -> dict[str, list[str]]:
    """Decide, correct and annotate rows where they stand, drop three and shuffle the rest; return what was done, by claim_id."""
    for row in rows[:10]:
        row.update(decision="accept", reviewer=reviewer)
    for row in rows[10:14]:
        row.update(decision="Rejected ", reviewer=reviewer)
    rows[14].update(decision="unsure", note="=1+1 'tis so", reviewer=reviewer)
    rows[0].update(corrected_speaker="Ann  Lee", corrected_stance="deny" if rows[0]["stance"] != "deny" else "ask")
    rows[1].update(corrected_claim="it rains … or “not”")
    rows[20].update(corrected_speaker="Ada", reviewer=reviewer)  # no verdict
    rows[2]["framing"] = "disputes"  # a label where it stands
    done = {"accepted": rows[:10], "rejected": rows[10:14], "unsure": rows[14:15], "edited": [rows[i] for i in (0, 1, 2, 14, 20)], "only_edited": [rows[20]], "untouched": rows[15:20] + rows[21:-3]}
    ids = {name: sorted(row["claim_id"] for row in some) for name, some in done.items()}
    del rows[-3:]
    random.Random(6).shuffle(rows)
    return ids
