import pytest

from accordingto.gender import gender_of_name, gender_of_noun, gender_of_title


@pytest.mark.parametrize(
    ("words", "gender"),
    [(["Angela", "Rivers"], -1.0), (["Paul", "Grant"], 1.0), (["Paul"], 0.5), (["ANGELA"], -0.5), (["Rivers"], 0.0), (["Qwxz", "Lee"], 0.0), ([], 0.0)],
)
def test_a_first_name_tells_most_and_alone_half_as_much(words, gender):
    assert gender_of_name(words) == gender


@pytest.mark.parametrize(("title", "gender"), [("Mr.", 1.0), ("mrs", -1.0), ("Ms.", -1.0), ("Dr.", 0.0), ("", 0.0)])
def test_titles(title, gender):
    assert gender_of_title(title) == gender


@pytest.mark.parametrize(("noun", "gender"), [("woman", -1.0), ("spokeswoman", -1.0), ("spokesman", 1.0), ("Husband", 1.0), ("chairman", 0.0), ("official", 0.0)])
def test_nouns(noun, gender):
    assert gender_of_noun(noun) == gender
