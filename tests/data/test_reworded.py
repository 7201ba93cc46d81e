"""The test in other words: no sentence, name or problem of it is one of the training's."""

import random
import re
from pathlib import Path

import pytest

from softcot.data.answers import is_correct, parse
from softcot.data.families import asdiv, gsm, situations
from softcot.data.families.encyclopedia import UNITS
from softcot.data.families.manner import TRAINED
from softcot.data.families.names import MEN, MEN_OF_TESTS, WOMEN, WOMEN_OF_TESTS
from softcot.data.families.nouns import NOUNS, plural
from softcot.data.families.people import THINGS, told_number
from softcot.data.families.reading import SHIPPED_FRACTION
from softcot.data.families.reworded import MANNER, by_hand
from softcot.data.lexicon import clauses
from softcot.data.tasks import TASKS, get_task
from softcot.lab.lexicon import Gatherer

REWORDED = get_task("mini-reworded")


@pytest.fixture(scope="module")
def trained():
    """What some thousand training problems hold."""
    rng, gatherer = random.Random(0), Gatherer()
    for family in (gsm.FAMILY, asdiv.FAMILY):
        for _ in range(4000):
            gatherer.add(family.problem(rng))
    return gatherer.lexicon()


def test_there_are_names_and_things_enough():
    assert len({*WOMEN, *MEN}) >= 400 and len(NOUNS) >= 300
    assert not {*WOMEN, *MEN} & {*WOMEN_OF_TESTS, *MEN_OF_TESTS}
    assert [plural(noun) for noun in ("berry", "box", "toy", "knife", "sheep")] == [
        "berries", "boxes", "toys", "knives", "sheep",
    ]  # fmt: skip


def test_the_page_on_the_method_says_how_much_was_read():
    page = (Path(__file__).parents[2] / "docs" / "method.md").read_text(encoding="utf-8")
    usual = [
        sum(entry.usual for kind in kinds.values() for entry in kind)
        for kinds in (situations.CHANGES, situations.COMPARISONS)
    ]
    assert f"| Names | {len({*WOMEN, *MEN})}, " in page
    assert f"; {len({*WOMEN_OF_TESTS, *MEN_OF_TESTS})} more are kept for the test |" in page
    assert f"| Things | {len({*THINGS})} nouns" in page
    assert f"| Usual words | {usual[0]} ways" in page and f"changes and {usual[1]} to" in page
    assert f"{len({*TRAINED.asked})} ways to ask" in page


def test_numbers_are_written_as_people_write_them():
    rng = random.Random(0)
    assert {told_number(1200, rng) for _ in range(40)} == {"1200", "1,200"}
    assert {told_number(7, rng) for _ in range(80)} == {"7", "seven"}


@pytest.mark.parametrize("name", ["openings", "owns"])
def test_no_way_to_begin_is_one_of_the_trainings(name):
    ours, theirs = getattr(MANNER, name), getattr(TRAINED, name)
    assert not {*ours[0], *ours[1]} & {*theirs[0], *theirs[1]}


@pytest.mark.parametrize(
    "name", ["asked", "endings", "asides", "compared", "parted", "shared", "batches", "moments"]
)
def test_no_sentence_is_one_of_the_trainings(name):
    assert not {*getattr(MANNER, name)} & {*getattr(TRAINED, name)}


def test_no_question_is_asked_as_in_the_training(trained):
    for problem in REWORDED.problems("test", 200)[60:]:  # those by hand may be asked as usual
        kinds = {part.kind for part in trained.unread(problem.question)}
        assert "form" in kinds or "word" in kinds, problem.question
    drawn = TASKS["mini-gsm"].problems("train", 300) + TASKS["mini-asdiv"].problems("train", 300)
    told = {clause.tokens[0].text for p in drawn for clause in clauses(p.question)}
    assert not told & {*WOMEN_OF_TESTS, *MEN_OF_TESTS}


def test_unknown_names_are_no_hindrance_to_reading(trained):
    names = {*trained.members["name"]}
    for name in (*WOMEN_OF_TESTS, *MEN_OF_TESTS, "Zzyx"):
        assert name not in names
        assert not trained.unread(f"{name} has 12 apples. How many apples does {name} have now?")
    assert trained.unread("Anna has 12 gizmos.") and trained.unread("Anna has 19,999 apples.")


def test_sixty_were_written_by_hand_and_their_sums_are_right():
    problems = by_hand()
    assert len(problems) == 60 == len({problem.id for problem in problems})
    keys = {e.key: e for kind in situations.CHANGES.values() for e in kind}
    keys |= {e.key: e for kind in situations.COMPARISONS.values() for e in kind}
    keys |= {e.key: e for e in (*situations.AMOUNTS, *UNITS)}
    for problem in problems:
        assert re.fullmatch(r"[\d+*/-]+", problem.meta["sum"])
        assert eval(problem.meta["sum"]) == int(problem.answer)
        for key in problem.meta["unread"]:
            assert not keys[key].is_read(SHIPPED_FRACTION), key
    assert sum(bool(problem.meta["unread"]) for problem in problems) == 24


def test_they_come_first_and_the_rest_is_drawn():
    problems = REWORDED.problems("test", 100, 3)
    assert [p.question for p in problems[:60]] == [p.question for p in by_hand()]
    assert len({problem.id for problem in problems}) == 100
    assert REWORDED.splits == ("test",) and REWORDED.probe
    for problem in problems:
        said = f"{problem.rationale} The answer is {int(problem.answer):,}."
        assert is_correct("number", parse("number", said), problem.answer)
