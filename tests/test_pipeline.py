"""The shipped pipeline on real text: what it gives, and that it stands by itself."""

import ast
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, DocBin

import accordingto
from accordingto.document import attributions_of
from accordingto.errors import InputError, ModelError
from accordingto.pipeline import blank, load, model_folder, read_docs
from accordingto.schema import Article

SEEDS = Path(__file__).parents[1] / "seeds"


def found(nlp, text: str) -> list[tuple[str, str, list[str]]]:
    """Return (source, cue, contents) of a text."""
    doc = nlp(text)
    return [(" ".join(text[s:e] for s, e in a.source), text[a.cue[0][0] : a.cue[0][1]], [text[s:e] for s, e in a.content]) for a in attributions_of(doc)]


@pytest.mark.parametrize(
    ("text", "source", "cue", "contents"),
    [
        ("Officials said the bridge was safe.", "Officials", "said", ["the bridge was safe"]),
        ("According to the report, prices rose by 3 percent.", "the report", "According to", ["prices rose by 3 percent"]),
        ("“We won,” the mayor said, “and we will stay.”", "the mayor", "said", ["“We won,”", "“and we will stay.”"]),
        ("The minister was reportedly arrested on Monday.", "", "reportedly", ["The minister was", "arrested on Monday"]),
        ("She accused the company of hiding the leak.", "She", "accused", ["the company of hiding the leak"]),
    ],
    ids=["verb", "preposition", "discontinuous", "adverb without source", "accusation"],
)
def test_kinds_of_attribution_are_read(nlp, text, source, cue, contents):
    assert (source, cue, contents) in found(nlp, text)


def test_nested_attribution_has_the_outer_one_as_parent(nlp):
    doc = nlp("Sources quoted the delegation as saying that Pakistan will protect its borders.")
    rows = attributions_of(doc)
    inner = next(a for a in rows if a.parent is not None)
    assert doc.text[rows[inner.parent].source[0][0] :].startswith("Sources")
    assert doc.text[slice(*inner.source[0])] == "the delegation"


def test_every_span_of_the_seeds_is_true_of_the_file(nlp):
    articles = [Article(p.stem, p.read_bytes().decode("utf-8")) for p in sorted(SEEDS.glob("*.txt"))]
    claims = list(accordingto.extract(articles, nlp))
    texts = {a.article_id: a.text for a in articles}
    assert len(claims) > 20
    for claim in claims:
        text = texts[claim.article_id]
        for part in (claim.source, claim.cue, claim.content):
            assert part.text == " … ".join(text[s:e] for s, e in part.spans)
        assert claim.context in text
        assert 0 <= claim.confidence <= 1
    order = [(claim.article_id, claim.cue.spans[0][0]) for claim in claims]
    assert order == sorted(order)
    assert len({claim.claim_id for claim in claims}) == len(claims)


def test_web_furniture_of_the_seeds_is_no_claim_and_no_source(nlp):
    text = (SEEDS / "004_bbc58baeaca6f126.txt").read_text("utf-8")
    claims = list(accordingto.extract([text], nlp))
    assert claims
    for claim in claims:
        for word in ("Web Desk", "WEB DESK", "Minutes ago", "Hours ago"):
            assert word not in claim.source.text + claim.cue.text + claim.content.text


def test_nothing_of_a_long_article_is_cut(nlp):
    text = "\n\n".join(f"Officials in town {i} said the bridge was safe." for i in range(400))
    rows = attributions_of(nlp(text))
    assert len(rows) == 400
    assert rows[-1].cue[0][0] > len(text) - 60


def test_same_text_gives_the_same_claims_in_any_company(nlp):
    texts = [p.read_text("utf-8") for p in sorted(SEEDS.glob("*.txt"))]
    together = [c.claim_id for c in accordingto.extract(texts * 10, nlp)]
    apart = [c.claim_id for text in texts * 10 for c in accordingto.extract([text], nlp)]
    assert together == apart


@pytest.mark.parametrize("text", [" ", "\n\n", "¿", "a" * 5000, "😀 said 😀", "x\u0000y", "said " * 500, "“" * 300, "https://" + "a/" * 400])
def test_odd_texts_are_read_without_an_error(nlp, text):
    assert isinstance(attributions_of(nlp(text)), list)


def test_sentences_are_not_broken_at_abbreviations_and_quotations(nlp):
    text = "Sen. John A. Doe met Mr. Roe in the U.S. on Jan. 5. “Is it over? No,” he said. They left."
    assert next(s.text for s in nlp(text).sents) == "Sen. John A. Doe met Mr. Roe in the U.S. on Jan. 5."


def test_pipeline_loads_in_a_process_that_never_imported_us(nlp, tmp_path):
    nlp.to_disk(tmp_path / "copy")
    text = "Officials said it rained."
    code = f"import spacy; nlp = spacy.load({str(tmp_path / 'copy')!r}); doc = nlp({text!r}); print(doc.spans['cue'][0].text)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "said"


def test_torch_is_imported_in_training_alone():
    package = Path(accordingto.__file__).parent
    modules = [p for p in package.rglob("*.py") if "training" not in p.parts]
    imported = {(alias.name, p.name) for p in modules for node in ast.walk(ast.parse(p.read_text("utf-8"))) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {(node.module, p.name) for p in modules for node in ast.walk(ast.parse(p.read_text("utf-8"))) if isinstance(node, ast.ImportFrom)}
    assert len(modules) > 10
    assert [i for i in imported if (i[0] or "").split(".")[0] in ("torch", "transformers")] == []
    assert [i for i in imported if (i[0] or "").startswith("accordingto.training") and i[1] != "cli.py"] == []


def test_attributions_survive_docbin(nlp):
    doc = nlp("Officials said it rained.")
    copy = next(DocBin().from_bytes(DocBin(docs=[doc]).to_bytes()).get_docs(spacy.blank("en").vocab))
    assert attributions_of(copy) == attributions_of(doc) != []


def test_components_say_what_they_need_and_give(nlp):
    assert not any(nlp.analyze_pipes()["problems"].values())
    assert nlp.pipe_names == ["encoder", "sentences", "attributions", "stances", "speakers", "furniture"]
    assert blank().pipe_names == nlp.pipe_names  # what `accordingto train` fills with weights


def test_no_connection_is_ever_opened(monkeypatch):
    def refuse(*_):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert list(accordingto.extract(["Officials said it rained."], load()))


def test_damaged_or_missing_models_are_refused_by_name(nlp, tmp_path):
    with pytest.raises(ModelError, match=r"'.*gone' cannot be loaded: there is no meta\.json"):
        load(tmp_path / "gone")
    nlp.to_disk(tmp_path / "copy")
    graph = tmp_path / "copy" / "attributions" / "roles.onnx"
    whole = graph.read_bytes()
    graph.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ModelError, match=r"roles\.onnx.*SHA-256"):
        load(tmp_path / "copy")
    graph.unlink()
    with pytest.raises(ModelError, match=r"roles\.onnx.*No such file"):
        load(tmp_path / "copy")
    (tmp_path / "copy" / "config.cfg").write_text("[nlp")
    with pytest.raises(ModelError, match="spaCy says"):
        load(tmp_path / "copy")


def test_one_article_that_fails_never_stops_the_others(nlp, monkeypatch):
    component = nlp.get_pipe("attributions")
    predict = component.predict

    def failing(docs):
        docs = list(docs)
        if any("poison" in doc.text for doc in docs):
            raise RuntimeError("as a test asked")
        return predict(docs)

    monkeypatch.setattr(component, "predict", failing)
    articles = [Article(str(i), "poison" if i in (3, 40) else f"Official {i} said it rained.") for i in range(60)]
    read = [(article.article_id, isinstance(doc, Doc)) for article, doc in read_docs(articles, nlp)]
    assert read == [(str(i), i not in (3, 40)) for i in range(60)]


def test_article_whose_furniture_fails_is_told_and_not_lost(nlp, monkeypatch):
    component = nlp.get_pipe("furniture")
    predict = component.predict

    def failing(docs):
        if any("poison" in doc.text for doc in docs):
            raise RuntimeError("as a test asked")
        return predict(docs)

    monkeypatch.setattr(component, "predict", failing)
    read = [(article.article_id, isinstance(doc, Doc)) for article, doc in read_docs([Article(str(i), "poison" if i == 3 else "It rained.") for i in range(9)], nlp)]
    assert read == [(str(i), i != 3) for i in range(9)]


def test_article_too_long_for_a_doc_is_told_and_the_others_go_on(nlp, monkeypatch):
    monkeypatch.setattr(nlp, "max_length", 50)
    articles = (Article(str(i), "It rained. " * (9 if i == 20 else 1)) for i in range(40))
    assert [(article.article_id, isinstance(doc, Doc)) for article, doc in read_docs(articles, nlp)] == [(str(i), i != 20) for i in range(40)]


def test_error_of_the_articles_own_iterator_is_the_callers(nlp):
    def articles():
        yield Article("0", "It rained.")
        raise KeyError("as a test asked")

    with pytest.raises(KeyError):
        list(read_docs(articles(), nlp))


def test_text_that_is_no_article_is_refused_by_the_python_door(nlp):
    with pytest.raises(InputError):
        list(accordingto.extract(["half \ud800 a pair"], nlp))


def test_model_on_disk_is_small():
    assert sum(p.stat().st_size for p in model_folder().rglob("*") if p.is_file()) <= 40_000_000
