"""The parts of a worked answer that a thought starts from."""

import torch

from softcot.thoughts.answer_parts import answer_parts


def test_parts_are_means_of_successive_telling_words(pair):
    base = pair.base
    answers = ["12 + 5 = 17. The answer is 17.", "3 - 1 = 2. The answer is 2.", "9 * 9 = 81."]
    rows = [base.prompts.text(answer) for answer in answers]
    common = {t for t in set(sum(rows, [])) if sum(t in row for row in rows) > 1.5}
    assert common, "some words are in most of the answers"
    parts = answer_parts(base, answers, 2)
    assert parts.shape == (3, 2, base.width) and parts.dtype == torch.float32
    for row, found in zip(rows, parts, strict=True):
        telling = [t for t in row if t not in common]
        half = len(telling) // 2
        for half_row, part in zip((telling[:half], telling[half:]), found, strict=True):
            expected = base.embed(torch.tensor(half_row)).float().mean(0)
            torch.testing.assert_close(part, expected)


def test_short_answers_say_each_word_in_several_parts(pair):
    base = pair.base
    parts = answer_parts(base, ["17", "28", "39"], 4)
    [first] = [base.prompts.text(text) for text in ["17"]]
    vectors = base.embed(torch.tensor(first)).float()
    for k, part in enumerate(parts[0]):
        torch.testing.assert_close(part, vectors[k * len(first) // 4])


def test_answers_that_are_all_alike_are_taken_whole(pair):
    parts = answer_parts(pair.base, ["yes", "yes"], 1)
    expected = pair.base.embed(torch.tensor(pair.base.prompts.text("yes"))).float().mean(0)
    torch.testing.assert_close(parts[:, 0], expected.expand(2, -1))
