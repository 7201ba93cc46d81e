"""Which words of a generated question say what an entry means."""

import pytest

from softcot.data.families.reading import telling_words
from softcot.data.tasks import TASKS


@pytest.mark.parametrize(
    ("key", "question", "words"),
    [
        (
            "loss/{m} [confiscates] {q} [from] {n}",
            "Ann walks from town. Olga confiscates 18 beads from Yusuf. Now?",
            ["confiscates", "from"],
        ),
        ("division/[only one in] {b} [of the {t} survives a flood]",
         "Only one in 4 of the red hats survives a flood.",
         ["Only one in", "of the red hats survives a flood"]),
        ("division/the hoard [is parcelled out to] {b} [heirs, {n} being one]",
         "The hoard is parcelled out to 3 heirs, Eve being one.",
         ["is parcelled out to", "heirs, Eve being one"]),
        ("unit/yard", "The rope measures 24 feet. How many yards is that?", ["yards"]),
        ("amount/half dozen", "He buys a half dozen eggs.", ["half dozen"]),
        ("gain/{n} [buys] {q}", "He sells 3 eggs.", []),
    ],
)  # fmt: skip
def test_the_words_in_brackets_are_found_where_they_stand(key, question, words):
    assert [question[start:end] for start, end in telling_words(key, question)] == words


@pytest.mark.parametrize("task", [task for name, task in TASKS.items() if name.startswith("mini-")])
def test_nearly_all_that_is_new_to_the_base_is_found(task):
    drawn = task.problems("test", 60, 5)
    found = [
        bool(telling_words(key, problem.question))
        for problem in drawn
        for key in problem.meta["unread"]
    ]
    assert len(found) > 10 and sum(found) > 0.95 * len(found)
