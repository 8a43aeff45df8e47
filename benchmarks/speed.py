"""Speed, memory and start of the whole command, stage by stage, beside a spaCy pipeline with textacy, and beside the floor.

    pip install textacy onnx       # for the comparison and for the floor
    python benchmarks/speed.py WORK [--articles 1000] [--words 600]

The text is the repository's own: written articles with changes, and as much plain reporting between them that the result has a claim in
some 22 words, as news has (PolNeAR 23.6, the articles alone 12.5; `--dense` takes them alone). Each measure is taken in a process of its own, all in one run of this
script, so that a busy machine slows all of them. The spaCy pipeline has the shape of en_core_web_sm (components, widths, depths) with
untrained weights where its own are not installed: the arithmetic is the same, what it finds is not.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]
GEMM = (300, 384, 1536)  # a window's wordpieces, width, inner width: the encoder's largest product
PRODUCTS = 6 * (4 * 384 * 384 + 2 * 384 * 1536)  # multiplications a wordpiece in the encoder's matrices


PLAIN = (ROOT / "benchmarks" / "plain_reporting.txt").read_text(encoding="utf-8").splitlines()  # of ours; nobody says anything in it


def articles(count: int, words: int, *, dense: bool = False) -> list[str]:
    """Return articles of some `words` words, no two alike; dense: without the plain reporting."""
    from mixed_inputs import story

    out, number = [], 0
    for _ in range(count):
        parts: list[str] = []
        while sum(len(p.split()) for p in parts) < words:
            for paragraph in story(number).split("\n\n"):
                number += 1
                parts += [paragraph] if dense or len(paragraph) < 80 else [paragraph, PLAIN[number % len(PLAIN)].format(n=number % 100)]
        out.append(" ".join("\n\n".join(parts).split(" ")[:words]))
    return out


def command(work: Path, texts: list[str], cores: int) -> dict:
    """Return seconds and peak memory of the whole command on some cores."""
    table = work / "articles.jsonl"
    table.write_text("".join(json.dumps({"id": f"n{i}", "text": t}) + "\n" for i, t in enumerate(texts)), encoding="utf-8")
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    argv = [sys.executable, "-m", "accordingto", "extract", str(table), "-o", str(work / "claims.csv"), "--workers", str(cores)]
    subprocess.run(argv, check=True, stderr=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, range(cores)))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    with (work / "claims.csv").open(encoding="utf-8-sig", newline="") as lines:
        claims = sum(1 for _ in csv.reader(lines)) - 1
    return {"seconds": time.perf_counter() - began, "processor seconds": processor, "peak MB": used.ru_maxrss / 1000, "claims": claims}


def start() -> dict:
    """Return the seconds until `--help` is printed, and until one sentence's claims are written."""
    out = {}
    for name, argv in (("--help", ["--help"]), ("one sentence", ["extract", "-", "-o", "-"])):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "accordingto", *argv], input=b"Officials said the road was closed.", check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        out[name] = time.perf_counter() - began
    return out


def stages(texts: list[str]) -> dict:
    """Return the processor seconds of each stage on one core."""
    os.sched_setaffinity(0, {0})
    import accordingto
    from accordingto.claim import claims_from_doc
    from accordingto.schema import Article

    nlp = accordingto.load(threads=1)
    list(nlp.pipe(texts[:2]))
    out: dict[str, float] = {}
    docs = _measured(out, "tokens", lambda: [nlp.make_doc(text) for text in texts])
    for name, component in nlp.pipeline:
        docs = _measured(out, name, lambda component=component, docs=docs: list(component.pipe(docs, batch_size=16)))
    read = [Article(f"n{i}", text) for i, text in enumerate(texts)]
    _measured(out, "claims", lambda: [claims_from_doc(article, doc, model="") for article, doc in zip(read, docs, strict=True)])
    return out


def _measured(out: dict[str, float], name: str, work):
    began = time.process_time()
    done = work()
    out[name] = time.process_time() - began
    return done


def floor(texts: list[str]) -> dict:
    """Return the seconds of the encoder's graph alone on one core, and of its matrix products at the measured rate of int8."""
    os.sched_setaffinity(0, {0})
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper

    import accordingto
    from accordingto.encoder import GRAPH
    from accordingto.graph import Graph
    from accordingto.pipeline import model_folder
    from accordingto.window import cut_windows, encoder_inputs, words_from_doc

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    graph = Graph(model_folder() / "encoder" / GRAPH)
    nlp = accordingto.load()
    cache = nlp.get_pipe("encoder")._cache  # type: ignore[attr-defined]
    inputs = []
    for text in texts:
        words = words_from_doc(nlp.make_doc(text), cache, stop_headings=True)
        inputs += [{n: v[None] for n, v in encoder_inputs(words, *window).items()} | {"guideline": np.array([1])} for window in cut_windows(words)]
    began = time.perf_counter()
    for given in inputs:
        graph(given)
    spent = time.perf_counter() - began

    rows, width, inner = GEMM
    left, right = helper.make_tensor_value_info("a", TensorProto.UINT8, (rows, width)), onnx.numpy_helper.from_array(np.random.default_rng(0).integers(-127, 127, (width, inner), np.int8), "b")
    graph = helper.make_graph([helper.make_node("MatMulInteger", ["a", "b"], ["c"])], "product", [left], [helper.make_tensor_value_info("c", TensorProto.INT32, (rows, inner))], [right])
    product = onnxruntime.InferenceSession(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10).SerializeToString(), options)
    given = {"a": np.random.default_rng(1).integers(0, 255, (rows, width), np.uint8)}
    best = min(_timed(lambda: product.run(None, given)) for _ in range(200))
    rate = 2 * rows * width * inner / best
    pieces = sum(given["pieces"].shape[1] for given in inputs)
    return {"encoder alone": spent, "its matrix products at the int8 rate": 2 * PRODUCTS * pieces / rate, "int8 GOP/s": rate / 1e9, "wordpieces": pieces}


def _timed(run) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def spacy_and_textacy(texts: list[str], cores: int) -> dict:
    """Return the seconds of a spaCy pipeline of en_core_web_sm's shape and textacy's direct quotations after it."""
    os.sched_setaffinity(0, range(cores))
    from textacy.extract import direct_quotations

    nlp = small_pipeline()
    began, quotations = time.perf_counter(), 0
    for doc in nlp.pipe(texts, batch_size=64, n_process=cores):
        with suppress(ValueError):  # it refuses an article with an odd number of quotation marks
            quotations += sum(1 for _ in direct_quotations(doc))
    return {"seconds": time.perf_counter() - began, "trained weights": nlp.meta["name"] == "core_web_sm"}


def small_pipeline():
    """Return en_core_web_sm where it is installed, else a pipeline of its shape without its training."""
    import spacy
    from spacy.training import Example

    if spacy.util.is_package("en_core_web_sm"):
        return spacy.load("en_core_web_sm")
    encoder = {"@architectures": "spacy.HashEmbedCNN.v2", "pretrained_vectors": None, "width": 96, "depth": 4, "embed_size": 2000, "window_size": 1, "maxout_pieces": 3, "subword_features": True}
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 96, "upstream": "tok2vec"}
    transitions = {"@architectures": "spacy.TransitionBasedParser.v2", "extra_state_tokens": False, "hidden_width": 64, "maxout_pieces": 2, "use_upper": True, "nO": None}
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": encoder})
    nlp.add_pipe("tagger", config={"model": {"@architectures": "spacy.Tagger.v2", "nO": None, "tok2vec": listener}})
    nlp.add_pipe("parser", config={"model": {**transitions, "state_type": "parser", "tok2vec": listener}})
    nlp.add_pipe("attribute_ruler")
    nlp.add_pipe("ner", config={"model": {**transitions, "state_type": "ner", "tok2vec": encoder}})
    tags = [f"TAG{i}" for i in range(50)]
    words = [*["The", "mayor", "of", "the", "town", "said", "on", "Monday", "that", "he", "would", "not", "resign"], "."]
    facts = {"words": words, "tags": [tags[i % 50] for i in range(len(words))], "heads": [1, 5, 1, 4, 2, 5, 5, 6, 12, 12, 12, 12, 5, 5], "deps": [f"dep{i}" if i != 5 else "ROOT" for i in range(len(words))],
             "entities": ["O"] * 7 + ["U-DATE"] + ["O"] * (len(words) - 8)}  # fmt: skip
    example = Example.from_dict(nlp.make_doc(" ".join(words)), facts)
    for tag in tags:
        nlp.get_pipe("tagger").add_label(tag)  # type: ignore[attr-defined]
    optimizer = nlp.initialize(lambda: [example] * 40)  # a label seen less than 30 times is dropped
    for _ in range(60):  # until it ends sentences and finds no name in every word: an untrained parser takes other ways through its states
        nlp.update([example], sgd=optimizer)
    return nlp


PARTS = {"command": command, "start": start, "stages": stages, "floor": floor, "spacy": spacy_and_textacy}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("--articles", type=int, default=1000)
    parser.add_argument("--words", type=int, default=600)
    parser.add_argument("--dense", action="store_true", help="the written articles alone: a claim in 12.5 words")
    parser.add_argument("--part", help="measured in this process, for the script itself")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    texts = articles(options.articles, options.words, dense=options.dense)
    count, cores = sum(len(t.split()) for t in texts), os.cpu_count() or 1
    if options.part:
        name, _, number = options.part.partition(":")
        fewer = texts[: max(1, len(texts) // 10)]
        given = {"command": (options.work, texts, int(number or 0)), "start": (), "stages": (fewer,), "floor": (fewer,), "spacy": (texts, int(number or 0))}[name]
        print(json.dumps(PARTS[name](*given)))
        return 0
    print(f"{len(texts)} articles, {count} words, {cores} cores", flush=True)
    found = {}
    for part in (*(f"command:{n}" for n in sorted({1, cores})), *(f"spacy:{n}" for n in sorted({1, cores})), "start", "stages", "floor"):
        argv = [sys.executable, __file__, str(options.work), "--articles", str(options.articles), "--words", str(options.words), "--part", part, *(["--dense"] if options.dense else [])]
        found[part] = json.loads(subprocess.run(argv, check=True, stdout=subprocess.PIPE, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"}).stdout.splitlines()[-1])
        if "seconds" in found[part]:
            found[part] |= {"words/s": count / found[part]["seconds"], "articles/s": len(texts) / found[part]["seconds"]}
        print(part, "  ".join(f"{name} {value:,.2f}" if isinstance(value, float) else f"{name} {value}" for name, value in found[part].items()), flush=True)
    whole = sum(found["stages"].values())
    print(f"share of the encoder: {found['stages']['encoder'] / whole:.0%} of the stages' processor time; ours against spaCy with textacy: {found[f'command:{cores}']['words/s'] / found[f'spacy:{cores}']['words/s']:.2f}")
    (options.work / "speed.json").write_text(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
