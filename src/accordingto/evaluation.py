"""Scores of predicted attributions against gold: the project's own measure, beside the human figure.

Spans are compared by the letters and digits that they cover, so a comma or a quotation mark more or less does not
count. A predicted attribution is matched to the gold one whose cue it shares most characters with, each at most once.

cue         F1, cues overlap
exact       F1 of equal spans (source, content); overlap: of touching ones; char: of their characters
relation    F1, source and content both exact
flat        F1 of the distinct exact spans of a role, linked or not (the measure of CofeNet, COLING 2022)
nested_*    the same for attributions inside the content of another, where the gold marks them
labels      accuracy, and macro F1 over the gold's labels, of matched pairs
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accordingto.errors import FloorError, GoldError

ROLES = ("source", "cue", "content")
LABELS = ("attribution_type", "stance", "negated", "certainty", "attitude", "framing", "source_kind")
TITLES = frozenset(["the", "a", "an", "mr", "mrs", "ms", "dr", "sen", "rep", "gov", "president", "s"])
HUMAN = {"cue_f1": 81.4, "source_exact_f1": 77.2, "source_char_f1": 79.3, "content_exact_f1": 68.6, "content_char_f1": 84.9, "relation_f1": 63.4,
         "source_flat_f1": 78.8, "cue_flat_f1": 70.7, "content_flat_f1": 69.3}  # fmt: skip
"""PolNeAR: 20 articles marked by several trained annotators, the mean over every pair, by this measure."""

Row = Mapping[str, Any]
Spans = Sequence[Sequence[int]]


@dataclass(frozen=True)
class Marked:
    """An attribution as sets of character positions: of each part's every span, and of each part in all."""

    row: Row
    parts: dict[str, list[frozenset[int]]]
    whole: dict[str, frozenset[int]]


def read_gold(path: Path) -> list[dict]:
    """Return gold articles, JSON lines, gzipped or not; raises GoldError."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            gold = [json.loads(line) for line in lines if line.strip()]
    except FileNotFoundError as error:
        raise GoldError(path, "there is no such file") from error
    except (OSError, EOFError, ValueError) as error:
        raise GoldError(path, getattr(error, "strerror", None) or str(error)) from error
    for number, row in enumerate(gold, 1):
        if not isinstance(row, dict) or not {"id", "text", "attributions"} <= row.keys():
            raise GoldError(path, f"line {number} lacks one of `id`, `text`, `attributions`")
    if not gold:
        raise GoldError(path, "it is empty")
    return gold


def score(gold: Iterable[Row], predicted: Iterable[Row]) -> dict[str, float]:
    """Return the figures, in percent.

    gold: articles with `id`, `text` and `attributions` of span lists; predicted: claims as the JSONL export writes them.
    """
    articles = {row["id"]: row for row in gold}
    rows: dict[str, list[Row]] = defaultdict(list)
    unknown = 0
    for row in predicted:
        if row["article_id"] in articles:
            rows[row["article_id"]].append(row)
        else:
            unknown += 1
    outer, nested, pairs = Counter[str](), Counter[str](), []
    for key, article in articles.items():
        marked = [_mark(g, article["text"], lambda role, g=g: g.get(role)) for g in article["attributions"]]
        found = [_mark(p, article["text"], lambda role, p=p: (p.get(role) or {}).get("spans")) for p in rows[key]]
        pairs += _count([p for p in found if not p.row.get("parent_id")], [g for g in marked if g.row.get("parent") is None], outer)
        if article.get("nested_labelled"):
            pairs += _count([p for p in found if p.row.get("parent_id")], [g for g in marked if g.row.get("parent") is not None], nested)
    out: dict[str, float] = {"articles": len(articles), "gold": outer["cue_g"], "predicted": outer["cue_p"], **_figures(outer)}
    if nested["cue_g"]:
        out |= {f"nested_{name}": value for name, value in _figures(nested).items() if name in ("cue_f1", "relation_f1")}
    out |= _label_figures([(p.row, g.row) for p, g in pairs])
    return out | ({"rows_of_unknown_articles": unknown} if unknown else {})


def _mark(row: Row, text: str, spans_of: Any) -> Marked:
    parts = {role: [_characters([span], text) for span in spans_of(role) or ()] for role in ROLES}
    return Marked(row, parts, {role: frozenset().union(*parts[role]) for role in ROLES})


def _characters(spans: Spans, text: str) -> frozenset[int]:
    """Return the places of the letters and digits in spans; of all characters where there are none (a cue that is a colon)."""
    inside = {i for start, end in spans for i in range(start, min(end, len(text))) if not text[i].isspace()}
    return frozenset(i for i in inside if text[i].isalnum()) or frozenset(inside)


def match(predicted: Sequence[Marked], gold: Sequence[Marked]) -> list[tuple[Marked, Marked]]:
    """Return the pairs of predicted and gold attributions, those that share most of the cue, then of the content, first."""
    shared = sorted(
        ((len(p.whole["cue"] & g.whole["cue"]), len(p.whole["content"] & g.whole["content"]), i, j) for i, p in enumerate(predicted) for j, g in enumerate(gold) if p.whole["cue"] & g.whole["cue"]),
        reverse=True,
    )
    left, right, pairs = set(range(len(predicted))), set(range(len(gold))), []
    for _, _, i, j in shared:
        if i in left and j in right:
            left.remove(i)
            right.remove(j)
            pairs.append((predicted[i], gold[j]))
    return pairs


def _count(predicted: Sequence[Marked], gold: Sequence[Marked], counts: Counter[str]) -> list[tuple[Marked, Marked]]:
    """Add one article's hits to the counts: _p predicted, _g gold, _pc and _gc in characters, _f flat."""
    pairs = match(predicted, gold)
    counts.update(cue_p=len(predicted), cue_g=len(gold), cue_hit=len(pairs))
    for role in ROLES:
        for side, rows in (("p", predicted), ("g", gold)):
            if role != "cue":
                counts[f"{role}_{side}"] += sum(bool(row.whole[role]) for row in rows)
                counts[f"{role}_{side}c"] += sum(len(row.whole[role]) for row in rows)
        flat_p, flat_g = ({part for row in rows for part in row.parts[role]} for rows in (predicted, gold))
        counts.update({f"{role}_fp": len(flat_p), f"{role}_fg": len(flat_g), f"{role}_fh": len(flat_p & flat_g)})
    for p, g in pairs:
        for role in ("source", "content"):
            counts[f"{role}_exact"] += bool(p.whole[role]) and p.whole[role] == g.whole[role]
            counts[f"{role}_touch"] += bool(p.whole[role] & g.whole[role])
            counts[f"{role}_hc"] += len(p.whole[role] & g.whole[role])
        counts["relation"] += p.whole["source"] == g.whole["source"] and p.whole["content"] == g.whole["content"]
    return pairs


def _f1(hit: int, predicted: int, gold: int) -> float:
    return round(200 * hit / (predicted + gold), 1) if predicted + gold else 0.0


def _figures(c: Counter[str]) -> dict[str, float]:
    out = {
        "cue_precision": round(100 * c["cue_hit"] / max(1, c["cue_p"]), 1),
        "cue_recall": round(100 * c["cue_hit"] / max(1, c["cue_g"]), 1),
        "cue_f1": _f1(c["cue_hit"], c["cue_p"], c["cue_g"]),
    }
    for role in ("source", "content"):
        out[f"{role}_exact_f1"] = _f1(c[f"{role}_exact"], c[f"{role}_p"], c[f"{role}_g"])
        out[f"{role}_overlap_f1"] = _f1(c[f"{role}_touch"], c[f"{role}_p"], c[f"{role}_g"])
        out[f"{role}_char_f1"] = _f1(c[f"{role}_hc"], c[f"{role}_pc"], c[f"{role}_gc"])
    for role in ROLES:
        out[f"{role}_flat_f1"] = _f1(c[f"{role}_fh"], c[f"{role}_fp"], c[f"{role}_fg"])
    return out | {"relation_f1": _f1(c["relation"], c["cue_p"], c["cue_g"])}


def _label_figures(pairs: Sequence[tuple[Row, Row]]) -> dict[str, float]:
    out: dict[str, float] = {}
    for key in LABELS:
        values = [(str(p.get(key)), str(g[key])) for p, g in pairs if g.get(key) is not None]
        if values:
            out[f"{key}_accuracy"] = round(100 * sum(p == g for p, g in values) / len(values), 1)
            out[f"{key}_macro_f1"] = _macro_f1(values)
    spoken = [(p.get("speaker"), g["speaker"]) for p, g in pairs if g.get("speaker")]
    if spoken:
        out["speaker_accuracy"] = round(100 * sum(same_speaker(p, g) for p, g in spoken) / len(spoken), 1)
    aimed = [(p.get("attitude_target"), g["attitude_target"]) for p, g in pairs if g.get("attitude_target")]
    if aimed:
        out["attitude_target_accuracy"] = round(100 * sum(bool(set(_name(p)) & set(_name(g))) for p, g in aimed) / len(aimed), 1)
    return out


def _macro_f1(values: Sequence[tuple[str, str]]) -> float:
    """Return the mean F1 over the gold's labels, each rounded as it is shown."""
    labels = sorted({g for _, g in values})
    scores = [_f1(sum(p == label == g for p, g in values), sum(p == label for p, _ in values), sum(g == label for _, g in values)) for label in labels]
    return round(sum(scores) / len(scores), 1)


def _name(value: str | None) -> list[str]:
    """Return a name's words without case, articles, titles and punctuation."""
    return [word for word in re.sub(r"[^\w\s]", " ", (value or "").lower()).split() if word not in TITLES]


def same_speaker(predicted: str | None, gold: str | None) -> bool:
    """Return whether two names mean the same: equal, or one holds all words of the other and both end alike."""
    p, g = _name(predicted), _name(gold)
    return p == g or (bool(p) and bool(g) and p[-1] == g[-1] and (set(p) <= set(g) or set(g) <= set(p)))


def judge(gold: Iterable[Row], predicted: Iterable[Row]) -> list[tuple[float, bool]]:
    """Return each predicted claim's confidence and whether it is right: its cue matched, and half of the content shared.

    Half: the shared letters and digits are at least half of the predicted content's and of the gold's.
    """
    articles = {row["id"]: row for row in gold}
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in predicted:
        rows[row["article_id"]].append(row)
    out = []
    for key, article in articles.items():
        marked = [_mark(g, article["text"], lambda role, g=g: g.get(role)) for g in article["attributions"]]
        found = [_mark(p, article["text"], lambda role, p=p: (p.get(role) or {}).get("spans")) for p in rows[key]]
        right = set()
        for p, g in match(found, marked):
            shared = len(p.whole["content"] & g.whole["content"])
            if 2 * shared >= max(len(p.whole["content"]), len(g.whole["content"])):
                right.add(id(p))
        out += [(float(p.row["confidence"]), id(p) in right) for p in found]
    return out


def calibration_error(judged: Sequence[tuple[float, bool]], *, bins: int = 10) -> float:
    """Return the expected calibration error: the mean distance between confidence and share of right claims, by bins of equal width."""
    groups: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for confidence, right in judged:
        groups[min(bins - 1, int(confidence * bins))].append((confidence, right))
    distance = sum(abs(sum(c for c, _ in group) - sum(r for _, r in group)) for group in groups.values())
    return round(distance / max(1, len(judged)), 4)


def evaluate_gold(path: Path, *, predicted: Path | None, model: Path | None, guideline: str | None, threads: int) -> dict[str, float]:
    """Return the figures of claims in a file, or of the model's reading of the gold's articles now; with the calibration error."""
    gold = read_gold(path)
    rows = read_articles_of(gold, model=model, guideline=guideline, threads=threads) if predicted is None else [json.loads(line) for line in predicted.read_text(encoding="utf-8").splitlines() if line.strip()]
    return score(gold, rows) | {"calibration_error": calibration_error(judge(gold, rows))}


def read_articles_of(gold: Iterable[Row], *, model: Path | None, guideline: str | None, threads: int) -> list[dict[str, Any]]:
    """Return the claims that a model finds in the gold's articles, as the JSONL export has them."""
    from dataclasses import asdict

    from accordingto.pipeline import extract, load
    from accordingto.schema import Article

    articles = (Article(row["id"], row["text"]) for row in gold)
    return [asdict(claim) for claim in extract(articles, load(model, threads=threads, guideline=guideline))]


def format_figures(figures: Mapping[str, float]) -> str:
    """Return figures as lines, with what two trained people reach with each other on PolNeAR beside them where that is known."""
    width = max(map(len, figures))
    return "\n".join(f"{name:{width}}  {value:>8}" + (f"   (people on PolNeAR {HUMAN[name]})" if name in HUMAN else "") for name, value in figures.items())


def check_floors(gold: Path, figures: Mapping[str, float], floors: Path) -> str:
    """Return a table of pinned floors and figures; raises FloorError where a figure is below, or the gold is other than the pinned."""
    pinned = json.loads(floors.read_text(encoding="utf-8"))
    found = hashlib.sha256(gold.read_bytes()).hexdigest()
    if found != pinned["gold_sha256"]:
        raise GoldError(gold, f"its SHA-256 is {found[:12]}… and {floors.name} was pinned on {pinned['gold_sha256'][:12]}…")
    lines = [f"{name}: {figures[name]} (floor {floor})" for name, floor in pinned["floors"].items()]
    if any(figures[name] < floor for name, floor in pinned["floors"].items()):
        raise FloorError("; ".join(lines))
    return "floors held: " + "; ".join(lines)
