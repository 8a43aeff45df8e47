import gzip
import json
from pathlib import Path

import pytest

from accordingto.language import foreign_language


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Der Minister sagte am Montag, die Straße bleibe gesperrt, bis die Ingenieure den Zustand der Brücke geprüft und einen Bericht vorgelegt hätten.", "de"),
        ("Le ministre a déclaré lundi que la route resterait fermée jusqu’à ce que les ingénieurs aient vérifié l’état du pont et remis leur rapport.", "fr"),
        ("El ministro dijo el lunes que la carretera seguirá cerrada hasta que los ingenieros revisen el puente y presenten su informe al gobierno.", "es"),
        ("वित्त मंत्री ने सोमवार को कहा कि सड़क तब तक बंद रहेगी जब तक इंजीनियर पुल की जांच नहीं कर लेते और अपनी रिपोर्ट सरकार को नहीं सौंप देते।", "hi"),
        ("Officials said the road was closed.", None),
        ("Prices rose.", None),  # too short to tell
        ("", None),
    ],
)
def test_other_languages_are_told(text, code):
    assert foreign_language(text) == code


def test_no_english_article_is_called_foreign():
    with gzip.open(Path(__file__).parent / "data/written_dev.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    assert [t[:60] for text in texts for t in (text, text[:300], text[-300:]) if foreign_language(t)] == []
