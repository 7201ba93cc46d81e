"""What a model has read, what of a question it has not, and what to ask instead."""

import re
from dataclasses import replace

import pytest

from softcot.data.kinds import likely_kind
from softcot.data.lexicon import FILE, Lexicon, clauses, form_of
from softcot.data.rewording import nearest_wording
from softcot.data.tasks import TASKS
from softcot.support.errors import UserError
from softcot.support.presets import get_preset
from softcot.web.questions import examples

SMALL = Lexicon(
    members={"name": ("Ana", "Ben"), "thing": ("coins", "marbles"), "amount": ("half dozen",)},
    numbers={"mini-gsm": (2, 60)},
    forms={
        "mini-gsm": {
            "<name> has # <thing>": "3-30",
            "she buys # <thing>": "2-20",
            "then <name> loses a <amount> <thing>": "",
            "how many <thing> does <name> have now ?": "",
            "it is # degrees outside": "",
        }
    },
)


def marked(lexicon: Lexicon, question: str, **options) -> list[str]:
    return [question[part.start : part.end] for part in lexicon.unread(question, **options)]


@pytest.fixture(scope="module")
def mini() -> Lexicon:
    """What the shipped pair has read."""
    preset = get_preset("mini")
    base, assistant = Lexicon.load(preset.base), Lexicon.load(preset.assistant)
    assert base and assistant
    return base | assistant


def test_a_clause_ends_at_a_sign_and_a_number_keeps_its_comma():
    found = clauses("Ana has 1,200 coins, then 3.5. It's (A) 4?")
    assert [[token.text for token in clause.tokens] for clause in found] == [
        ["Ana", "has", "1,200", "coins"], ["then", "3.5"], ["It", "'s", "(", "A", ")", "4"],
    ]  # fmt: skip
    assert [clause.opens for clause in found] == [True, False, True]
    assert [clause.asks for clause in found] == [False, False, True]


def test_the_form_of_a_clause_has_classes_and_numbers_in_the_place_of_words():
    [clause] = clauses("Then Ben loses a half dozen marbles.")
    assert form_of(SMALL.slots(clause), clause.asks) == "then <name> loses a <amount> <thing>"


@pytest.mark.parametrize(
    ("question", "unread"),
    [
        ("Ana has 3 coins. She buys 20 marbles. How many coins does Ana have now?", []),
        ("Then Ben loses a half dozen coins. It is 60 degrees outside.", []),
        ("Then Ben loses an half dozen coins.", []),
        ("Anna has 3 coins.", ["Anna"]),
        ("Ana has 3 apples.", ["apples"]),
        ("Ana has 112 coins.", ["112"]),
        ("Ana has 1,200 coins.", ["1,200"]),
        ("Ana has 3.5 coins.", ["3.5"]),
        ("It is 61 degrees outside.", ["61"]),
        ("How many coins does she have?", ["How many coins does she have?"]),
        ("How many coins has Ana now?", ["How many coins has Ana now?"]),
        ("Ana buys 3 marbles.", ["Ana buys 3 marbles"]),
        ("Ana has $3.", ["$"]),
        ("How many apples does Anna have now?", ["apples", "Anna"]),
        ("", []),
    ],
)
def test_what_was_never_read_is_found_where_it_stands(question, unread):
    assert marked(SMALL, question, task="mini-gsm") == unread


def test_what_is_still_being_typed_may_become_what_was_read():
    for typed in ("Ana has 3 coins. How many mar", "Ana has 3 coins. How many coins does "):
        assert marked(SMALL, typed, unfinished=True) == []
        assert marked(SMALL, typed)
    assert marked(SMALL, "Anna has 3 coins. How many", unfinished=True) == ["Anna"]
    assert marked(SMALL, "Ana has 112 coi", unfinished=True) == ["112"]


def test_a_name_that_is_a_word_for_something_else_is_a_name_where_one_stands():
    anybody = replace(SMALL, open=("name",))
    assert marked(anybody, "Degrees has 3 coins. How many coins does Degrees have now?") == []
    assert marked(anybody, "Ana has 3 Degrees.") == ["Ana has 3 Degrees"]
    assert marked(SMALL, "Degrees has 3 coins.") == ["Degrees has 3 coins"]


def test_two_models_have_read_what_one_of_them_has():
    other = Lexicon(
        {"name": ("Cara",), "thing": ("coins",)},
        {"mini-gsm": (1, 90), "mini-dates": (1, 31)},
        {"mini-gsm": {"<name> has # <thing>": "1-50"}, "mini-dates": {"today is may #": "1-31"}},
    )
    both = SMALL | other
    assert marked(both, "Cara has 50 marbles. Today is May 31.", task="mini-gsm") == []
    assert marked(both, "Cara has 51 marbles. It is 90 degrees outside.", task="mini-gsm") == ["51"]


def test_a_lexicon_is_read_as_it_was_written_and_may_be_absent(tmp_path):
    assert Lexicon.load(tmp_path) is None
    SMALL.save(tmp_path)
    assert Lexicon.load(tmp_path) == SMALL
    for damage in ('"2-20"', '"twenty"'), ('"numbers"', '"figures"'):
        (tmp_path / "bad").mkdir(exist_ok=True)
        text = (tmp_path / FILE).read_text().replace(*damage)
        (tmp_path / "bad" / FILE).write_text(text)
        with pytest.raises(UserError, match="lexicon.json is damaged .* --lexicon-only"):
            Lexicon.load(tmp_path / "bad")


@pytest.mark.parametrize(
    ("question", "instead"),
    [
        ("Anna has 3 apples.", "Ana has 3 marbles."),
        ("Ana has 112 coins.", "Ana has 30 coins."),
        ("Anna has 1,200 coins. Ana has 3.5 marbles.", "Ben has 30 coins. Ana has 4 marbles."),
        ("Ben has 3 coins. How many does he have?",
         "Ben has 3 coins. How many coins does Ben have now?"),
        ("How many apples does Anna have?", "How many coins does Ana have now?"),
        ("Tell me a joke.", ""),
    ],
)  # fmt: skip
def test_the_nearest_wording_can_be_read(question, instead):
    said = nearest_wording(question, SMALL, "mini-gsm")
    assert said == instead and not SMALL.unread(said, "mini-gsm")


NATURAL = (
    "If John buys 4 boxes of 6 eggs, how many eggs does he have altogether?",
    "Which is heavier, a dog or a cat?",
    "What is 12 plus 30?",
    "How many legs do 7 spiders have?",
    "A train travels 60 miles in 2 hours. How fast is it?",
    "Tom is twice as old as Kate. Kate is 6. How old is Tom?",
    "There are 24 pupils in a class. A third of them are girls. How many boys are there?",
    "I had 20 dollars and spent 7. What do I have left?",
    "Is the moon bigger than the sun?",
    "Today is Tuesday. What day is it in three days?",
    "The rope measures 3 metres. How many centimetres is that?",
    "Maria bakes 36 cookies and puts them into bags of 4. How many bags does she need?",
    "Olga has 3 beads and buys 4. How many?",
    "My brother is 12 and I am 3 years younger. How old am I?",
)
"""What people ask who were not told what a model has read, and it has not."""

REWORDED = (
    "Mia has 12 gizmos. She buys 5 gizmos. How many gizmos does Mia have now?",
    "Mia has 12 coins. She buys 12,000 coins. How many coins does Mia have now?",
    "Mia has 12 coins. She swipes 5 coins. How many coins does Mia have now?",
    "Mia has 12 coins. Mia's mother gives her 5 coins. How many coins does Mia have now?",
    "Mia has 12 coins. She buys 5 coins. How many coins has Mia got altogether?",
    "Mia has 12 coins. She buys 5 coins. How many coins can Mia count?",
    "Mia has 12.5 coins. She buys 5 coins. How many coins does Mia have now?",
    "Mia has thirty coins. She buys 5 coins. How many coins does Mia have now?",
    "Mia has 12 coins in her pocket. She buys 5 coins. How many coins does Mia have now?",
    "Mia has 12 shiny coins. She buys 5 coins. How many coins does Mia have now?",
    "Mia has $12. She buys 5 coins. How many coins does Mia have now?",
)
"""Problems of the first kind, one thing changed in each that no training question had."""

READABLE = (
    "Anna has 112 apples. She gives 12 apples to Peter. How many does she have?",
    "Sara has 5 cats and gets 3 more. How many cats does she have in total?",
    "Ben has 1,200 stamps. He sells 300 stamps. How many stamps are left?",
    "Zzyx has twelve coins. She eats 5 coins. How many coins are there in total?",
    "Box has 12 coins and buys 5 more. How many coins does she have now?",
)
"""What people change first, which is no hindrance: names, things, numbers and usual words."""


@pytest.mark.parametrize("question", [*NATURAL, *REWORDED])
def test_questions_in_other_words_than_the_training_had_are_marked(mini, question):
    task = likely_kind(question)
    assert mini.unread(question, task)
    said = nearest_wording(question, mini, task)
    assert not said or not mini.unread(said, task)


@pytest.mark.parametrize("question", READABLE)
def test_any_name_usual_words_and_numbers_to_9999_are_read(mini, question):
    assert marked(mini, question, task=likely_kind(question)) == []


def test_cards_say_of_how_many_words_they_are(mini):
    names = {name.lower() for name in mini.members["name"]}
    assert 900 <= len(mini.words - names) < 1100
    for role in (get_preset("mini").base, get_preset("mini").assistant):
        assert "about a thousand English words" in (role / "README.md").read_text()


def test_most_rewordings_have_a_near_one_that_can_be_read(mini):
    near = [nearest_wording(question, mini, likely_kind(question)) for question in REWORDED]
    assert sum(map(bool, near)) >= 8
    assert near[5] == "Mia has 12 coins. She buys 5 coins. How many coins does Mia have?"


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("purchases 5", "buys 5"),
        ("tossed 5", "threw away 5"),
        ("consumes 12,000", "eats"),
    ],
)
def test_the_near_wording_means_the_same_where_a_usual_word_does(mini, typed, near):
    question = "Mia has 12 apples. She {} apples. How many apples does Mia have now?"
    said = nearest_wording(question.format(typed), mini, "mini-gsm")
    assert f"She {near}" in said and not mini.unread(said, "mini-gsm")


@pytest.mark.parametrize(
    ("question", "near"),
    [
        ("Mia has 4 apples. Her sister purchases 5 apples.", "Mia buys 5 apples."),
        ("Mia has 4 apples. His friend gives her 3 apples.", " gives "),
        ("It has 5 wheels. The dog eats 3 wheels.", "It eats 3 wheels."),
    ],
)
def test_a_near_wording_says_who_does_it_and_takes_no_pronoun_for_a_name(mini, question, near):
    said = nearest_wording(question, mini, "mini-gsm")
    [_, second] = said.split(". ", 1)
    assert near in second and not mini.unread(said, "mini-gsm")
    name, *others = re.findall(r"[A-Z][a-z]+", second)
    assert name not in ("Her", "His", "The") and name not in others


def test_a_word_that_asks_is_nobodys_name():
    asked = {"notes": {"at which place is <name> ?": ""}}
    lexicon = Lexicon({"name": ("Ana",)}, {"notes": (1, 9)}, asked, open=("name",))
    assert nearest_wording("Where is Zoe?", lexicon) == "At which place is Zoe?"


KINDS = [name for name, task in TASKS.items() if task.splits]


@pytest.mark.parametrize("task", KINDS)
def test_no_example_is_ever_marked(mini, task):
    for problem in examples(task):
        for kind in (task, "free", likely_kind(problem.question)):
            assert marked(mini, problem.question, task=kind) == [], problem.question


@pytest.mark.parametrize("task", KINDS)
def test_hardly_a_test_problem_is_marked(mini, task):
    """Two sentences in one are so many forms that a very rare one came in no training question."""
    questions = [problem.question for problem in TASKS[task].problems("test", 300)]
    assert sum(bool(mini.unread(question, task)) for question in questions) <= 3
