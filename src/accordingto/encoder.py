"""`encoder`: each word's vector and first scores, by one pass of the network over windows of the article.

Reads nothing but the text, so articles of any length are read whole: window after window, none left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc
from spacy.vocab import Vocab
from tokenizers import Tokenizer

from accordingto.document import WIDTH, set_encoding
from accordingto.errors import ModelError
from accordingto.graph import Graph, copy_graph
from accordingto.window import WordCache, Words, cut_windows, encoder_inputs, words_from_doc

GUIDELINES = ("polnear", "steady")
GRAPH, PIECES, TAGS = "encoder.onnx", "wordpieces.json", "tags.json"

Pending = tuple[Words, list[tuple[int, int]], list["Future[np.ndarray]"]]


@Language.factory("accordingto_encoder", assigns=["doc.tensor", "token.tag"], default_config={"guideline": "steady", "threads": 1})
def make_encoder(nlp: Language, name: str, guideline: str, threads: int) -> Encoder:
    """Return an encoder without weights; `from_disk` brings them."""
    return Encoder(nlp.vocab, name, guideline=guideline, threads=threads)


class Encoder:
    """The component: sets `doc.tensor`, (T, 398) by `document.COLUMNS`.

    guideline: whose habit of marking the heads follow, `steady` (LABELS.md) or `polnear` (PolNeAR's annotators).
    threads: windows that are encoded side by side.
    """

    def __init__(self, vocab: Vocab, name: str = "encoder", *, guideline: str = "steady", threads: int = 1) -> None:
        self.vocab, self.name, self.guideline, self.threads = vocab, name, guideline, threads
        self._graph: Graph | None = None
        self._tokenizer: Tokenizer | None = None
        self._cache: WordCache | None = None
        self._tags: list[str] = []
        self._pool: ThreadPoolExecutor | None = None

    def __call__(self, doc: Doc) -> Doc:
        """Return the Doc with its encoding."""
        self.set_annotations([doc], self.predict([doc]))
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 16) -> Iterator[Doc]:
        """Yield the Docs with their encoding; the next batch is encoded while this one is read further on."""
        docs = iter(stream)
        ahead: list[tuple[list[Doc], list[Pending]]] = []
        while batch := list(islice(docs, batch_size)):
            ahead.append((batch, [self._submit(doc) for doc in batch]))
            if len(ahead) > 1:
                yield from self._finish(*ahead.pop(0))
        for rest in ahead:
            yield from self._finish(*rest)

    def predict(self, docs: Iterable[Doc]) -> list[tuple[Words, list[tuple[int, int]], np.ndarray]]:
        """Return the words, windows and (W, 398) encoding of each Doc."""
        return [_gather(pending) for pending in [self._submit(doc) for doc in docs]]

    def set_annotations(self, docs: Iterable[Doc], predictions: Iterable[tuple[Words, list[tuple[int, int]], np.ndarray]]) -> None:
        """Put the encodings on the Docs."""
        for doc, (words, windows, encoded) in zip(docs, predictions, strict=True):
            set_encoding(doc, words.tokens, encoded, words.gap == 2, self._tags, windows, self.guideline)

    def to_disk(self, path: Path | str, *, exclude: Iterable[str] = ()) -> None:
        """Write the graph and the wordpieces into a folder."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        graph, tokenizer, _ = self._loaded()
        copy_graph(graph, folder)
        tokenizer.save(str(folder / PIECES))
        (folder / TAGS).write_text(json.dumps(self._tags) + "\n", encoding="utf-8")

    def from_disk(self, path: Path | str, *, exclude: Iterable[str] = ()) -> Encoder:
        """Load the graph and the wordpieces from a folder; raises ModelError."""
        folder = Path(path)
        self._graph = Graph(folder / GRAPH)
        try:
            self._tokenizer = Tokenizer.from_str((folder / PIECES).read_text(encoding="utf-8"))
        except Exception as error:  # tokenizers raises plain Exception for a damaged file
            raise ModelError(folder / PIECES, str(error)) from error
        try:
            self._tags = [str(tag) for tag in json.loads((folder / TAGS).read_text(encoding="utf-8"))]
        except (OSError, ValueError, TypeError) as error:
            raise ModelError(folder / TAGS, str(error)) from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._cache = WordCache(self._tokenizer)
        return self

    def _loaded(self) -> tuple[Graph, Tokenizer, WordCache]:
        if self._graph is None or self._tokenizer is None or self._cache is None:
            raise ModelError(self.name, "the component 'encoder' has no weights")
        return self._graph, self._tokenizer, self._cache

    def _submit(self, doc: Doc) -> Pending:
        """Start to encode a Doc's windows, the longest first, so that no thread is left with a long one at the end."""
        _, _, cache = self._loaded()
        if self._pool is None:
            self._pool = ThreadPoolExecutor(max(1, self.threads), thread_name_prefix="encoder")
        words = words_from_doc(doc, cache, stop_headings=True)
        windows = cut_windows(words)
        return words, windows, [self._pool.submit(self._encode, words, start, end) for start, end in windows]

    def _encode(self, words: Words, start: int, end: int) -> np.ndarray:
        """Return the (end - start, 398) encoding of one window."""
        graph, _, _ = self._loaded()
        inputs = {name: values[None] for name, values in encoder_inputs(words, start, end).items()}
        return graph({**inputs, "guideline": np.array([GUIDELINES.index(self.guideline)])})[0][0]

    def _finish(self, docs: list[Doc], pending: list[Pending]) -> Iterator[Doc]:
        self.set_annotations(docs, [_gather(p) for p in pending])
        yield from docs


def _gather(pending: Pending) -> tuple[Words, list[tuple[int, int]], np.ndarray]:
    """Wait for a Doc's windows and return them as one."""
    words, windows, futures = pending
    rows = [future.result() for future in futures]
    return words, windows, np.concatenate(rows) if rows else np.zeros((0, WIDTH + 14), np.float32)
