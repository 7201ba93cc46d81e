"""The named endpoints: what `gradio_client` and the API page see."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any, get_type_hints

import gradio as gr

from softcot.data.problems import Problem
from softcot.data.tasks import get_task
from softcot.decoding.decoder import Sampling
from softcot.evaluation.answering import Column
from softcot.evaluation.variants import Trial
from softcot.support.errors import UserError
from softcot.support.presets import DEFAULT_THOUGHTS
from softcot.support.schema import to_json
from softcot.support.text import clean
from softcot.thoughts.edits import read_edits
from softcot.web import questions
from softcot.web.events import LANE, LONG, paced, spoken
from softcot.web.guard import refuse_addresses
from softcot.web.residents import Residents

ENDPOINTS = ("compare", "intervene", "sweep", "thoughts", "problem")

_KINDS = {str: "text", int: "a whole number", float: "a number", int | None: "a whole number"}


def add_endpoints(residents: Residents) -> None:
    """Add `/compare`, `/thoughts`, `/intervene`, `/sweep` and `/problem` to the Blocks."""
    gr.api(endpoint(_compare(residents)), api_name="compare", **LANE)
    gr.api(endpoint(_intervene(residents)), api_name="intervene", **LANE)
    gr.api(endpoint(_sweep(residents)), api_name="sweep", **LONG)
    gr.api(endpoint(_thoughts(residents)), api_name="thoughts", **LANE)
    gr.api(endpoint(_problem()), api_name="problem")


def _compare(residents: Residents) -> Callable:
    def compare(
        question: str,
        task: str = "free",
        thoughts: int = DEFAULT_THOUGHTS,
        answer: str = "",
        swap_question: str = "",
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 41,
        max_new_tokens: int | None = None,
        samples: int = 1,
        methods: str = "zero-shot-cot softcot",
        pair: str = "",
        note: str = "",
    ) -> Iterator[dict[str, Any]]:
        """Answer a question with hard chain-of-thought and with soft thoughts, streaming.

        Args:
            question: What to ask.
            task: One of the five families, or "free" for any text.
            thoughts: K, the number of soft thoughts; 0 makes both columns equal.
            answer: The gold answer; both columns are judged by it if there is one.
            swap_question: Take the thoughts of this question instead.
            temperature: 0 takes the likeliest token.
            top_p: Sample from the smallest set of tokens with this much probability.
            seed: Decides the samples.
            max_new_tokens: Where an answer is cut off; by default where the pair's usually are.
            samples: Answers in each column, at most 15; the majority counts.
            methods: One column each, separated by spaces; see `python -m softcot methods`.
            pair: Name of the pair that answers; by default that of the page.
            note: What the assistant alone is told.

        Yields:
            `done`, and `columns`: for each method its method, text, answer, correct,
            new_tokens, seconds, thoughts, note, votes and, in the end, gold_logprob.
        """
        problem = Problem(get_task(task).name, question, answer, note=note.strip())
        with residents.use(pair) as explorer:
            longest = explorer.usual_length if max_new_tokens is None else max_new_tokens
            sampling = Sampling(temperature, top_p, seed=seed, max_new_tokens=longest)
            asked = explorer.comparison(
                problem, thoughts, sampling, samples, swap_question, methods.split()
            )
            yield from map(_frame, explorer.answers(asked))

    return compare


def _thoughts(residents: Residents) -> Callable:
    def thoughts(
        question: str,
        task: str = "free",
        thoughts: int = DEFAULT_THOUGHTS,
        pair: str = "",
        note: str = "",
    ) -> dict[str, Any]:
        """Describe the soft thoughts of a question.

        Args:
            question: What the assistant reads.
            task: One of the five families, or "free" for any text.
            thoughts: K.
            pair: Name of the pair; by default that of the page.
            note: What the assistant alone is told.

        Returns:
            question, task and pair; for each of the thoughts its norm_ratio, nearest tokens with
            their cosine, those of a random vector of the same norm (placebo) and its point on
            the map; and explained, the shares of variance that the map's axes hold.
        """
        with residents.use(pair) as explorer:
            seen, name = explorer.explore(question, task, thoughts, note), explorer.pair.name
        return {
            "question": question,
            "task": task,
            "pair": name,
            "explained": list(seen.explained),
            "thoughts": [thought.to_json() for thought in seen.thoughts],
        }

    return thoughts


def _problem() -> Callable:
    def problem(task: str = "mini-gsm", seed: int | None = None) -> dict[str, Any]:
        """Draw a problem with its gold answer from a task's test split.

        Args:
            task: One of the five families.
            seed: The same seed draws the same problem; without one it is a new one every time.

        Returns:
            id, task, question, answer, rationale, hint and meta.
        """
        return questions.draw(task, seed).to_json()

    return problem


def _intervene(residents: Residents) -> Callable:
    def intervene(
        question: str,
        edits: str,
        task: str = "free",
        other_question: str = "",
        thoughts: int = DEFAULT_THOUGHTS,
        answer: str = "",
        pair: str = "",
    ) -> Iterator[dict[str, Any]]:
        """Change some of a question's soft thoughts and see what that does, beside two placebos.

        Args:
            question: What to ask.
            edits: One or more, separated by spaces: KIND[=AMOUNT[*TOKEN]][:SLOTS], such as
                `swap`, `mix=0.5:1-4`, `drop:3`, `keep:1`, `snap`, `add=1.5*two:2`.
            task: One of the five families, or "free" for any text.
            other_question: Whose thoughts swap and mix take; one is drawn where it is empty.
            thoughts: K.
            answer: The gold answer, if known.
            pair: Name of the pair; by default that of the page.

        Yields:
            `done`, and `columns` as of /compare: own thoughts, edited ones, two placebos.
        """
        problem = Problem(get_task(task).name, question, answer)
        made = read_edits(edits, other_question)
        with residents.use(pair) as explorer:
            yield from map(_frame, explorer.intervene(problem, thoughts, made))

    return intervene


def _sweep(residents: Residents) -> Callable:
    def sweep(
        task: str = "mini-gsm", problems: int = 50, step: int = 1, pair: str = ""
    ) -> Iterator[list[dict[str, Any]]]:
        """Accuracy, likelihood of the right answer and time against K, on test problems.

        Args:
            task: One of the five families.
            problems: How many, at most 500.
            step: From one K to the next; the first is 0.
            pair: Name of the pair; by default that of the page.

        Yields:
            For every K so far: thoughts, n, accuracy, interval (95 %), logprob (mean, nats),
            seconds (for all problems) and cut (answers that were cut off).
        """
        if step < 1:
            raise UserError(f"A sweep takes a step of 1 or more; it is {step}.")
        with residents.use(pair) as explorer:
            counts = range(0, explorer.largest_k(task) + 1, step)
            for trials in paced(explorer.sweep(task, counts, problems)):
                yield [_point(trial) for trial in trials if trial.n]

    return sweep


def _point(trial: Trial) -> dict[str, Any]:
    return {
        "thoughts": trial.k,
        "n": trial.n,
        "accuracy": trial.accuracy,
        "interval": trial.accuracy_interval,
        "logprob": sum(trial.logprobs) / trial.n,
        "seconds": trial.seconds,
        "cut": trial.cut,
    }


def _frame(columns: list[Column]) -> dict[str, Any]:
    done = all(column.done for column in columns)
    return {"done": done, "columns": [to_json(column) for column in columns]}


class Blocks(gr.Blocks):
    """A page whose endpoints fill in what a plain HTTP client left out at the end of its list.

    `gradio_client` does that by itself; without it, an endpoint could never get another parameter.
    No event takes a file that is named by an address.
    """

    def validate_inputs(self, block_fn: Any, inputs: list[Any]) -> None:
        """Add the defaults of an endpoint's last parameters where nothing was said.

        Raises:
            gradio.Error: A file is named by an address.
        """
        refuse_addresses(inputs)
        if block_fn.name in ENDPOINTS:
            inputs += [block.value for block in block_fn.inputs[len(inputs) :]]
        super().validate_inputs(block_fn, inputs)


def endpoint(function: Callable) -> Callable:
    """A function that checks the types it is called with and says in one sentence what is wrong."""
    hints = get_type_hints(function)
    parameters = inspect.signature(function)

    def checked(args: tuple) -> Mapping[str, Any]:
        values = parameters.bind(*args).arguments
        return {name: _typed(name, hints[name], value) for name, value in values.items()}

    @wraps(function)
    def stream(*args: Any) -> Iterator[Any]:
        with spoken():
            yield from function(**checked(args))

    @wraps(function)
    def call(*args: Any) -> Any:
        with spoken():
            return function(**checked(args))

    return stream if inspect.isgeneratorfunction(function) else call


def _typed(name: str, kind: Any, value: Any) -> Any:
    """A checked value; JSON knows one kind of number, so 3.0 is a whole one and 0 is a number."""
    if kind in (int, int | None) and isinstance(value, float) and value.is_integer():
        return int(value)
    accepted = int | float if kind is float else kind
    if isinstance(value, bool) or not isinstance(value, accepted):
        raise UserError(f"The value of {name} must be {_KINDS[kind]}; it is {value!r}.")
    return clean(value) if isinstance(value, str) else value
