"""What the two models of the laboratory read, document by document.

The base reads problems told in the words it is allowed to reason with, some beside a hint, and
plain stories in everybody's words. The assistant reads everything but never a rationale: it learns
to name the key tokens of a problem, mostly in one glance, with placeholders in place of its own
words.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from softcot.data.families import dates, encyclopedia, situations
from softcot.data.families.family import Family, article, judged, sentence
from softcot.data.families.people import THINGS, two_people
from softcot.data.families.reading import EVERYTHING, Entry, Reader, Reads, ReadsWithGaps
from softcot.data.problems import Problem, split_of
from softcot.data.tasks import FREE
from softcot.prompts.builder import PromptBuilder
from softcot.prompts.wording import ROLES, Templates
from softcot.support.presets import MAX_THOUGHTS

BASE_WEIGHTS = {
    "mini-gsm": 0.30,
    "mini-asdiv": 0.22,
    "mini-aqua": 0.16,
    "mini-strategy": 0.16,
    "mini-dates": 0.16,
}
ASSISTANT_WEIGHTS = {
    "mini-gsm": 0.34,
    "mini-asdiv": 0.16,
    "mini-aqua": 0.10,
    "mini-strategy": 0.30,
    "mini-dates": 0.10,
}
"""The encyclopedia takes the assistant longest: it must know every fact in it by heart."""


@dataclass(frozen=True)
class Document:
    """One training text: what the model sees, and what it should say at each place."""

    ids: tuple[int, ...]
    labels: tuple[int, ...]
    """``labels[t]`` is the token to predict from ``ids[: t + 1]``; -100 where nothing is asked."""


@dataclass(frozen=True)
class Sheet:
    """A document that was drawn and is still to be written in tokens, which takes longest."""

    write: Callable[[], Document]
    problem: Problem | None = None
    """What it asks; None where it asks nothing, or asks in words that are made up."""


@dataclass(frozen=True)
class Author:
    """Writes documents for one role; equal random states give equal documents."""

    prompts: PromptBuilder
    families: tuple[Family, ...]
    weights: Mapping[str, float]
    """How often each family comes up, by name."""

    def training_problem(self, rng: random.Random, reader: Reader) -> Problem:
        """A problem whose text lies in no validation or test split."""
        weights = [self.weights[family.name] for family in self.families]
        family = rng.choices(self.families, weights)[0]
        while True:
            problem = family.problem(rng, reader)
            if split_of(problem.question) == "train":
                return problem

    def draw(self, rng: random.Random, progress: float) -> Sheet:
        """One document for a pre-training that has got so far, from 0 to 1."""
        raise NotImplementedError

    def write(self, rng: random.Random, progress: float) -> Document:
        """The same, written."""
        return self.draw(rng, progress).write()

    def story(self, rng: random.Random) -> Sheet:
        """A few sentences in any words there are, from which nothing can be concluded."""
        text = story(rng)
        return Sheet(lambda: self._whole(text))

    def _whole(self, text: str) -> Document:
        ids = self.prompts.text(text)
        return _next_tokens(ids, [True] * len(ids))


@dataclass(frozen=True)
class BaseAuthor(Author):
    """Writes for the base, which has reasoned with a fraction of the words."""

    fraction: float

    def draw(self, rng: random.Random, progress: float) -> Sheet:
        """One document, of other kinds in the beginning than later."""
        kinds: dict[Callable[[random.Random], Sheet], float] = {
            self._solved: 0.40,
            self._hinted: 0.32,
            self._misled: 0.06,
            self._paused: 0.08,
            self.story: 0.06,
        }
        if any(family.answer_kind == "letter" for family in self.families):
            # Once the base can read, many of them: comparing is learned late and all at once.
            kinds[self._judged] = 0.08 if progress < 0.3 else 0.30
        return rng.choices(list(kinds), list(kinds.values()))[0](rng)

    def _solved(self, rng: random.Random) -> Sheet:
        problem = self.training_problem(rng, Reads(self.fraction))
        return Sheet(lambda: self._answered(problem), problem)

    def _hinted(self, rng: random.Random) -> Sheet:
        """Unreadable words, and a hint that says what matters about them."""
        problem = self.training_problem(rng, ReadsWithGaps(self.fraction, gaps=0.6))
        return replace(self._with_hint(problem, problem.hint, rng), problem=None)

    def _misled(self, rng: random.Random) -> Sheet:
        """A readable problem with somebody else's hint: the text counts, not the hint."""
        problem = self.training_problem(rng, Reads(self.fraction))
        other = self.training_problem(rng, Reads(self.fraction))
        return self._with_hint(problem, other.hint, rng)

    def _paused(self, rng: random.Random) -> Sheet:
        """Placeholders without meaning."""
        problem = self.training_problem(rng, Reads(self.fraction))
        silent = rng.randint(1, MAX_THOUGHTS)
        return Sheet(lambda: self._answered(problem, [self._placeholder] * silent), problem)

    def _judged(self, rng: random.Random) -> Sheet:
        """A result and options, each to be found the same or not.

        In a worked answer the verdicts are a few tokens among many, and were not learned from them.
        """
        in_words, largest = rng.choice(((str, 199), (dates.in_words, 365)))
        number = rng.randint(1, largest)
        near = [
            number + rng.choice((-30, -10, -1, 1, 10, 30, rng.randint(-9, 9))) for _ in range(3)
        ]
        drawn = rng.sample([number, number, *near, rng.randint(1, largest)], 5)
        options = [in_words(min(max(other, 1), largest)) for other in drawn]
        result = in_words(number)
        return Sheet(lambda: self._verdicts(f"That is {result}. {judged(result, options)}"))

    def _verdicts(self, text: str) -> Document:
        ids = self.prompts.text(text)
        verdicts = {self.prompts.text(f" {word}")[0] for word in ("yes", "no")}
        return _next_tokens(ids, [token in verdicts for token in ids])

    def _with_hint(self, problem: Problem, hint: str, rng: random.Random) -> Sheet:
        # The places after the hint say nothing, as the last of many soft thoughts do.
        silent = rng.choice((0, rng.randint(1, 10)))

        def written() -> Document:
            room = self.prompts.text(hint) + [self._placeholder] * silent
            return self._answered(problem, room)

        return Sheet(written, problem)

    def _answered(self, problem: Problem, room: Sequence[int] = ()) -> Document:
        """The problem, tokens in the slots' places, and the worked answer to learn."""
        prompt = self.prompts.base(problem.question, task=FREE, k=len(room), target=problem.target)
        filling = iter(room)
        marked = zip(prompt.ids, prompt.slot_mask, strict=True)
        ids = tuple(next(filling) if slot else token for token, slot in marked)
        return _next_tokens(ids, prompt.loss_mask)

    @property
    def _placeholder(self) -> int:
        return self.prompts.tokens.placeholder


@dataclass(frozen=True)
class AssistantAuthor(Author):
    """Writes for the assistant, which has read everything and reasons about nothing."""

    def draw(self, rng: random.Random, progress: float) -> Sheet:
        """One document, of the same kinds from beginning to end."""
        share = rng.random()
        if share < 0.06:
            return self.story(rng)
        problem = self.training_problem(rng, Reads(EVERYTHING))
        written = self._glance if share < 0.80 else self._spelled
        return Sheet(lambda: written(problem), problem)

    def _glance(self, problem: Problem) -> Document:
        """Each placeholder says its own key token, then the end, all in one pass."""
        prompt = self.prompts.assistant(problem.question, task=FREE, k=MAX_THOUGHTS)
        words = [*self.prompts.text(problem.hint)[:MAX_THOUGHTS]]
        words += [self.prompts.end_of_turn] * (MAX_THOUGHTS - len(words))
        said = iter(words)
        return Document(prompt.ids, tuple(next(said) if s else -100 for s in prompt.slot_mask))

    def _spelled(self, problem: Problem) -> Document:
        """The key tokens one after the other, as text."""
        prompt = self.prompts.assistant(problem.question, task=FREE, target=problem.hint)
        return _next_tokens(prompt.ids, prompt.loss_mask)


def _next_tokens(ids: Sequence[int], asked: Sequence[bool]) -> Document:
    """Each place is to say the token that follows it, where that one is asked for."""
    labels = [token if ask else -100 for token, ask in zip(ids, asked, strict=True)]
    return Document(tuple(ids[:-1]), tuple(labels[1:]))


def story(rng: random.Random) -> str:
    """A few sentences about people and their things; nobody counts anything."""
    who, other = two_people(rng)
    things, told = rng.choice(THINGS), []
    for _ in range(rng.randint(2, 5)):
        changes = rng.choice(list(situations.CHANGES.values()))
        told.append(_told(rng.choice(changes), rng, who.name, other.name, things))
    kind, entities = rng.choice(list(encyclopedia.ENTITIES.items()))
    told.insert(rng.randint(0, len(told)), f"{who.name} reads about a {kind}: "
                f"{rng.choice(entities).text[1:-1]}.")  # fmt: skip
    return " ".join(told)


def _told(entry: Entry, rng: random.Random, n: str, m: str, things: str) -> str:
    word = rng.choice(situations.AMOUNTS).text
    quantity = rng.choice((f"some {things}", f"{article(word)} {word} of {things}"))
    text = entry.text.format(n=n, m=m, q=quantity, b=rng.randint(2, 5), t=things, r="everybody")
    return sentence(text)


def plain_texts(seed: int, count: int, families: tuple[Family, ...]) -> list[str]:
    """Questions, rationales, hints and stories for the tokenizer to learn words from."""
    rng, templates = random.Random(f"words:{seed}"), Templates.named("mini")
    texts = [templates.wording(role, FREE).before.strip() for role in ROLES]
    while len(texts) < count:
        problem = rng.choice(families).problem(rng)
        if split_of(problem.question) == "train":
            texts += [problem.question, problem.target, problem.hint, story(rng)]
    return texts
