import json
import shutil
from dataclasses import asdict

import pytest
from decisions import added, verdict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from runs import run
from tables import read_book, read_csv, review, write_book, write_csv

from accordingto.errors import RunError, TableError
from accordingto.guard import guard
from accordingto.review.decision import SPAN_EDITS, field_text, fold
from accordingto.review.imported import import_tables, undo_import
from accordingto.review.log import DecisionLog, new_batch
from accordingto.review.runs import read_run
from accordingto.review.sheet import read_said
from accordingto.row import table_rows
from accordingto.table import write_table
from test_table import claim

COUNTED = ("accepted", "rejected", "unsure", "edited", "only_edited", "untouched")


@pytest.fixture
def folder(seeds, tmp_path):
    shutil.copytree(seeds, tmp_path / "run")
    return tmp_path / "run"


def states(folder):
    with DecisionLog(folder) as log:
        return fold(d for _, d in log.read())


def counted(done):
    return {name: sorted(getattr(done, name)) for name in COUNTED}


def adds_up(done) -> bool:
    return done.rows == sum(len(getattr(done, name)) for name in ("accepted", "rejected", "unsure", "only_edited", "untouched", "unknown", "duplicated", "refused"))


def test_sheet_of_a_claim_that_a_reviewer_had_added_and_a_later_model_found_is_taken(folder):
    one = next(read_run(folder).claims())
    sha = {article_id: sha for sha, article_id in read_run(folder).articles.by_text.items()}[one.article_id]
    with DecisionLog(folder) as log:  # as merged from the run of an earlier model, which had not found it
        log.decide([added(one.claim_id, article_sha256=sha, fields={name: field_text(one, name) for name in SPAN_EDITS})])
    rows = read_csv(folder / "claims.csv")
    rows[0] |= {"decision": "reject", "reviewer": "Bo"}
    assert rows[0]["claim_id"] == one.claim_id
    write_csv(rows, folder / "t.csv")
    done = import_tables(folder, [folder / "t.csv"])
    assert (done.rejected, done.refused, done.mangled, done.other_version) == ([one.claim_id], [], [], [])


@pytest.mark.parametrize(("name", "separator", "encoding"), [("t.xlsx", "", ""), ("t.csv", ",", "utf-8-sig"), ("t.csv", ";", "utf-8"), ("t.csv", "\t", "utf-8")])
def test_reviewed_table_comes_back_sorted_and_partly_deleted(folder, tmp_path, name, separator, encoding):
    rows = read_csv(folder / "claims.csv") if separator else read_book(folder / "claims.xlsx")
    expected = review(rows)
    if separator:
        write_csv(rows, tmp_path / name, separator, encoding)
    else:
        write_book(rows, tmp_path / name)
    done = import_tables(folder, [tmp_path / name])
    assert counted(done) == expected
    assert (done.unknown, done.duplicated, done.refused, done.mangled, done.missing, done.lost) == ([], [], [], [], 3, 0)
    assert adds_up(done)
    found = states(folder)
    claims = {c.claim_id: c for c in read_run(folder).claims()}
    assert {claim: dict(s.by) for claim, s in found.items() if s.by} == {claim: {"Ann": word} for kind, word in (("accepted", "accept"), ("rejected", "reject"), ("unsure", "unsure")) for claim in expected[kind]}
    edits = [sorted(s.edits.items()) for s in found.values() if s.edits]
    stance = next(dict(own)["stance"] for own in edits if "stance" in dict(own))
    assert sorted(edits) == sorted([[("speaker", "Ann Lee"), ("stance", stance)], [("claim", "it rains … or “not”")], [("framing", "disputes")], [("note", "=1+1 'tis so")], [("speaker", "Ada")]])
    with DecisionLog(folder) as log:
        assert len({d.batch for _, d in log.read()}) == 1
        assert all(d.article_sha256 == read_run(folder).articles[claims[d.claim_id].article_id]["text_sha256"] for _, d in log.read())


def test_importing_twice_changes_nothing_also_when_saved_again_or_after_other_decisions(folder, tmp_path):
    rows = read_book(folder / "claims.xlsx")
    review(rows)
    write_book(rows, tmp_path / "a.xlsx")
    write_csv(rows, tmp_path / "b.csv", ";")
    first = import_tables(folder, [tmp_path / "a.xlsx"])
    before = states(folder)
    again = [import_tables(folder, [tmp_path / name]) for name in ("a.xlsx", "b.csv", "a.xlsx")]
    assert first.written > 15
    assert [done.written for done in again] == [0, 0, 0]
    assert states(folder) == before
    claim_id = first.accepted[0]
    with DecisionLog(folder) as log:
        log.decide([verdict("reject", claim=claim_id, batch=new_batch())])  # Ann thinks better of it on the page
    assert import_tables(folder, [tmp_path / "a.xlsx"]).written == 0
    assert states(folder)[claim_id].decision == "reject"


def test_import_is_undone_as_one_and_done_again(folder, tmp_path):
    rows = read_book(folder / "claims.xlsx")
    with DecisionLog(folder) as log:
        log.decide([verdict("reject", claim=rows[0]["claim_id"], reviewer="Bo", batch=new_batch())])
    before = states(folder)
    review(rows)
    write_book(rows, tmp_path / "a.xlsx")
    first = import_tables(folder, [tmp_path / "a.xlsx"])
    after = states(folder)
    batch, number = undo_import(folder)
    assert (number, states(folder)) == (first.written, before)
    assert undo_import(folder) is None
    assert import_tables(folder, [tmp_path / "a.xlsx"]).written == 0  # the decisions are there already, and count again
    assert states(folder) == after != before
    assert undo_import(folder) == (batch, number)


def test_last_import_is_undone_first(folder, tmp_path):
    rows = read_book(folder / "claims.xlsx")
    for name, word in (("a.xlsx", "accept"), ("b.xlsx", "reject")):
        write_book([rows[0] | {"decision": word}], tmp_path / name)
        import_tables(folder, [tmp_path / name], "Ann")
    found = [states(folder)[rows[0]["claim_id"]].decision]
    while undo_import(folder):
        found.append(states(folder).get(rows[0]["claim_id"], verdict("")).__class__.__name__)
    assert found == ["reject", "ClaimState", "Decision"]


def one_row(folder, tmp_path, changes, name="t.csv"):
    """Import the first row alone, changed."""
    rows = read_book(folder / "claims.xlsx") if name.endswith("x") else read_csv(folder / "claims.csv")
    row = next(row for row in rows if row["speaker"] and row["stance"])
    write = write_book if name.endswith("x") else write_csv
    write([row | {"decision": "accept"} | changes], tmp_path / name)
    return row, import_tables(folder, [tmp_path / name], "Ann")


@pytest.mark.parametrize("name", ["t.csv", "t.xlsx"])
@pytest.mark.parametrize("column", ["claim", "speaker", "context", "content", "cue"])
def test_row_whose_texts_were_changed_is_refused_by_name(folder, tmp_path, name, column):
    row, done = one_row(folder, tmp_path, {column: "something else"}, name)
    assert (done.refused, done.accepted, done.written) == ([row["claim_id"]], [], 0)
    assert [(cell.claim_id, cell.column, cell.was, cell.found) for cell in done.mangled] == [(row["claim_id"], column, row[column], "something else")]
    assert done.lost == 1
    assert adds_up(done)


def test_one_column_sorted_without_the_others_is_refused(folder, tmp_path):
    rows = read_csv(folder / "claims.csv")
    for row, text in zip(rows, sorted(row["claim"] for row in rows)):
        row.update(claim=text, decision="accept")
    write_csv(rows, tmp_path / "t.csv")
    done = import_tables(folder, [tmp_path / "t.csv"])
    assert len(done.refused) > len(rows) * 0.8
    assert len(done.refused) + len(done.accepted) == len(rows)
    assert adds_up(done)


@pytest.mark.parametrize("name", ["t.csv", "t.xlsx"])
def test_dates_and_numbers_that_a_spreadsheet_rewrote_are_named_and_cost_nothing(folder, tmp_path, name):
    changes = {"published": "18/11/2026", "article_id": "12", "confidence": "0,9", "content_spans": "2026-01-02 00:00:00"}
    row, done = one_row(folder, tmp_path, changes, name)
    assert done.accepted == [row["claim_id"]]
    assert {cell.column: cell.found for cell in done.mangled}.items() <= changes.items()
    assert {"published", "article_id", "content_spans"} <= {cell.column for cell in done.mangled}
    assert done.lost == 0


@pytest.mark.parametrize(
    ("changes", "column"),
    [({"decision": "okay"}, "decision"), ({"corrected_stance": "lie"}, "corrected_stance"), ({"stance": "lie"}, "stance"), ({"stance": ""}, "stance"), ({"negated": "WAHR"}, "negated")],
)
def test_row_of_words_that_are_none_is_refused_and_the_words_are_named(folder, tmp_path, changes, column):
    row, done = one_row(folder, tmp_path, changes)
    assert [(cell.column, cell.found) for cell in done.mangled] == [(column, changes[column])]
    assert done.edited == []
    whole = column != "negated"  # in which a spreadsheet of another language writes other words
    assert (done.accepted, done.refused) == (([], [row["claim_id"]]) if whole else ([row["claim_id"]], []))
    assert done.written == (0 if whole else 1)
    assert done.lost == 1


def test_labels_may_be_changed_where_they_stand(folder, tmp_path):
    row, done = one_row(folder, tmp_path, {"negated": "TRUE", "certainty": " Possible", "attribution_type": "belief", "attitude": "favor", "source_kind": "group"}, "t.xlsx")
    assert done.edited == [row["claim_id"]]
    edits = states(folder)[row["claim_id"]].edits
    meant = {"negated": "True", "certainty": "possible", "attribution_type": "belief", "attitude": "favor", "source_kind": "group"}
    assert edits.items() <= meant.items()
    assert {"negated", "certainty", "attribution_type"} <= edits.keys()


def test_correction_that_is_what_stands_there_is_no_edit(folder, tmp_path):
    rows = read_csv(folder / "claims.csv")
    row, done = one_row(folder, tmp_path, {})
    row, done = one_row(folder, tmp_path, {"corrected_stance": row["stance"].upper(), "corrected_speaker": row["speaker"]}, "u.csv")
    assert (done.edited, done.written) == ([], 0)
    assert len(rows) > 1


def test_unknown_and_duplicated_rows_are_named(folder, tmp_path):
    rows = read_csv(folder / "claims.csv")
    same, differing, two = rows[0] | {"decision": "accept"}, rows[1] | {"decision": "accept"}, rows[2] | {"decision": "accept", "reviewer": "Ann"}
    table = [same, same, differing, differing | {"decision": "reject"}, two, two | {"decision": "reject", "reviewer": "Bo"}, rows[3] | {"claim_id": "c_gone"}, rows[4] | {"claim_id": ""}]
    write_csv(table, tmp_path / "t.csv")
    done = import_tables(folder, [tmp_path / "t.csv"])
    assert done.unknown == ["c_gone", "row 9, without an id"]
    assert done.places == {"c_gone": ["8"], rows[1]["claim_id"]: ["4", "5"]}
    assert sorted(done.duplicated) == sorted([rows[0]["claim_id"], rows[1]["claim_id"], rows[1]["claim_id"]])
    assert done.contradicted == [rows[1]["claim_id"]]
    assert (done.accepted, done.rejected) == ([rows[0]["claim_id"], rows[2]["claim_id"]], [rows[2]["claim_id"]])
    assert states(folder)[rows[2]["claim_id"]].conflict
    assert rows[1]["claim_id"] not in states(folder)
    assert (done.lost, adds_up(done)) == (3, True)


def test_columns_that_a_person_removed_or_added_do_not_matter(folder, tmp_path):
    rows = [{"mine": "x", "claim_id": row["claim_id"], "decision": "accept"} for row in read_csv(folder / "claims.csv")]
    write_csv(rows, tmp_path / "t.csv")
    done = import_tables(folder, [tmp_path / "t.csv"])
    assert (len(done.accepted), done.mangled, done.missing) == (len(rows), [], 0)


def test_row_of_another_model_is_taken_by_its_spans_and_not_by_its_labels(folder, tmp_path):
    run_claims = list(read_run(folder).claims())
    old = [type(c)(**{**vars(c), "stance": "ask", "speaker": "Somebody", "model": "m 0"}) for c in run_claims]
    write_table(old, tmp_path / "old.xlsx")
    rows = read_book(tmp_path / "old.xlsx")
    rows[0]["decision"] = "accept"
    rows[1].update(decision="accept", framing="disputes")  # changed, and not ours: what stood there before cannot be known
    write_book(rows, tmp_path / "t.xlsx")
    done = import_tables(folder, [tmp_path / "t.xlsx"])
    assert (done.accepted, done.refused) == ([run_claims[0].claim_id], [run_claims[1].claim_id])
    assert set(done.other_version) == {c.claim_id for c in run_claims} - {run_claims[1].claim_id}
    assert states(folder)[run_claims[0].claim_id].edits == {}


def test_texts_that_begin_as_formulas_go_through_every_door(folder, tmp_path):
    """The guard of a CSV, a sheet saved as CSV without it, and a sheet pasted from a guarded CSV."""
    made = claim(claim="=1+1", speaker="'-5", context="+x")
    for row in ({"claim": "=1+1", "speaker": "'-5", "context": "+x"}, {"claim": guard("=1+1"), "speaker": guard("'-5"), "context": "+x"}, {"claim": "=1+1", "speaker": "-5", "context": "+x"}):
        said = read_said({"claim_id": "c_1", "decision": "accept", **row}, made)
        assert (said.verdict, said.refused, said.mangled) == ("accept", False, ())
    assert read_said({"claim_id": "c_1", "decision": "accept", "speaker": "5"}, made).refused


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(st.one_of(st.sampled_from("='- \t\r\n_x000D_\x01\u2028\ufeff"), st.characters(codec="utf-8", exclude_characters="\0\ufffe\uffff")), min_size=1, max_size=20), min_size=3, max_size=3))
def test_no_text_is_taken_for_an_edit_after_a_way_through_a_table(tmp_path, texts):
    made = claim(speaker=texts[0], claim=texts[1], context=texts[2], title=texts[0], publisher=texts[1])
    for ending in ("csv", "xlsx"):
        write_table([made], tmp_path / f"t.{ending}")
        (row,) = table_rows(tmp_path / f"t.{ending}")
        said = read_said(row | {"decision": "accept"}, made)
        assert (said.verdict, said.edits, said.mangled, said.refused, said.other_version) == ("accept", {}, (), False, False)


def test_files_that_are_no_tables_are_refused_and_nothing_is_written(folder, tmp_path):
    (tmp_path / "t.csv").write_text("claim_id,decision\nc_1\n")
    with pytest.raises(TableError, match="row 1 has 1 cells of 2"):
        import_tables(folder, [tmp_path / "t.csv"])
    with pytest.raises(TableError, match="no such file"):
        import_tables(folder, [tmp_path / "gone.csv"])
    with pytest.raises(RunError, match="there is no run"):
        import_tables(tmp_path, [tmp_path / "t.csv"])
    assert states(folder) == {}


def test_command_reports_and_leaves_with_a_code(folder, tmp_path):
    rows = read_csv(folder / "claims.csv")
    rows[0].update(decision="accept")
    rows[1].update(decision="\x1bmaybe")
    write_csv(rows, tmp_path / "t.csv")
    done = run("import", folder, tmp_path / "t.csv", "--reviewer", "Ann", "--json")
    facts = json.loads(done.stdout)
    assert (done.returncode, facts["accepted"], facts["written"], facts["lost"]) == (3, [rows[0]["claim_id"]], 1, 1)
    assert facts["mangled"] == [{"claim_id": rows[1]["claim_id"], "column": "decision", "was": "", "found": "\x1bmaybe", "row": 3}]
    assert f"decision: 1 cell is not taken; in row 3, {rows[1]['claim_id']}, it was" in done.stderr
    assert "choose one of accept, reject, unsure\n" in done.stderr
    assert f"{rows[1]['claim_id']} (row 3)" in done.stderr
    assert "1 decision is new" in done.stderr
    assert f"{len(rows)} rows: 1 accepted, 0 rejected, 0 unsure, 0 edited" in done.stderr
    assert "\x1b" not in done.stderr
    rows[1].update(decision="")
    write_csv(rows, tmp_path / "t.csv")
    assert run("import", folder, tmp_path / "t.csv", "--reviewer", "Ann").returncode == 0
    undone = run("import", folder, "--undo")
    assert (undone.returncode, undone.stderr.split(" was taken back")[0]) == (0, "an import of 1 decision")
    assert "there is no import to take back" in run("import", folder, "--undo").stderr
    assert run("import", folder).returncode == run("import", folder, tmp_path / "t.csv", "--undo").returncode == 2


def test_jsonl_and_parquet_are_read_too(folder, tmp_path):
    claims = list(read_run(folder).claims())
    for ending in ("jsonl", "parquet"):
        write_table(claims, tmp_path / f"t.{ending}")
        done = import_tables(folder, [tmp_path / f"t.{ending}"])
        assert (len(done.untouched), done.mangled, done.missing) == (len(claims), [], 0), ending
    assert asdict(done)["written"] == 0
