"""A continued model: a finished pipeline that goes on learning from reviewed articles, measured before and after.

The networks come back from the pipeline's own graphs (restored.py). With the corpora at hand, some of their articles are
read beside the reviewed ones, which holds what was learned before; without them the steps are smaller.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import spacy
import torch
from spacy.tokens import Doc
from tokenizers import Tokenizer

from accordingto.attribution import GRAPH as ROLE_GRAPH
from accordingto.attribution import Attributions, write_settings
from accordingto.calibration import write_calibration
from accordingto.encoder import GRAPH as ENCODER_GRAPH
from accordingto.encoder import GUIDELINES, PIECES, Encoder
from accordingto.errors import OutputError, TrainingError
from accordingto.evaluation import calibration_error, judge, read_articles_of, read_gold, score
from accordingto.folder import digest_of_model
from accordingto.graph import digest
from accordingto.pipeline import load
from accordingto.sentence import Sentences
from accordingto.shipped import model_folder
from accordingto.speaker import GRAPH as SPEAKER_GRAPH
from accordingto.speaker import SETTINGS as SPEAKER_SETTINGS
from accordingto.stance import GRAPH as STANCE_GRAPH
from accordingto.stance import SETTINGS as STANCE_SETTINGS
from accordingto.training.build import CORPORA, DEV, DEV_AND_TRAIN, REPORT_STEPS, fit_guideline
from accordingto.training.corpus import IGNORE, Example, SilverLabels, make_example, read_jsonl
from accordingto.training.export import export_graphs, transitions_of
from accordingto.training.lesson import Lessons, digest_of_text, read_lessons
from accordingto.training.meaning import Network, StanceReader
from accordingto.training.restored import restore_network
from accordingto.training.speakers import SpeakerConfig, SpeakerNetwork, export_speakers, fit_speaker_confidence, fit_speakers, speaker_examples
from accordingto.training.stage import CONTINUING
from accordingto.training.stances import StanceConfig, export_stances, fit_stance_confidence, fit_stances, stance_examples
from accordingto.training.train import train, write_progress
from accordingto.window import WordCache, words_from_doc

REHEARSED = 4  # articles of the corpora for each reviewed one
WATCHED = ("cue_f1", "relation_f1", "speaker_accuracy", "stance_accuracy")  # what may not become worse
NOISE = 27.0  # points a figure may fall, times the root of the gold's claims: weights moved by half a step of int8, nothing learned, cost up to 1.5 on 344 claims (three draws)
ALONE = 0.5  # of the rates, where no article of the corpora holds what was learned
FURTHER_STANCES = StanceConfig(epochs=2, rate=1e-4)
FURTHER_SPEAKERS = SpeakerConfig(epochs=3, rate=3e-4)
"""The scorers go on at a fifth of their rates and for fewer rounds, as the reader does."""

Say = Callable[[str], None]
Figures = dict[str, float]


@dataclass
class Continued:
    """What became of it: the figures of each set of articles before and after."""

    output: Path
    learned: int  # articles
    held_out: int
    rehearsed: int
    before: dict[str, Figures] = field(default_factory=dict)
    after: dict[str, Figures] = field(default_factory=dict)

    @property
    def worse(self) -> list[str]:
        """What became worse by more than the rounding of weights explains, a sentence each."""
        out = []
        for name, old in self.before.items():
            margin = NOISE / max(1.0, old["gold"]) ** 0.5
            out += [f"{key} on {name} fell from {old[key]} to {self.after[name][key]}" for key in WATCHED if key in old and self.after[name].get(key, 0.0) < old[key] - margin]
        return out


@dataclass(frozen=True)
class ContinueOptions:
    """How a training goes on."""

    base: Path | None = None  # the pipeline to go on from; the shipped one by default
    data: Path | None = None  # the corpora: to rehearse, to calibrate, and for their dev articles
    dev: Path | None = None  # gold to measure on that the model never learned from
    epochs: int | None = None
    threads: int = 1
    even_if_worse: bool = False


def continue_training(reviewed: Sequence[Path], *, work: Path, output: Path, options: ContinueOptions, say: Say) -> Continued:
    """Write a pipeline that learned from reviewed runs, and return the figures before and after.

    Raises TrainingError where it became worse, or where nothing can tell, unless the options say to write it all the same;
    OutputError where there is something in the place of the output.
    """
    base = options.base or model_folder()
    if output.exists():
        raise OutputError(output, "there is something in its place", "give the name of a new folder with -o")
    missing = [name for name in CORPORA if options.data is not None and not (options.data / name).is_file()]
    if missing:
        raise TrainingError(f"{str(options.data)!r} lacks {', '.join(missing)}", "name the folder of the corpora, or none")
    torch.set_num_threads(options.threads)
    lessons = read_lessons(reviewed)
    for note in lessons.notes:
        say(note)
    sets = _sets_to_measure(lessons, options)
    if not sets and not options.even_if_worse:
        raise TrainingError(f"of {len(lessons.learn)} reviewed articles none can be kept out to measure with", "review more, give gold with --dev, or take what comes with --even-if-worse")
    done = Continued(output, len(lessons.learn), len(lessons.held_out), 0)
    say(f"learning from {len(lessons.learn)} reviewed articles, {len(lessons.held_out)} kept out to measure with")
    if options.data is None:
        say("no corpora are given: nothing holds what was learned before, so the steps are smaller, and nothing is calibrated anew")
    done.before = _measure(base, sets, options, "before", say)
    built = work / "pipeline"
    done.rehearsed = _build(lessons, base, built, work, options, say)
    done.after = _measure(built, sets, options, "after", say)
    if done.worse and not options.even_if_worse:
        raise TrainingError(f"the model became worse, so it was not written: {'; '.join(done.worse)}", "review more articles, give the corpora, or take it all the same with --even-if-worse")
    _write(built, output, done)
    return done


def _sets_to_measure(lessons: Lessons, options: ContinueOptions) -> dict[str, list[dict[str, Any]]]:
    """Return the gold to measure on, by name; none of it is learned from."""
    sets = {"reviewed articles kept out": lessons.held_out} if lessons.held_out else {}
    if options.data is not None:
        sets |= {f"{name}_dev": read_gold(options.data / f"{name}_dev.jsonl.gz") for name in DEV_AND_TRAIN}
    if options.dev is not None:
        sets[options.dev.name] = read_gold(options.dev)
    known = {digest_of_text(row) for row in lessons.learn}
    return {name: rest for name, rows in sets.items() if (rest := [row for row in rows if digest_of_text(row) not in known])}


def _measure(model: Path, sets: dict[str, list[dict[str, Any]]], options: ContinueOptions, when: str, say: Say) -> dict[str, Figures]:
    out = {}
    for name, gold in sets.items():
        rows = read_articles_of(gold, model=model, guideline="steady", threads=options.threads)
        out[name] = score(gold, rows) | {"calibration_error": calibration_error(judge(gold, rows))}
        told = ", ".join(f"{key} {out[name][key]}" for key in WATCHED if key in out[name])
        say(f"{when}, {name} ({len(gold)} articles): {told}, calibration error {out[name]['calibration_error']}")
    return out


def _build(lessons: Lessons, base: Path, built: Path, work: Path, options: ContinueOptions, say: Say) -> int:
    """Write the continued pipeline into `built`, and return how many articles of the corpora were read beside the reviewed ones."""
    network, speakers, tags = restore_network(base)
    tokenizer = Tokenizer.from_str((base / "encoder" / PIECES).read_text(encoding="utf-8"))
    rehearsal = _rehearsal(lessons, options.data) if options.data else {}
    corpora = _examples(lessons, rehearsal, tokenizer, tags)
    rates = {name: getattr(CONTINUING, name) * (1.0 if rehearsal else ALONE) for name in ("encoder_rate", "head_rate", "transition_rate")}
    config = replace(CONTINUING, name=f"continuing-{_name_of(lessons, base, options)}", epochs=options.epochs or CONTINUING.epochs, **rates)
    network = train(network, corpora, work, config, report=_reporter(work, say))
    assert isinstance(network.labels, StanceReader)
    assert network.links is not None
    speakers.links.load_state_dict(network.links.state_dict())
    shutil.rmtree(built, ignore_errors=True)
    shutil.copytree(base, built)
    _export_reader(network, built)
    say("the scorers of stances and speakers")
    further = [row for rows in rehearsal.values() for row in rows if row.get("labelled")]
    stances, speakers = _fit_scorers(network.labels, speakers, [*lessons.learn, *further], built)
    if options.data is not None:
        _calibrate(stances, speakers, built, options.data, lessons, say)
    return sum(map(len, rehearsal.values()))


def _rehearsal(lessons: Lessons, data: Path) -> dict[str, list[dict[str, Any]]]:
    """Return articles of the corpora's train by corpus, drawn by a seed; none whose text was reviewed."""
    rng = np.random.default_rng(CONTINUING.seed)
    each = -(-REHEARSED * len(lessons.learn) // len(DEV_AND_TRAIN))
    known, out = lessons.texts, {}
    for name in DEV_AND_TRAIN:
        rows = [row for row in read_jsonl(data / f"{name}_train.jsonl.gz") if row.get("labelled") and digest_of_text(row) not in known]
        out[name] = [rows[i] for i in rng.permutation(len(rows))[:each]]
    silver = {row["id"]: row for row in read_jsonl(data / "polnear_train_corenlp.jsonl.gz")} if any(out.values()) else {}
    return {name: [row | {"silver": silver.get(row["id"])} for row in rows] for name, rows in out.items()}


def _examples(lessons: Lessons, rehearsal: dict[str, list[dict[str, Any]]], tokenizer: Tokenizer, tags: Sequence[str]) -> dict[str, list[Example]]:
    """Return what is trained on; the trees of silver parses are left out, whose heads no graph kept."""
    nlp, cache, numbers = spacy.blank("en"), WordCache(tokenizer), SilverLabels(tags=tags)
    out = {}
    for name, rows in {"reviewed": lessons.learn, **rehearsal}.items():
        guideline = GUIDELINES.index("polnear" if name == "polnear" else "steady")
        made = [make_example(row, words_from_doc(nlp.make_doc(row["text"]), cache, stop_headings=True), guideline, row.get("silver"), numbers) for row in rows]
        out[name] = [replace(e, relation=np.full_like(e.relation, IGNORE), head=np.full_like(e.head, IGNORE)) for e in made]
    return out


def _name_of(lessons: Lessons, base: Path, options: ContinueOptions) -> str:
    """Return a name that only the same training has, so that a killed one goes on from its own checkpoint."""
    facts = [digest_of_model(base), lessons.learn, str(options.data and options.data.resolve())]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode("utf-8")).hexdigest()[:12]


def _reporter(work: Path, say: Say) -> Callable[[dict[str, Any]], None]:
    write = write_progress(work / "progress.jsonl")

    def report(row: dict[str, Any]) -> None:
        write(row)
        if row["step"] % REPORT_STEPS == 0 or row["step"] == row["steps"]:
            losses = ", ".join(f"{name} {row[name] / row['words']:.4f}" for name in ("cue", "role", "labels") if name in row)
            say(f"step {row['step']} of {row['steps']}: loss a word: {losses}; some {(row['steps'] - row['step']) * row['seconds'] / 60:.0f} minutes left")

    return report


def _export_reader(network: Network, built: Path) -> None:
    """Put the reader's graphs and transitions into a pipeline's folder; cue thresholds and confidences stay as they were."""
    export_graphs(network.reader, built / "graphs", quantize=True)
    for graph, part in ((ENCODER_GRAPH, "encoder"), (ROLE_GRAPH, "attributions")):
        for file in (built / "graphs").glob(f"{Path(graph).stem}.*"):
            file.replace(built / part / file.name)
    (built / "graphs").rmdir()
    settings = Attributions().from_disk(built / "attributions").settings
    write_settings(built / "attributions", {name: replace(decoding, transitions=transitions_of(network.reader)) for name, decoding in settings.items()})


def _fit_scorers(stances: StanceReader, speakers: SpeakerNetwork, learn: list[dict[str, Any]], built: Path) -> tuple[StanceReader, SpeakerNetwork]:
    """Let the scorers go on with articles as the new encoder reads them, write them, and return them."""
    read = _docs_of(built, learn)
    torch.manual_seed(CONTINUING.seed)
    silver = {row["id"]: row["silver"] for row in learn if row.get("silver")}
    stances = fit_stances(stances, stance_examples(learn, read, silver), FURTHER_STANCES) if any(a.get("stance") for row in learn for a in row["attributions"]) else stances
    known = speaker_examples(learn, read)
    speakers = fit_speakers(speakers, known, FURTHER_SPEAKERS) if known else speakers
    export_stances(stances, built / "stances" / STANCE_GRAPH)
    export_speakers(speakers, built / "speakers" / SPEAKER_GRAPH)
    return stances, speakers


def _docs_of(built: Path, rows: Sequence[dict[str, Any]], guideline: str = "steady") -> list[Doc]:
    nlp = spacy.blank("en")
    encoder = Encoder(nlp.vocab, guideline=guideline, threads=2).from_disk(built / "encoder")
    return list(Sentences().pipe(encoder.pipe(nlp.make_doc(row["text"]) for row in rows)))


def _calibrate(stances: StanceReader, speakers: SpeakerNetwork, built: Path, data: Path, lessons: Lessons, say: Say) -> None:
    """Fit thresholds and confidences on the corpora's dev, as the training of the shipped pipeline does; not on what was reviewed."""
    gold = {name: [row for row in read_gold(data / f"{name}_dev.jsonl.gz") if digest_of_text(row) not in lessons.texts] for name in DEV_AND_TRAIN}
    component = Attributions().from_disk(built / "attributions")
    for guideline in DEV:
        say(f"calibrating on dev: {guideline}")
        docs = {name: _docs_of(built, rows, guideline) for name, rows in gold.items()}
        fit_guideline(guideline, gold, docs, component)
    write_settings(built / "attributions", component.settings)
    labelled = [(row, doc) for name, rows in gold.items() for row, doc in zip(rows, docs[name], strict=True) if row.get("labelled")]
    rows, read = [row for row, _ in labelled], [doc for _, doc in labelled]
    write_calibration(fit_stance_confidence(stances, stance_examples(rows, read, {})), built / "stances" / STANCE_SETTINGS)
    write_calibration(fit_speaker_confidence(speakers, speaker_examples(rows, read)), built / "speakers" / SPEAKER_SETTINGS)


def _write(built: Path, output: Path, done: Continued) -> None:
    """Move a pipeline to its place, with what it learned in its meta data and in its card."""
    meta = json.loads((built / "meta.json").read_text(encoding="utf-8"))
    digests = {path.name: digest(path) for path in sorted(built.rglob("*.onnx"))}
    short = hashlib.sha256(json.dumps(digests).encode()).hexdigest()[:8]
    meta["version"] = f"{meta['version'].partition('+')[0]}+reviewed.{short}"  # as the claims will name it
    facts = {"articles": done.learned, "held_out": done.held_out, "rehearsed": done.rehearsed, "before": done.before, "after": done.after}
    meta["accordingto"] = meta.get("accordingto", {}) | {"digests": digests, "reviewed": [*meta.get("accordingto", {}).get("reviewed", []), facts]}
    (built / "meta.json").write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")
    (built / "README.md").write_text(_card(meta, done), encoding="utf-8")
    load(built)  # raises ModelError where it would not be read
    output.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(built, new := output.with_name(f".{output.name}.{os.getpid()}.partial"))
    new.rename(output)
    shutil.rmtree(built)


def _card(meta: dict[str, Any], done: Continued) -> str:
    """Return the card of a continued model: what it learned from, and what that changed."""
    keys = (*WATCHED, "calibration_error")
    rows = "\n".join(f"| {name} | " + " | ".join(f"{old.get(key, '–')} → {done.after[name].get(key, '–')}" for key in keys) + " |" for name, old in done.before.items())
    head = f"# {meta['name']} {meta['version']}\n\nThe pipeline that accordingto ships, or one made from it, that went on learning from {done.learned} reviewed articles"
    return f"{head}, beside {done.rehearsed} of the corpora; {done.held_out} reviewed articles were kept out.\n\n| measured on | {' | '.join(keys)} |\n|---|{'---|' * len(keys)}\n{rows}\n"
