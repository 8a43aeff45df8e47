"""`speakers`: whom each source refers to, over the whole article: name, role and kind.

Every source is paired with every candidate of the article (mention.py), near or far, and with itself ("its own words are
the best description"); a small network scores the pairs from the encoder's vectors and from how the mentions lie.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc, Span

from accordingto.byline import find_writer, is_writer
from accordingto.calibration import Calibration, read_calibration, write_calibration
from accordingto.decoding import WordRange, softmax
from accordingto.document import Encoding, attributions_of, encoding_of, lowered_words, set_facts, words_of
from accordingto.errors import ModelError
from accordingto.graph import Graph, copy_graph
from accordingto.interview import ASKER, SURE, find_partners, interview_part
from accordingto.label import SOURCE_KINDS
from accordingto.mention import PRONOUNS, Candidate, Name, describe, find_candidates, find_names, own_words, text_of, words_of_names
from accordingto.phrase import roles_around
from accordingto.quotation import quoted_spans
from accordingto.schema import Attribution
from accordingto.situation import ARRAYS, OWN_FORMS, Situation, Source, describe_situation

GRAPH, SETTINGS = "speakers.onnx", "speakers.json"
BLOCK = 128  # sources that are paired together; an article of 3,000 words has as many
REACH = 3_000  # words to either side of a block in which names are candidates
LEAST = 1e-4  # a chance is taken for no smaller: nothing is ruled out alone
ENTITY_LABELS = {"ORGANIZATION": "ORG", "LOCATION": "LOC"}  # spaCy's names of CoreNLP's kinds


@Language.factory("accordingto_speakers", requires=["doc.tensor", "doc.spans"], assigns=["doc.spans", "doc.ents"])
def make_speakers(nlp: Language, name: str) -> Speakers:
    """Return the component without weights; `from_disk` brings them."""
    return Speakers(name)


class Speakers:
    """The component: sets speaker, role, kind and confidence of each attribution, and the article's names as `doc.ents`."""

    def __init__(self, name: str = "speakers") -> None:
        self.name = name
        self.confidence = Calibration()  # fitted on dev
        self._graph: Graph | None = None

    def __call__(self, doc: Doc) -> Doc:
        """Return the Doc with its speakers."""
        self.set_annotations([doc], self.predict([doc]))
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 16) -> Iterator[Doc]:
        """Yield the Docs with their speakers."""
        yield from map(self, stream)

    def predict(self, docs: Iterable[Doc]) -> list[tuple[list[Attribution], list[Name]]]:
        """Return each Doc's attributions with their speakers, and its names."""
        return [self._resolve(doc) for doc in docs]

    def set_annotations(self, docs: Iterable[Doc], predictions: Sequence[tuple[list[Attribution], list[Name]]]) -> None:
        """Put speakers and names on the Docs."""
        for doc, (attributions, names) in zip(docs, predictions, strict=True):
            set_facts(doc, attributions)
            tokens = encoding_of(doc).tokens
            doc.ents = [Span(doc, int(tokens[n.start]), int(tokens[n.end - 1]) + 1, label=ENTITY_LABELS.get(n.kind, n.kind)) for n in names]  # type: ignore[assignment]

    def to_disk(self, path: Path | str, *, exclude: Iterable[str] = ()) -> None:
        """Write the graph and the settings into a folder."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        copy_graph(self._loaded(), folder)
        write_calibration(self.confidence, folder / SETTINGS)

    def from_disk(self, path: Path | str, *, exclude: Iterable[str] = ()) -> Speakers:
        """Load the graph and the settings from a folder; raises ModelError."""
        folder = Path(path)
        self._graph = Graph(folder / GRAPH)
        self.confidence = read_calibration(folder / SETTINGS)
        return self

    def _loaded(self) -> Graph:
        if self._graph is None:
            raise ModelError(self.name, "the component 'speakers' has no weights")
        return self._graph

    def _resolve(self, doc: Doc) -> tuple[list[Attribution], list[Name]]:
        attributions, encoding = attributions_of(doc), encoding_of(doc)
        names = find_names(doc, encoding)
        stated = [i for i, a in enumerate(attributions) if a.source]
        out = [replace(a, source_kind="none") for a in attributions]
        entities = {word: c.name for c in find_candidates(doc, encoding, names, []) for m in c.mentions for word in range(*m)} if not stated else {}
        all_sources = sources_of(doc, encoding, attributions, stated)
        found: dict[int, dict[str, Any]] = {}
        chances: dict[int, np.ndarray] = {}
        for rows, sources in _blocks(stated, all_sources):
            situation = describe_situation(doc, encoding, sources, _names_near(names, sources))
            entities |= {word: c.name for c in situation.candidates if c.kind != "DESCRIPTION" for m in c.mentions for word in range(*m)}
            situated, by_speaker = self._choose(doc, encoding, situation)
            by_labels = np.array([attributions[i].kind_chances or (1.0,) * len(SOURCE_KINDS) for i in rows])
            found |= dict(zip(rows, situated, strict=True))
            chances |= dict(zip(rows, np.log(np.maximum(by_speaker, LEAST)) + np.log(np.maximum(by_labels, LEAST)), strict=True))
        for i, kind in _agreed_kinds(found, chances):
            out[i] = replace(attributions[i], **found[i] | {"source_kind": kind})
        for row, facts in _partners(doc, encoding, names, all_sources, {a.speaker: a.speaker_role for a in out if a.speaker_role}):
            out[stated[row]] = replace(out[stated[row]], **facts)
        for row, facts in _writers(doc, encoding, names, all_sources, [out[i].source_kind for i in stated]):
            out[stated[row]] = replace(out[stated[row]], **facts)
        for i, target in self._targets(doc, encoding, out, names, entities, stated):
            out[i] = replace(out[i], attitude_target=target)
        return out, names

    def _targets(self, doc: Doc, encoding: Encoding, attributions: Sequence[Attribution], names: Sequence[Name], entities: dict[int, str], stated: Sequence[int]) -> Iterator[tuple[int, str]]:
        """Yield whom or what each attitude aims at: a name in full, whom a pronoun means, else the aim's own words; entities: full names by the words of names."""
        aimed = [i for i, a in enumerate(attributions) if a.aim]
        named = words_of_names(encoding, ((n.start, n.end) for n in names))
        pronouns: list[tuple[int, Source]] = []
        for i, aim in zip(aimed, aims_of(doc, encoding, attributions, aimed), strict=True):
            name = next((entities[word] for word in reversed(range(*aim.words)) if word in entities), None)
            own = describe(doc, encoding, aim.words, named) or text_of(doc, encoding, aim.words)
            if name is None and own.lower() in PRONOUNS:
                pronouns.append((i, aim))
            else:
                yield i, name or own
        known = sources_of(doc, encoding, attributions, stated) if pronouns else []
        for rows, aims in _blocks([i for i, _ in pronouns], [aim for _, aim in pronouns]):
            situation = describe_situation(doc, encoding, aims, _names_near(names, aims), known=known)
            scores, _ = self._loaded()({name: getattr(situation, name) for name in ARRAYS})
            for row, i in enumerate(rows):
                yield i, _meant(situation, scores[row], row, attributions[i].speaker)

    def _choose(self, doc: Doc, encoding: Encoding, situation: Situation) -> tuple[list[dict[str, Any]], np.ndarray]:
        """Return speaker, role, kind and confidence of each source by its likeliest choice, and the chances of its kinds by all choices, (S, kinds)."""
        scores, kinds = self._loaded()({name: getattr(situation, name) for name in ARRAYS})
        separate = softmax(scores)
        chances, of_kind = situation.joined(separate), (separate[:, None] @ softmax(kinds))[:, 0]
        roles: dict[int, str | None] = {}
        facts = [
            {
                "speaker": situation.name(row, choice),
                "speaker_role": find_role(doc, encoding, situation, row, choice, roles),
                "source_kind": SOURCE_KINDS[int(kinds[row, choice].argmax())],
                "speaker_confidence": self.confidence(float(chances[row, choice])),
            }
            for row, choice in enumerate(chances.argmax(1).tolist())
        ]
        return facts, of_kind


def _meant(situation: Situation, scores: np.ndarray, row: int, speaker: str | None) -> str:
    """Return whom a pronoun that an attitude aims at means: nobody is likely to aim at himself; scores: (N,) of the choices."""
    others = [k for k, candidate in enumerate(situation.candidates, OWN_FORMS) if candidate.name != speaker]
    return situation.name(row, max(others, key=lambda k: float(scores[k]), default=0))


def _agreed_kinds(found: Mapping[int, dict[str, Any]], chances: Mapping[int, np.ndarray]) -> Iterator[tuple[int, str]]:
    """Yield the kinds of sources, each by its own chances and as much by those of all sources that mean the same speaker; found: facts, chances: logarithms, by the attribution.

    The article's author is rare, and told by the pronoun and the choice.
    """
    of_speaker: dict[str, list[np.ndarray]] = {}
    for i, own in chances.items():
        if found[i]["source_kind"] != "author":
            of_speaker.setdefault(found[i]["speaker"].casefold(), []).append(own)
    means = {speaker: sum(all_chances) / len(all_chances) for speaker, all_chances in of_speaker.items()}
    for i, own in chances.items():
        yield i, "author" if found[i]["source_kind"] == "author" else SOURCE_KINDS[int((own + means[found[i]["speaker"].casefold()]).argmax())]


def _partners(doc: Doc, encoding: Encoding, names: Sequence[Name], sources: Sequence[Source], roles: dict[str | None, str | None]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the numbers of the sources that are the letters of an interview, with speaker, role, kind and confidence; roles: of speakers, as found elsewhere."""
    lowered = lowered_words(doc, encoding)
    parts = [interview_part(lowered, encoding, source.words) for source in sources]
    first = min((source.words[0] for source, part in zip(sources, parts, strict=True) if part == "asks"), default=None)
    if first is None:
        return
    candidates = find_candidates(doc, encoding, names, [])
    people = dict(zip(("answers", "asks"), (None if i is None else candidates[i].name for i in find_partners(encoding, candidates, first)), strict=True))
    for row, part in enumerate(parts):
        name = people[part] if part else None
        if name:
            yield row, {"speaker": name, "speaker_role": roles.get(name), "source_kind": "person", "speaker_confidence": SURE}
        elif part == "asks":
            yield row, {"speaker": ASKER, "speaker_role": None, "source_kind": "unnamed", "speaker_confidence": SURE}


def _writers(doc: Doc, encoding: Encoding, names: Sequence[Name], sources: Sequence[Source], kinds: Sequence[str | None]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the numbers of the sources with which the article's writer names himself, with speaker, role and kind; kinds: of the sources as they were scored.

    Where half or more of the *I* outside of quotations were read as the author's, all are.
    """
    lowered = lowered_words(doc, encoding)
    rows = [row for row, source in enumerate(sources) if source.parent_source is None and is_writer(lowered, source.words)]
    if not any(kinds[row] == "author" for row in rows):
        return
    quoted = quoted_spans(doc.text)
    rows = [row for row in rows if not any(start <= doc[int(encoding.tokens[sources[row].words[0]])].idx < end for start, end in quoted)]
    alone = [row for row in rows if PRONOUNS[lowered[sources[row].words[0]]] == "i"]
    mostly = 2 * sum(kinds[row] == "author" for row in alone) >= len(alone)
    candidates = find_candidates(doc, encoding, names, [])
    for row in rows:
        if kinds[row] == "author" or (mostly and row in alone):
            yield row, {"speaker": find_writer(lowered, encoding, candidates, sources[row].words[0]), "speaker_role": None, "source_kind": "author"}


def _blocks(rows: Sequence[int], sources: Sequence[Source]) -> Iterator[tuple[list[int], list[Source]]]:
    """Yield sources, in the order of the text, by blocks: pairs of all with all would fill the memory for a book."""
    order = sorted(range(len(sources)), key=lambda i: sources[i].words)
    for at in range(0, len(order), BLOCK):
        block = order[at : at + BLOCK]
        yield [rows[i] for i in block], [sources[i] for i in block]


def aims_of(doc: Doc, encoding: Encoding, attributions: Sequence[Attribution], aimed: Sequence[int]) -> list[Source]:
    """Return what attitudes aim at as if it were nested sources: the words lie in a content that has a source."""
    ranges = words_of(encoding)
    out = []
    for a in (attributions[i] for i in aimed):
        above = ranges(a.source)
        out.append(Source(ranges([a.aim])[0], ranges(a.cue)[0], (), above[0] if above else None, ranges(a.content)))  # type: ignore[list-item]
    return out


def _names_near(names: Sequence[Name], sources: Sequence[Source]) -> list[Name]:
    """Return the names that are candidates for sources, which are in the order of the text."""
    first, last = sources[0].words[0] - REACH, sources[-1].words[1] + REACH
    return [n for n in names if first <= n.start and n.end <= last]


def sources_of(doc: Doc, encoding: Encoding, attributions: Sequence[Attribution], stated: Sequence[int]) -> list[Source]:
    """Return the stated sources of attributions in words of the Doc."""
    ranges = words_of(encoding)
    out = []
    for i in stated:
        a = attributions[i]
        parent = attributions[a.parent] if a.parent is not None else None
        above = ranges(parent.source) if parent else ()
        out.append(Source(ranges(a.source)[0], ranges(a.cue)[0], ranges(a.content), above[0] if above else None, ranges(parent.content) if parent else ()))
    return out


def find_role(doc: Doc, encoding: Encoding, situation: Situation, source: int, choice: int, known: dict[int, str | None]) -> str | None:
    """Return the role that the article gives a named person, verbatim: the source's own, else that of another source, else what stands beside the name.

    Defence Minister Khawaja Asif  ->  Defence Minister;  Ann Lee, wine director at Roe’s,  ->  wine director at Roe’s

    known: takes up the roles of choices, which many sources share.
    """
    named = situation.candidates[choice - OWN_FORMS] if choice >= OWN_FORMS else None
    if named is None or named.kind != "PERSON":
        return None
    own = _role_in(doc, encoding, situation, named, situation.sources[source].words)
    if own:
        return own
    if choice not in known:
        elsewhere = (_role_in(doc, encoding, situation, named, s.words) for s in situation.sources)
        known[choice] = next(filter(None, elsewhere), None) or _role_beside(doc, encoding, named)
    return known[choice]


def _role_in(doc: Doc, encoding: Encoding, situation: Situation, named: Candidate, words: WordRange) -> str | None:
    """Return the role in a source that holds the name: before it, or behind a comma."""
    mention = next((m for m in named.mentions if words[0] <= m[0] and m[1] <= words[1]), None)
    if mention is None:
        return None
    before = text_of(doc, encoding, (words[0], mention[0])) if mention[0] > words[0] else ""
    behind = text_of(doc, encoding, (mention[1], words[1])) if words[1] > mention[1] else ""
    role = _role_of(before) or (_APPOSITION.match(behind) or _NOTHING)[1]
    others = (m for c in situation.candidates if c is not named and c.kind == "PERSON" for m in c.mentions)
    if not role or any(words[0] <= m[0] and m[1] <= mention[0] for m in others):
        return None
    return role.strip(" ,")


def _role_beside(doc: Doc, encoding: Encoding, named: Candidate) -> str | None:
    """Return the first role beside a mention of the name on its line: the nouns before it, else what a comma or *is* brings."""
    lowered = lowered_words(doc, encoding)
    for mention in named.mentions:
        for start, end in roles_around(lowered, encoding.tags, mention):
            if start < end and not encoding.lines[start + 1 : max(end, mention[0]) + 1].any() and any(tag in ("NN", "NNS", "NNP") for tag in encoding.tags[start:end]):
                role = _role_of(text_of(doc, encoding, (start, end)))
                if role:
                    return role
    return None


def _role_of(text: str) -> str:
    """Return the words before a name as a role: *Mrs.* is none."""
    return _COURTESY.sub("", own_words(text)).strip()


_APPOSITION = re.compile(r"^, (?:(?:the|a|an) )?(?!who|which|whose|\d)([^,]+)")
_COURTESY = re.compile(r"\b(?:mr|mrs|ms|miss)\.?$", re.IGNORECASE)
_NOTHING = ("", "")
