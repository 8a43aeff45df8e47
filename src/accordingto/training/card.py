"""The model card, written from the pipeline's own meta data, so that it cannot say other figures than were measured."""

from __future__ import annotations

from typing import Any

from accordingto.evaluation import LABELS

COLUMNS = ("cue_f1", "source_exact_f1", "content_exact_f1", "content_char_f1", "relation_f1", "nested_cue_f1", "calibration_error")
LABEL_COLUMNS = ("speaker_accuracy", "source_kind_accuracy", *(f"{label}_macro_f1" for label in LABELS), "attitude_target_accuracy")

TEMPLATE = """# {name} {version}

Reads attributions in English news articles: for each cue (*said*, *according to*, a colon) the source and the content, nested ones
too, with a calibrated confidence; whom the source means; what the source does with the content (stance and the other labels); and
sentence boundaries, names and parts of speech. Made by `accordingto train` of this repository, from nothing but the
corpora and start weights below; loads with `spacy.load`, without pickle and without network.

## What it is
One encoder (all-MiniLM-L6-v2: 6 layers, width 384, uncased wordpieces; weights int8 in ONNX) with features of case, line breaks and
quotation marks that are visible in the text; heads for sentence starts, cues, names and parts of speech; a role head that reads, for each cue, every
word of its window, decoded as a linear-chain CRF; a reader of labels over each claim's words, a linear model of those words beside it; a scorer of speakers over all mentions of
the article; rules for the furniture of web pages, which is no claim. Trained in two stages: first to read, then to read labels and coreference too. A flag chooses the habit of marking: `steady` (default) or `polnear`.

## Data
| corpus | articles | words | attributions |
|---|---|---|---|
{corpora}

- PolNeAR 1.0.0 (Newell, Margolin & Ruths, LREC 2018), with silver parses of CoreNLP as a further training signal. Its data licence is
  not stated and the texts belong to their publishers: no text is shipped, trained weights only.
- `clean`: articles of PolNeAR's train marked anew by language-model annotators; `written`: articles written for this project, marked alike.
- OntoGUM (GUM): gold sentences, CC BY and CC BY-SA.
- First names with the sex that most bearers share, `firstnames.txt` of the package: chosen from the counts of nomquamgender 0.1.4 (MIT); a feature of the scorer of speakers.
- Start weights: all-MiniLM-L6-v2, Apache-2.0. The trained weights are released under Apache-2.0.

## Figures on dev
Chosen, calibrated and measured on dev, F1 by `accordingto evaluate`; dev was never trained on.

| dev corpus by guideline | {header} |
|---|{rule}
{figures}

Speakers and labels of matched attributions (accuracy; of the labels macro F1):

| dev corpus by guideline | {label_header} |
|---|{label_rule}
{label_figures}

Sentence starts on {documents} OntoGUM documents kept out of training: F1 {sentence_f1} (spaCy's rule `sentencizer`: {sentencizer_f1}).
Two trained people reach with each other on PolNeAR: cue 81.4, source exact 77.2, content exact 68.6, content chars 84.9, relation 63.4.

## Limits
- English news, mostly on politics in the United States of 2015 and 2016; other registers are read less well, other languages not at all.
- A claim is what the text attributes to somebody. It is not checked, and may be quoted out of context. Review before you publish.
- Content that runs over more than one window of {window} wordpieces is cut there; paragraphs are kept together where that is possible.
- The confidence is calibrated on dev corpora of the kinds above; on texts unlike them it is a guess.

## Training
{training}
"""


def model_card(meta: dict[str, Any]) -> str:
    """Return the card of a pipeline as Markdown."""
    from accordingto.window import MAX_WINDOW_PIECES

    facts, performance = meta["accordingto"], meta["performance"]
    scored = {name: figures for name, figures in performance.items() if "_dev by " in name}
    labelled = {name: figures for name, figures in scored.items() if "speaker_accuracy" in figures}
    return TEMPLATE.format(
        name=meta["name"],
        version=meta["version"],
        corpora="\n".join(f"| {name} | {n['articles']} | {n['words']:,} | {n['attributions']:,} |" for name, n in facts["corpora"].items()),
        header=" | ".join(column.removesuffix("_f1").replace("_", " ") for column in COLUMNS),
        rule="---|" * len(COLUMNS),
        figures=_rows(scored, COLUMNS),
        label_header=" | ".join(column.removesuffix("_macro_f1").replace("_", " ") for column in LABEL_COLUMNS),
        label_rule="---|" * len(LABEL_COLUMNS),
        label_figures=_rows(labelled, LABEL_COLUMNS),
        window=MAX_WINDOW_PIECES,
        training="\n".join("- " + ", ".join(f"{name} {value}" for name, value in stage.items()) for stage in facts["training"]),
        **performance["sentences"],
    )


def _rows(scored: dict[str, dict[str, float]], columns: tuple[str, ...]) -> str:
    return "\n".join(f"| {name} | " + " | ".join(str(figures.get(c, "–")) for c in columns) + " |" for name, figures in scored.items())
