"""Where shards begin: the stretches of a file, read one by one, hold what the file holds."""

from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

import inputs
from accordingto.archive.manifest import Piece, Place, piece_from_json, read_facts, read_shards, shards_of, write_manifest
from accordingto.archive.plan import plan_file
from accordingto.archive.shard import Changed, Hands, Setup, outcomes_of
from accordingto.article import read_outcomes
from accordingto.run import Wanted
from accordingto.schema import Problem

LIMIT = 3
TEXTS = [f"Officials in town {i} said that it rained, and that the road would stay closed until the bridge had been inspected." for i in range(11)]
LINES = inputs.jsonl(inputs.records(TEXTS)).splitlines(keepends=True)
MIXED = b"".join([*LINES[:2], b"\n", b"no JSON\n", *LINES[2:7], b"\n\n", b'{"text": ""}\n', *LINES[7:]])
PAGES = inputs.warc([inputs.page(inputs.TEXT + f"\nThe council of ward {i} said it was late.") for i in range(8)])
PLAIN_PAGES = inputs.warc([inputs.page(inputs.TEXT + f"\nThe council of ward {i} said it was late.") for i in range(8)], compressed=False)


def grouped_parquet() -> bytes:
    out = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(inputs.records([*TEXTS[:5], "", *TEXTS[5:]])), out, row_group_size=4)
    return out.getvalue().to_pybytes()


def empty_parquet() -> bytes:
    out = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.table({"text": pyarrow.array([], pyarrow.string())}), out)
    return out.getvalue().to_pybytes()


def damaged(data: bytes) -> bytes:
    """Return data with a flipped stretch in the middle."""
    half = len(data) // 2
    return data[:half] + bytes(b ^ 0xFF for b in data[half : half + 40]) + data[half + 40 :]


FILES = {
    "lines.jsonl": MIXED,
    "no_end.jsonl": MIXED.rstrip(b"\n"),
    "blank_end.jsonl": b"".join(LINES[:6]) + b"\n\n \n",
    "packed.jsonl.gz": inputs.gzipped(MIXED),
    "cut.jsonl.gz": inputs.gzipped(MIXED)[:-40],
    "groups.parquet": grouped_parquet(),
    "empty.parquet": empty_parquet(),
    "damaged.parquet": damaged(grouped_parquet()),
    "no_text.parquet": inputs.parquet([{"colour": "red"}]),
    "pages.warc.gz": PAGES,
    "pages.warc": PLAIN_PAGES,
    "damaged.warc.gz": damaged(PAGES),
    "cut.warc.gz": PAGES[:-700],
    "table.csv": inputs.csv_table(inputs.records([*TEXTS[:4], "", *TEXTS[5:]])),
    "table.csv.gz": inputs.gzipped(inputs.csv_table(inputs.records(TEXTS))),
    "articles.zip": inputs.packed({f"{i}.txt": text.encode() for i, text in enumerate(TEXTS)}),
    "book.xlsx": inputs.workbook(inputs.records(TEXTS)),
    "crawled.json": inputs.fundus(TEXTS),
    "one.txt": inputs.TEXT.encode(),
    "german.txt": "Der Minister sagte am Montag, die Straße bleibe gesperrt, bis die Ingenieure den Zustand der Brücke geprüft hätten, und das werde dauern.".encode(),
    "nothing.jsonl": b"",
    "empty.txt": b"",
    "broken.pdf": inputs.pdf()[:200],
    "packed.7z": b"7z",
}
SPLIT = {"lines.jsonl": 5, "no_end.jsonl": 5, "blank_end.jsonl": 2, "packed.jsonl.gz": 5, "groups.parquet": 4, "pages.warc.gz": 3, "pages.warc": 3, "table.csv": 4, "table.csv.gz": 4, "articles.zip": 4, "book.xlsx": 4, "crawled.json": 4}


@pytest.fixture(scope="module")
def hands(tmp_path_factory):
    setup = Setup(str(tmp_path_factory.mktemp("out")), None, "steady", Wanted(), None, LIMIT, 6_000_000_000, str(Path.cwd()), "")
    both = Hands(setup)
    yield both
    both.close()


@pytest.mark.parametrize("name", FILES)
def test_stretches_of_a_file_hold_what_the_file_holds(hands, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(FILES[name])
    pieces = plan_file(str(path), LIMIT, None)
    assert len(pieces) == SPLIT.get(name, len(pieces))
    assert [o for piece in pieces for o in outcomes_of(piece, hands)] == list(read_outcomes([path]))
    if name in SPLIT:
        assert [sum(1 for _ in outcomes_of(piece, hands)) for piece in pieces] == [piece.items for piece in pieces]
        assert all(piece.items <= LIMIT for piece in pieces)


def test_what_is_not_there_is_a_problem_of_its_own(hands, tmp_path):
    (piece,) = plan_file(str(tmp_path / "gone.txt"), LIMIT, None)
    (problem,) = outcomes_of(piece, hands)
    assert isinstance(problem, Problem)
    assert (problem.code, "there is no such file; check the path." in problem.message) == ("missing", True)


def test_input_that_changes_its_bytes_is_noticed(hands, tmp_path):
    path = tmp_path / "lines.jsonl"
    path.write_bytes(MIXED)
    pieces = plan_file(str(path), LIMIT, None)
    path.write_bytes(MIXED.replace(b"town 10", b"town 99"))
    assert list(outcomes_of(pieces[0], hands))
    with pytest.raises(Changed, match="is not as it was"):
        list(outcomes_of(pieces[-1], hands))
    path.unlink()
    with pytest.raises(Changed, match="is not there any more"):
        list(outcomes_of(pieces[0], hands))


def test_planning_that_crashes_costs_its_file_alone(hands, tmp_path, monkeypatch):
    monkeypatch.setattr("accordingto.pool.ATTEMPTS", 1)
    (tmp_path / "a.txt").write_text("Officials said it rained.")
    dying = Hands(hands.setup)
    dying._planning._make = make_dying
    assert [p.code for p in dying.plan(str(tmp_path / "b.txt"))] == ["crashed"]
    assert [p.how for p in dying.plan(str(tmp_path / "a.txt"))] == ["whole"]
    dying.close()


def make_dying(folder, limit, text_column):
    import os

    return lambda names: os._exit(3) if names[0][0].endswith("b.txt") else [(n, plan_file(n, limit, text_column)) for n, _ in names]


def test_shards_take_pieces_in_order_up_to_their_number_of_articles():
    pieces = [Piece(f"{i}.txt", "whole", items=items) for i, items in enumerate((1, 2, 1, 3, 5, 1))]
    shards = list(shards_of(pieces, 3))
    assert [shard.items for shard in shards] == [3, 1, 3, 5, 1]
    assert [piece for shard in shards for piece in shard.pieces] == pieces
    assert list(shards_of([], 3)) == []


def test_manifest_comes_back_as_it_was_written(tmp_path):
    (tmp_path / "lines.jsonl").write_bytes(MIXED)
    shards = list(shards_of(plan_file(str(tmp_path / "lines.jsonl"), LIMIT, None), LIMIT))
    place = Place(str(tmp_path / "out"))
    write_manifest(place, {"archive": "1"}, shards)
    assert read_facts(place) == {"archive": "1"}
    assert [shard for _, shard in read_shards(place)] == shards
    assert len({shard.digest for shard in shards}) == len(shards)
    assert piece_from_json(vars(shards[0].pieces[0])) == shards[0].pieces[0]


def test_object_store_that_fails_is_asked_again_and_then_named(monkeypatch):
    from accordingto.archive import storage

    monkeypatch.setattr(storage, "WAITS", (0.0, 0.0))
    tries = []

    def fail(times, error):
        tries.append(error)
        if len(tries) <= times:
            raise error
        return "done"

    assert storage._patient(lambda: fail(2, ValueError("a package's own"))) == "done"
    tries.clear()
    with pytest.raises(OSError, match=r"does not answer \(ValueError: a package's own\)"):
        storage._patient(lambda: fail(3, ValueError("a package's own")))
    assert len(tries) == 3
    tries.clear()
    with pytest.raises(FileNotFoundError):
        storage._patient(lambda: fail(1, FileNotFoundError("gone")))
    assert len(tries) == 1
