"""The language of a text, told by py3langid, whose model lies in its package: nothing is downloaded."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

LEAST_CHARS = 100  # below it py3langid is often wrong ("Prices rose." is French to it)
LEAST_CERTAINTY = 0.8  # of 3,258 texts and beginnings of English articles of the corpora none was called foreign above 0.67
SAMPLE = 5_000  # characters that are looked at
ENGLISH = ("en", "pcm")  # Nigerian Pidgin: what it calls so in the corpora is English headlines


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def foreign_language(text: str) -> str | None:
    """Return the code of the language that a text is surely written in, None where it is English or cannot be told.

    Der Minister sagte, …  ->  de
    """
    sample = " ".join(text[:SAMPLE].split())
    if len(sample) < LEAST_CHARS and not any(c > "\u02ff" and c.isalpha() for c in sample):  # other scripts are told from a word
        return None
    code, certainty = _identifier().classify(sample)
    return None if code in ENGLISH or certainty < LEAST_CERTAINTY else code
