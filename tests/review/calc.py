"""A reviewer at LibreOffice Calc: sorts, filters, edits and deletes rows, and saves as another file. Run by the system's Python, which has `uno`.

usage: calc.py BOOK OUT.xlsx OUT.csv DATES.csv
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.table import TableSortField


def option(name, value):
    made = PropertyValue()
    made.Name, made.Value = name, value
    return made


def start(profile):
    pipe = f"accordingto{time.monotonic_ns()}"
    office = subprocess.Popen(["soffice", "--headless", "--norestore", f"-env:UserInstallation=file://{profile}", f"--accept=pipe,name={pipe};urp"], stderr=subprocess.DEVNULL)
    resolver = uno.getComponentContext().ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", uno.getComponentContext())
    for _ in range(300):
        try:
            context = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
            return office, context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
        except Exception:
            time.sleep(0.2)
    office.kill()
    raise SystemExit("LibreOffice did not start")


def column_of(sheet, columns, name):
    return next(i for i in range(columns) if sheet.getCellByPosition(i, 0).String == name)


def review(book):
    """Do what a reviewer does, and print it."""
    sheet = book.Sheets.getByName("Claims")
    cursor = sheet.createCursor()
    cursor.gotoEndOfUsedArea(False)
    columns, rows = cursor.RangeAddress.EndColumn + 1, cursor.RangeAddress.EndRow + 1
    by = {name: column_of(sheet, columns, name) for name in ("claim_id", "decision", "corrected_speaker", "note", "reviewer", "stance", "framing", "confidence")}
    field = TableSortField()
    field.Field, field.IsAscending = by["confidence"], False
    data = sheet.getCellRangeByPosition(0, 0, columns - 1, rows - 1)
    data.sort((option("SortFields", uno.Any("[]com.sun.star.table.TableSortField", (field,))), option("ContainsHeader", True)))
    said = {"accepted": [], "rejected": [], "edited": [], "deleted": []}

    def cell(name, row):
        return sheet.getCellByPosition(by[name], row)

    for row in range(1, 11):
        cell("decision", row).String = "accept" if row % 3 else "reject"
        cell("reviewer", row).String = "Ann"
        said["accepted" if row % 3 else "rejected"].append(cell("claim_id", row).String)
    cell("corrected_speaker", 1).String = "Ann Lee"
    cell("note", 2).Formula = "-5 °C, he says"
    cell("framing", 4).String = "disputes" if cell("framing", 4).String != "disputes" else "distances"
    said["edited"] = [cell("claim_id", row).String for row in (1, 2, 4)]
    for row in (rows - 1, rows - 3):
        said["deleted"].append(cell("claim_id", row).String)
        sheet.Rows.removeByIndex(row, 1)
    book.DatabaseRanges  # noqa: B018  (the filter of the sheet lives there)
    shown = data.createFilterDescriptor(True)
    data.filter(shown)
    print(repr({**said, "rows": rows - 3}))


def main(source, xlsx, table, dates):
    profile = tempfile.mkdtemp()
    office, desktop = start(profile)
    try:
        book = desktop.loadComponentFromURL(Path(source).as_uri(), "_blank", 0, (option("Hidden", True),))
        review(book)
        book.CurrentController.setActiveSheet(book.Sheets.getByName("Claims")) if book.CurrentController else None
        book.storeAsURL(Path(xlsx).as_uri(), (option("FilterName", "Calc MS Excel 2007 XML"),))
        book.storeToURL(Path(table).as_uri(), (option("FilterName", "Text - txt - csv (StarCalc)"), option("FilterOptions", "59,34,76,1,,0,false,true,false,false,false,1")))
        book.close(True)
        book = desktop.loadComponentFromURL(Path(dates).as_uri(), "_blank", 0, (option("Hidden", True), option("FilterName", "Text - txt - csv (StarCalc)"), option("FilterOptions", "44,34,76,1,,2057,false,true")))
        book.storeToURL(Path(dates).as_uri(), (option("FilterName", "Text - txt - csv (StarCalc)"), option("FilterOptions", "59,34,76,1")))
        book.close(True)
    finally:
        try:
            desktop.terminate()
        except Exception:
            office.kill()
        office.wait(30)


main(*sys.argv[1:])
