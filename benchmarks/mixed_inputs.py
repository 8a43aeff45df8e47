"""Makes 300 mixed inputs of all kinds, 60 of them broken in 60 ways, runs them with 1, 2 and 4 workers, and says what held.

    python benchmarks/mixed_inputs.py WORK [--workers 1 2 4]

The articles are those written for this project (tests/data/written_dev.jsonl.gz), with changes; `expected.json` has each broken input's reason.
"""

import argparse
import gzip
import io
import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
import inputs  # noqa: E402

with gzip.open(ROOT / "tests/data/written_dev.jsonl.gz", "rt", encoding="utf-8") as lines:
    TEXTS = [json.loads(line)["text"] for line in lines]


def story(number: int) -> str:
    """Return an article that no other number gives: the written ones, with another paragraph."""
    text = TEXTS[number % len(TEXTS)]
    return f"{text.strip()}\n\nOfficials in ward {number} said that they had counted {number * 7} complaints, and the council of ward {number + 1} denied it."


def sound_files(each: int = 8) -> dict[str, bytes]:
    """Return files that can be read, some of each of 30 kinds: 240 of them, eight each."""
    kinds = {
        "txt": lambda i: story(i).encode(),
        "utf16.txt": lambda i: story(i).encode("utf-16"),
        "cp1252.txt": lambda i: story(i).encode("cp1252", "replace"),
        "md": lambda i: story(i).encode(),
        "html": lambda i: inputs.page(story(i)),
        "htm": lambda i: inputs.page(story(i), title=f"Heading {i} of a page that was saved"),
        "mhtml": lambda i: inputs.mhtml(inputs.page(story(i))),
        "pdf": lambda i: inputs.pdf(story(i)),
        "docx": lambda i: inputs.docx(story(i)),
        "rss": lambda i: inputs.feed([story(i), story(1000 + i)]),
        "atom": lambda i: inputs.feed([story(i)], atom=True),
        "xml": lambda i: inputs.feed([story(i)]),
        "csv": lambda i: inputs.csv_table(inputs.records([story(i), story(2000 + i)])),
        "semicolon.csv": lambda i: inputs.csv_table(inputs.records([story(i)]), delimiter=";", encoding="utf-8-sig"),
        "tsv": lambda i: inputs.csv_table(inputs.records([story(i)]), delimiter="\t"),
        "xlsx": lambda i: inputs.workbook(inputs.records([story(i), story(3000 + i)])),
        "parquet": lambda i: inputs.parquet(inputs.records([story(i), story(4000 + i)])),
        "jsonl": lambda i: inputs.jsonl(inputs.records([story(i), story(5000 + i)])),
        "newsplease.json": lambda i: inputs.news_please(story(i)),
        "newspaper.json": lambda i: inputs.newspaper4k(story(i)),
        "fundus.json": lambda i: inputs.fundus([story(i), story(6000 + i)]),
        "warc": lambda i: inputs.warc([inputs.page(story(i))], compressed=False),
        "warc.gz": lambda i: inputs.warc([inputs.page(story(i)), inputs.page(story(7000 + i))]),
        "txt.gz": lambda i: inputs.gzipped(story(i).encode()),
        "html.gz": lambda i: inputs.gzipped(inputs.page(story(i))),
        "csv.gz": lambda i: inputs.gzipped(inputs.csv_table(inputs.records([story(i)]))),
        "jsonl.gz": lambda i: inputs.gzipped(inputs.jsonl(inputs.records([story(i)]))),
        "zip": lambda i: inputs.packed({"a.txt": story(i).encode(), "b/c.html": inputs.page(story(8000 + i))}),
        "tables.zip": lambda i: inputs.packed({"a.csv": inputs.csv_table(inputs.records([story(i)])), "b.docx": inputs.docx(story(9000 + i))}),
        "copy.txt": lambda i: story(i % 4).encode(),  # some of the first once more
    }
    return {f"{number:03}.{kind}": make(number) for number, (kind, make) in enumerate((kind, make) for kind, make in kinds.items() for _ in range(each))}


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :]


def linked() -> bytes:
    """Return a zip whose member is a link."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("link.txt")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


def locked() -> bytes:
    """Return a zip whose member asks for a password."""
    data = bytearray(inputs.packed({"a.txt": b"x" * 50}))
    for signature, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        data[data.index(signature) + at] |= 1
    return bytes(data)


def broken_files() -> dict[str, tuple[bytes, str]]:
    """Return 60 files that are broken each in its own way, with the reason code of each."""
    text = story(1).encode()
    rows = inputs.records([story(1)])
    web = inputs.warc([inputs.page(story(1))])
    german = "Der Minister sagte am Montag, die Straße bleibe gesperrt, bis die Ingenieure den Zustand der Brücke geprüft und einen Bericht vorgelegt hätten.".encode()
    french = "Le ministre a déclaré lundi que la route resterait fermée jusqu’à ce que les ingénieurs aient vérifié l’état du pont et remis leur rapport.".encode()
    entity = b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><rss version="2.0"><channel><title>&b;</title></channel></rss>'
    spy = b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><rss version="2.0"><channel><item><description>&a;</description></item></channel></rss>'
    return {
        "empty.txt": (b"", "empty"), "blank.txt": (b" \n\t\n", "empty"), "empty.html": (b"", "empty"), "empty.pdf": (b"", "empty"), "empty.docx": (b"", "empty"), "empty.csv": (b"", "empty"),
        "empty.jsonl": (b"", "nothing_to_read"), "empty.warc": (b"", "empty"), "empty.xlsx": (b"", "empty"), "empty.json": (b"", "empty"), "empty.rss": (b"", "empty"),
        "picture.txt": (b"\x89PNG\r\n\x1a\n\0\0" + bytes(range(256)) * 9, "binary"), "nul.txt": (b"text with a \0 in it", "binary"), "controls.txt": (bytes(range(1, 9)) * 99, "binary"),
        "surrogate.txt": ("half \ud83d a pair".encode("utf-8", "surrogatepass"), "decode_error"), "undefined.txt": (b"fits nothing: \x81\x8d\xff", "decode_error"), "odd16.txt": (b"\xff\xfe\x00\xd8a", "decode_error"),
        "long.txt": (b"word " * 300_000, "too_large"), "huge.txt": (b"word " * 1_000_000, "too_large"),
        "german.txt": (german, "unsupported_language"), "french.html": (inputs.page(french.decode() * 3), "unsupported_language"),
        "binary.html": (b"\0\1\2" * 200, "binary"),
        "menu.html": (b"<html><body><nav><a href=/>Home</a></nav></body></html>", "html_no_article"), "denied.html": (b"<html><head><title>403</title></head><body></body></html>", "html_no_article"),
        "huge.html": (b"<p>" + b"word " * 5_000_000, "too_large"), "envelope.mhtml": (b"no envelope at all", "damaged"), "pageless.mhtml": (b"MIME-Version: 1.0\nContent-Type: text/css\n\nbody {}", "html_no_article"),
        "cut.pdf": (inputs.pdf(story(1))[:400], "damaged"), "noise.pdf": (b"%PDF-1.7\n" + b"noise " * 99, "damaged"), "scan.pdf": (inputs.pdf(scanned=True), "no_text_layer"), "locked.pdf": (inputs.pdf(password="secret"), "encrypted"),
        "cut.docx": (inputs.docx()[:2000], "damaged"), "noise.docx": (b"no zip", "damaged"), "old.docx": (b"\xd0\xcf\x11\xe0" + b"x" * 600, "encrypted"),
        "blank.docx": (inputs.docx(""), "empty"), "other.docx": (inputs.packed({"a.txt": b"x"}), "damaged"),
        "bomb.docx": (inputs.packed({"word/document.xml": b"0" * 100_000_000}), "too_large"), "bomb.xlsx": (inputs.packed({"xl/sharedStrings.xml": b"0" * 100_000_000}), "too_large"), "cut.xlsx": (inputs.workbook(rows)[:-400], "damaged"),
        "headless.csv": (b"1,2,3\n4,5,6\n", "missing_text"), "textless.csv": (b"id,title,url\n1,t,http://x.y\n", "missing_text"),
        "ambiguous.csv": (b"id,text,body\n1,a,b\n", "ambiguous_columns"), "wide.csv": (b"text,title\nGood,one,two,three\n", "bad_row"),
        "headeronly.csv": (b"text,title\n", "nothing_to_read"), "cut.parquet": (inputs.parquet(rows)[:-20], "damaged"), "noise.parquet": (b"PAR1 noise PAR1", "damaged"),
        "noise.jsonl": (b"{no json\n", "bad_row"), "list.jsonl": (b"[1, 2]\n", "bad_row"), "blank.jsonl": (b'{"text": " "}\n', "empty"), "deep.json": (b"[" * 200_000, "damaged"), "cut.json": (inputs.fundus([story(1)])[:-30], "damaged"),
        "catalogue.xml": (b"<catalog><book/></catalog>", "unsupported"), "entities.rss": (entity, "damaged"), "spy.rss": (spy, "damaged"), "titles.rss": (inputs.feed([""]), "missing_text"),
        "cut.warc.gz": (web[: len(web) - 900], "truncated_record"), "flipped.gz": (flipped(inputs.gzipped(text), 60), "corrupt_member"), "cut.zip": (inputs.packed({"a.txt": text})[:-40], "damaged"),
        "link.zip": (linked(), "unsafe_name"), "locked.zip": (locked(), "encrypted"),
    }  # fmt: skip


def write_inputs(folder: Path, each: int = 8) -> dict[str, str]:
    """Write the files, 300 with eight of each kind; return the reason code of each broken one."""
    folder.mkdir(parents=True, exist_ok=True)
    broken = broken_files()
    for name, data in (sound_files(each) | {name: data for name, (data, _) in broken.items()}).items():
        (folder / name).write_bytes(data)
    return {name: code for name, (_, code) in broken.items()}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--each", type=int, default=8, help="files of each kind")
    options = parser.parse_args()
    folder = options.work / "inputs"
    expected = write_inputs(folder, options.each)
    print(f"{sum(1 for _ in folder.iterdir())} files, {len(expected)} of them broken")
    outputs, wrong = [], 0
    for workers in options.workers:
        run = options.work / f"run{workers}"
        start = time.monotonic()
        done = subprocess.run([sys.executable, "-m", "accordingto", "extract", str(folder), "-o", str(run), "--workers", str(workers), "--json"], capture_output=True, check=False)
        counts = json.loads(done.stdout or "{}")
        print(f"workers {workers}: exit {done.returncode}, {time.monotonic() - start:.0f} s, {counts}")
        found: dict[str, set[str]] = {}
        for line in (run / "quarantine.jsonl").read_bytes().splitlines():
            entry = json.loads(line)
            found.setdefault(Path(entry["path"]).name, set()).add(entry["code"])
        differences = {name: (code, found.get(name)) for name, code in expected.items() if found.get(name) != {code}} | {name: codes for name, codes in found.items() if name not in expected}
        wrong += len(differences) + (b"Traceback" in done.stderr) + (done.returncode != 3)
        print(f"  wrong reasons: {differences or 'none'}; traceback: {b'Traceback' in done.stderr}")
        verified = subprocess.run([sys.executable, "-m", "accordingto", "verify", str(run)], capture_output=True, check=False)
        print(" ", verified.stderr.decode().strip())
        wrong += verified.returncode
        outputs.append({p.name: p.read_bytes() for p in sorted(run.iterdir()) if p.name != "ledger.sqlite"})
    same = all(output == outputs[0] for output in outputs)
    print(f"byte-equal: {same}")
    return int(wrong > 0 or not same)


if __name__ == "__main__":
    sys.exit(main())
