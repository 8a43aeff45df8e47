"""The reviewed table: what was decided in a run, as CSV or XLSX, and back by `import` without a change."""

import shutil

import pytest
from test_exported import decide, reviewed, run, unreviewed  # noqa: F401

from accordingto.errors import OutputError
from accordingto.export.exported import ExportOptions, export_run
from accordingto.export.sheet import check_rows
from accordingto.review.imported import import_tables
from accordingto.review.log import DecisionLog
from accordingto.review.rows import read_states, reviewed_rows
from accordingto.review.runs import read_run
from accordingto.reviewed import read_reviewed
from accordingto.row import read_rows


@pytest.fixture
def decided(reviewed):  # noqa: F811
    """The reviewed run with corrections of every kind, a lead, and an edit of two reviewers."""
    whole = read_run(reviewed)
    first, second = whole.articles.with_claims
    sha = {a: whole.articles[a]["text_sha256"] for a in (first, second)}
    a, b = whole.claims_of(first), whole.claims_of(second)
    for name, new in (("speaker", "Ann  Lee "), ("claim", "=1+1 it “rains”\nhere"), ("framing", "disputes"), ("note", "see p. 3 "), ("speaker_role", "Mayor"), ("attitude_target", "Rome")):
        decide(reviewed, a[2], "edit", name, new, sha=sha[first])
    decide(reviewed, a[3], "edit", "speaker", "", sha=sha[first])
    decide(reviewed, a[4], "edit", "stance", "warn", sha=sha[first], reviewer="")
    decide(reviewed, a[5], "lead", "decision", "reject", sha=sha[first], reviewer="Lea")
    decide(reviewed, b[3], sha=sha[second], reviewer="Bob")
    decide(reviewed, "c_added", "edit", "speaker", "Zoë", sha=sha[first])
    return reviewed


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_reviewed_table_holds_every_claim_with_its_decision(decided, tmp_path, format):
    path = tmp_path / f"t.{format}"
    done = run("export", decided, "--format", format, "-o", path)
    assert done.returncode == 0, done.stderr
    rows = {row["claim_id"]: row for row in read_rows(path)}
    whole = read_run(decided)
    claims = list(whole.claims())
    a, b = (whole.claims_of(article) for article in whole.articles.with_claims)
    assert rows.keys() == {c.claim_id for c in claims} | {"c_added"}
    assert rows[a[0].claim_id]["decision"] == "reject"
    cells = rows[a[2].claim_id]
    assert (cells["speaker"], cells["corrected_speaker"], cells["corrected_claim"].split(), cells["framing"], cells["reviewer"]) == (a[2].speaker or "", "Ann  Lee ", ["=1+1", "it", "“rains”", "here"], "disputes", "Ann")
    assert cells["note"] == "see p. 3 "
    assert (rows[a[1].claim_id]["corrected_stance"], rows[a[1].claim_id]["content"]) == ("deny", a[1].content.text[:-3])
    assert (rows[a[3].claim_id]["speaker"], rows[a[3].claim_id]["corrected_speaker"]) == ("", "")
    assert (rows[a[5].claim_id]["decision"], rows[a[5].claim_id]["reviewer"]) == ("reject", "Ann, Lea")
    assert (rows["c_added"]["decision"], rows["c_added"]["speaker"], rows["c_added"]["stance"]) == ("accept", "Zoë", "warn")
    assert (rows[b[0].claim_id]["decision"], rows[b[0].claim_id]["note"]) == ("", "reviewers differ (Ann: accept; Bob: reject)")
    assert rows[b[1].claim_id]["decision"] == ""
    assert "nobody has decided about 1 claim\n" in done.stderr
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_exported_table_taken_back_into_its_run_changes_nothing(decided, tmp_path, format):
    path = tmp_path / f"t.{format}"
    export_run(decided, format, path, ExportOptions())
    before = read_states(read_run(decided))
    done = import_tables(decided, [path])
    assert (done.written, done.refused, done.mangled, done.unknown, done.missing, done.lost) == (0, [], [], [], 0, 0)
    assert done.accepted
    assert read_states(read_run(decided)) == before


def test_change_in_an_exported_row_of_several_is_said_by_the_one_who_imports(decided, tmp_path):
    from tables import read_csv, write_csv

    export_run(decided, "csv", tmp_path / "t.csv", ExportOptions())
    rows = read_csv(tmp_path / "t.csv")
    (changed,) = [row for row in rows if row["reviewer"] == "Ann, Bob" and row["decision"] == "accept"]
    changed["decision"] = "reject"
    write_csv(rows, tmp_path / "u.csv")
    assert import_tables(decided, [tmp_path / "u.csv"], "Cy").written == 1
    with DecisionLog(decided) as log:
        last = [d for _, d in log.read()][-1]
    assert (last.claim_id, last.reviewer, last.new) == (changed["claim_id"], "Cy", "reject")


def test_report_of_a_run_knows_its_decisions(decided, tmp_path):
    covered = read_reviewed([decided])
    assert covered.rejected == 2
    assert {"Ann Lee", "Zoë"} <= {c.speaker for c in covered.claims}
    assert sum(c.decision == "accepted" for c in covered.claims) > 5
    done = run("report", decided, "-o", tmp_path / "r.html")
    assert (done.returncode, "2 rejected ones" in done.stderr) == (0, True), done.stderr


def test_table_that_lost_a_cell_is_refused_and_the_old_one_stays(decided, tmp_path, monkeypatch):
    whole = read_run(decided)
    rows = list(reviewed_rows(whole, read_states(whole)))
    export_run(decided, "csv", tmp_path / "t.csv", ExportOptions())
    with pytest.raises(OutputError, match="read again, its claim 1 has another"):
        check_rows(tmp_path / "t.csv", rows[1:], [tmp_path / "t.csv"], "csv")
    (tmp_path / "t.csv").write_text("old")
    monkeypatch.setattr("accordingto.export.sheet.check_rows", lambda *_: (_ for _ in ()).throw(OutputError("t", "read again", "x")))
    with pytest.raises(OutputError, match="read again"):
        export_run(decided, "csv", tmp_path / "t.csv", ExportOptions())
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir() if p.is_file()] == [("t.csv", "old")]


def test_table_of_a_run_that_nobody_reviewed_is_all_its_claims(unreviewed, tmp_path):  # noqa: F811
    shutil.copytree(unreviewed, tmp_path / "run")
    export_run(tmp_path / "run", "csv", tmp_path / "t.csv", ExportOptions())
    assert (tmp_path / "t.csv").read_bytes() == (tmp_path / "run/claims.csv").read_bytes()
