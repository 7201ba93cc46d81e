"""What happens when somebody touches the page: plain functions from values to values.

Outputs come in three groups, always in this order: `cards` (the columns and the download),
`problem` (the loaded problem, question, right answer, donor question, message, and the cards) and
`look` (exploration, whose thoughts, map, table and tour).
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from softcot import plots
from softcot.analysis.geometry import Exploration
from softcot.data.problems import Problem
from softcot.data.tasks import FREE
from softcot.decoding.decoder import Sampling
from softcot.evaluation.answering import Column
from softcot.evaluation.run_file import RunRequest
from softcot.support.errors import UserError
from softcot.thoughts.projection import Projection
from softcot.web import tour_views, views
from softcot.web.events import idle, paced, unchanged, until
from softcot.web.explorer import HARD, SOFT, Explorer, asked_problem, examples
from softcot.web.link import read_link

CARDS, LOOK = 2, 5
"""Sizes of the groups."""

REGENERATED = 0.7
"""Temperature of an answer that is asked for again, where it was 0."""


class Handlers:
    """The page's events for one loaded pair."""

    def __init__(self, explorer: Explorer):
        self.explorer = explorer

    def pick_task(self, task: str, k: int, swapped: bool) -> tuple:
        """Offer a task's problems and load the first; free text keeps what was typed.

        Returns:
            listed problems, their buttons, "another problem", stop, problem, look.
        """
        offer = self._offer(task)
        if task == FREE.name:
            problem = (*unchanged(4), "", *_idle_cards())
            return (*offer, idle(), *problem, *unchanged(LOOK))
        return (*offer, *self._load(offer[0][0], task, k, swapped))

    def pick_example(
        self, task: str, k: int, swapped: bool, listed: list[Problem], event: gr.EventData
    ) -> tuple:
        """Load the problem whose button was pressed. Returns: stop, problem, look."""
        return self._load(listed[int(event.index)], task, k, swapped)

    def draw_problem(self, task: str, k: int, swapped: bool) -> tuple:
        """Load a new problem. Returns: stop, problem, look."""
        return self._load(self.explorer.problem(task), task, k, swapped)

    def open_problem(self, problem: Problem, task: str, k: int, swapped: bool) -> tuple:
        """Load a problem that was found elsewhere on the page. Returns: stop, problem, look."""
        return self._load(problem, task, k, swapped)

    def open_address(self, search: str) -> tuple:
        """Show what the page's address asks for.

        Returns:
            task, K, temperature, seed, samples, further methods, edits, second question, listed
            problems, their buttons, "another problem", stop, problem, look.
        """
        problem_size = 5 + CARDS
        nothing = unchanged(8 + 3 + 1 + problem_size + LOOK)
        try:
            asked = read_link(search, self.explorer.max_thoughts)
            if asked is None:
                return nothing
            task = asked.problem.task
            k = self.explorer.default_k if asked.k is None else asked.k
            sampling = (asked.temperature, asked.seed, asked.samples, asked.methods)
            told = (k, *sampling, asked.edits, asked.other)
            offer = self._offer(task)
            loaded = self._load(asked.problem, task, k, False)
        except UserError as error:
            return (*nothing[:16], views.message(str(error)), *nothing[17:])
        return (task, *(gr.skip() if one is None else one for one in told), *offer, *loaded)

    def own_answer(self, question: str, gold: str, loaded: Problem) -> str:
        """The right answer, unless it is the loaded problem's and the question no longer is."""
        stale = gold == loaded.answer and question.strip() != loaded.question
        return "" if stale else gold.strip()

    def toggle_swap(self, task: str, question: str, donor: str, k: int, swapped: bool) -> tuple:
        """Swap the thoughts with another question's, or back.

        Returns:
            donor row, donor question, message, look.
        """
        if swapped and (not donor or donor == question):
            donor = self.explorer.donor(task, question).question
        row = gr.Row(visible=swapped)
        try:
            seen = self.look(task, question, donor, k, swapped)
        except UserError as error:
            return (row, donor, views.message(str(error)), *unchanged(LOOK))
        return (row, donor, "", *seen)

    def draw_donor(self, task: str, question: str, donor: str, k: int, swapped: bool) -> tuple:
        """Swap with yet another question. Returns: see `toggle_swap`."""
        return self.toggle_swap(task, question, "", k, swapped)

    def follow(self, seen: Exploration, k: int, swapped: bool) -> tuple[str, ...]:
        """Show the first k thoughts; no model is run. Returns: look without the exploration."""
        return (
            views.origin(seen, k, swapped),
            plots.thought_map(seen, k).to_json(),
            views.thought_table(seen.thoughts[:k]),
            tour_views.tour(seen, k, self.explorer.pair, self.explorer.laboratory),
        )

    def look(self, task: str, question: str, donor: str, k: int, swapped: bool) -> tuple:
        """Explore the thoughts that SoftCoT is given. Returns: look."""
        seen = self.explorer.explore(donor if swapped else question, task)
        return (seen, *self.follow(seen, k, swapped))

    def compare(
        self,
        task: str,
        question: str,
        donor: str,
        k: int,
        swapped: bool,
        gold: str,
        loaded: Problem,
        trained: Projection | None,
        using: bool,
        further: list[str],
        *sampling: Any,
    ) -> Iterator[tuple]:
        """Answer in several ways at once. Yields: message, what ends it, stop, cards, look."""
        answer = self.own_answer(question, gold, loaded)
        problem = asked_problem(task, question, answer, loaded)
        try:
            asked = self._asked(problem, k, donor if swapped else "", further, *sampling)
            columns, ending = [], threading.Event()
            explorer = self.explorer.using(trained if using else None)
            seen = Handlers(explorer).look(task, question, donor, k, swapped)
            before = (*unchanged(CARDS - 1), _no_download())
            warned = views.message(" ".join(explorer.pair.warnings(task)))
            yield (warned, ending, gr.Button(interactive=True), *before, *seen)
            for columns in paced(until(explorer.answers(asked), ending)):
                cards = views.columns(columns, swapped)
                yield (*unchanged(3), cards, gr.skip(), *unchanged(LOOK))
            if ending.is_set():
                cards = (views.columns(columns, swapped, stopped=True), gr.skip())
            else:
                run = _saved(explorer, asked, columns)
                cards = (gr.skip(), gr.DownloadButton(value=run, interactive=True))
            yield (*unchanged(2), idle(), *cards, *unchanged(LOOK))
        except UserError as error:
            yield (views.message(str(error)), None, idle(), *_idle_cards(), *unchanged(LOOK))

    def reseed(self, temperature: float, seed: int) -> tuple[float, int]:
        """Ask for other samples: the likeliest answer would be the same again."""
        return temperature or REGENERATED, int(seed) + 1

    def _asked(
        self,
        problem: Problem,
        k: int,
        donor: str,
        further: list[str],
        temperature: float,
        top_p: float,
        length: int,
        seed: int,
        samples: int,
    ) -> RunRequest:
        sampling = Sampling(temperature, top_p, seed=seed, max_new_tokens=length)
        methods = (HARD, SOFT, *further)
        return self.explorer.comparison(problem, k, sampling, samples, donor, methods)

    def _offer(self, task: str) -> tuple:
        """Returns: listed problems, their buttons, "another problem"."""
        listed = examples(task)
        return (
            listed,
            views.examples(listed, self.explorer.laboratory),
            gr.Button(interactive=task != FREE.name),
        )

    def _load(self, problem: Problem, task: str, k: int, swapped: bool) -> tuple:
        """Returns: stop, problem, look."""
        donor = self.explorer.donor(task, problem.question).question
        cards = _idle_cards()
        loaded = (problem, problem.question, problem.answer, donor, "", *cards)
        return (idle(), *loaded, *self.look(task, problem.question, donor, k, swapped))


def _saved(explorer: Explorer, asked: RunRequest, columns: list[Column]) -> str:
    """A finished run in a file that nobody else can name."""
    path = Path(tempfile.mkdtemp(prefix="softcot-"), f"{asked.problem.id}.run")
    explorer.save(path, asked, columns)
    return str(path)


def _idle_cards() -> tuple:
    return (views.idle_columns(), _no_download())


def _no_download() -> gr.DownloadButton:
    return gr.DownloadButton(interactive=False)
