"""What happens when somebody touches the Compare tab: plain functions from requests to values.

Each takes one request and returns what changes, by the names of the widgets (see
`softcot.web.wiring`). Names that always change together are groups here.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from dataclasses import replace

import gradio as gr

from softcot import plots
from softcot.data.problems import Problem
from softcot.data.tasks import FREE
from softcot.evaluation.answering import Column
from softcot.evaluation.run_file import RunRequest
from softcot.support.errors import UserError
from softcot.support.text import clean
from softcot.web import questions, tour_views, views
from softcot.web.events import Ending, idle, paced, until
from softcot.web.explorer import HARD, SOFT, Explorer, Seen
from softcot.web.link import Link, read_link
from softcot.web.requests import (
    AddressRequest,
    Asked,
    OpeningRequest,
    PageRequest,
    QuestionRequest,
)
from softcot.web.results import only_soft
from softcot.web.temporary import Folder
from softcot.web.wiring import Named

THOUGHTS = ("plan", "origin", "map", "table", "tour")
"""How the thoughts are shown."""
LOOK = ("seen", *THOUGHTS)
"""The thoughts that are looked at, and how they are shown."""
ANSWERS = ("answers", "asked", "download")
"""The columns, what they were asked, and the file of a finished run."""
CAUTIONS = ("caution", "note_caution")
"""What the models have never read in the question, and in the note."""
READ = (*CAUTIONS, "reading")
"""The same, and what is new to the base."""
PROBLEM = (
    "stop", "loaded", "question", "note", "gold", "typed", *READ, "donor", "message",
    *ANSWERS, *LOOK,
)  # fmt: skip
"""All that changes with another problem."""
OFFER = ("listed", "examples", "another")
"""The problems to choose from."""
SWAP = ("donor_row", "donor", "message", *LOOK)
"""All that changes with whose thoughts SoftCoT is given."""
RUN = ("message", "ending", "stop", "run_folder", *CAUTIONS, *ANSWERS, *LOOK)
"""All that changes during a run; `ending` is the event that stops it, `run_folder` has its file."""
OPENING = ("message", "ending", "stop", *ANSWERS)
"""All that changes when a page opens answered."""
STRIPS = ("strip_intervene", "strip_inside")
"""What the panels that change nothing about the question are working on."""
ADDRESS = ("task", "k", "temperature", "seed", "samples", "further", "edits", "other")
"""What an address may say beside the problem."""

CHOICES = ("task", "further", "longest")
"""What another pair offers. Gradio refuses values that a widget does not offer, so these change
before anything that makes an event tell them."""
ARRIVAL = ("k", "swapped", "donor_row", "trained", "using", *OFFER, *PROBLEM)
"""All else on this tab that changes when another pair answers."""

REGENERATED = 0.7
"""Temperature of an answer that is asked for again, where it was 0."""


class Handlers:
    """The page's events for one loaded pair."""

    def __init__(self, explorer: Explorer):
        self.explorer = explorer

    def pick_task(self, request: PageRequest) -> Named:
        """Offer a task's problems and load the first; free text keeps what was typed."""
        offer = self._offer(request.task)
        if request.task == FREE.name:
            return {**offer, "stop": idle(), "message": "", **_idle_answers()}
        return {**offer, **self._load(self.explorer.fitting(request.task), request)}

    def pick_example(self, request: PageRequest, event: gr.EventData) -> Named:
        """Load the problem whose button was pressed."""
        return self._load(request.listed[int(event.index)], request)

    def draw_problem(self, request: PageRequest) -> Named:
        """Load a new problem."""
        return self._load(questions.draw(request.task), request)

    def open_picked(self, request: PageRequest) -> Named:
        """Load the problem that was picked on the map of many."""
        assert request.picked is not None, "the button appears with the picked problem"
        return self._load(request.picked, request)

    def choices(self, request: PageRequest) -> Named:
        """Offer what this pair is asked, where another one answered before: `CHOICES`.

        A question that the reader typed becomes free text where its kind is not offered.
        """
        e = self.explorer
        unknown = FREE.name if request.is_own else next(iter(e.tasks))
        task = request.task if request.task in e.tasks else unknown
        return {
            "task": gr.Radio([(t.title, name) for name, t in e.tasks.items()], value=task),
            "further": gr.CheckboxGroup(e.further, value=[]),
            "longest": gr.Slider(maximum=e.longest, value=e.usual_length),
        }

    def arrive(self, request: PageRequest) -> Named:
        """Fit the tab to this pair, after `choices`: `ARRIVAL`.

        A question that the reader typed stays; a problem of a kind that is not offered makes room
        for one that is.
        """
        e, task = self.explorer, request.task
        offer = self._offer(task)
        kept = request.is_own or task in (request.loaded.task, FREE.name)
        problem = request.judged if kept else e.fitting(task)
        k = min(request.k, e.max_thoughts)
        page = PageRequest(task, problem.question, k)
        try:
            loaded = self._load(problem, page)
        except UserError:  # it is too long for this pair, or there is none
            loaded = self._load(e.fitting(task), page)
        return {
            **offer,
            **loaded,
            "k": gr.Slider(maximum=e.max_thoughts, value=k, info=about_k(e)),
            "swapped": False,
            "donor_row": gr.Row(visible=False),
            "trained": None,
            "using": gr.Checkbox(False, visible=False),
        }

    def open_address(self, request: AddressRequest) -> Named:
        """Show what the page's address asks for, and say what of it cannot be."""
        try:
            offered = [name for _, name in self.explorer.further]
            link = read_link(
                request.search, self.explorer.max_thoughts, offered, self.explorer.tasks
            )
            if link is None:
                return {}
            k = self.explorer.default_k if link.problem and link.k is None else link.k
            told: Named = {
                "task": link.task,
                "k": k,
                "temperature": link.temperature,
                "seed": link.seed,
                "samples": link.samples,
                "further": link.methods,
                "edits": link.edits,
                "other": link.other,
                "message": views.message(" ".join(link.remarks)),
            }
            return self._linked(link) | {n: v for n, v in told.items() if v is not None}
        except UserError as error:
            return {"message": views.message(str(error))}

    def read_question(self, request: QuestionRequest) -> Named:
        """Drop the right answer of another question, and say what the models know of this one."""
        return {"gold": request.right_answer, **self._read(request.read, unfinished=True)}

    def try_wording(self, request: QuestionRequest, event: gr.EventData) -> Named:
        """Ask what the models can read, in the place of what they cannot."""
        return {"question": clean(str(event.text))}

    def try_note(self, request: QuestionRequest, event: gr.EventData) -> Named:
        """Tell the assistant what it can read, in the place of what it cannot."""
        return {"note": clean(str(event.text))}

    def _read(self, problem: Problem, unfinished: bool = False) -> Named:
        """What the models have read of a question: `READ`."""
        return {
            **self._cautions(problem, unfinished),
            "reading": views.reading(problem, self.explorer.laboratory),
        }

    def _cautions(self, problem: Problem, unfinished: bool = False) -> Named:
        """What the models have never read in a question and its note: `CAUTIONS`."""
        e, name = self.explorer, self.explorer.pair.name
        asked = e.caution(problem.question, problem.task, unfinished)
        told = e.note_caution(problem.note, unfinished)
        return {"caution": views.caution(asked, name), "note_caution": views.caution(told, name)}

    def stand(self, request: PageRequest) -> Named:
        """Say what the answers belong to, where that is not what would be asked now."""
        return {"standing": views.standing(request.asked, request.is_stale)}

    def _linked(self, link: Link) -> Named:
        """The problem of an address: its own, or the first of its kind; `OFFER` and `PROBLEM`."""
        if link.task is None:
            return {}
        offer = self._offer(link.task)
        problem = link.problem or offer["listed"][0]
        k = self.explorer.default_k if link.k is None else link.k
        return offer | self._load(problem, PageRequest(link.task, problem.question, k))

    def toggle_swap(self, request: PageRequest) -> Named:
        """Swap the thoughts with another question's, or back."""
        known = request.donor and request.donor != request.question
        return self._swap(request, request.donor if known or not request.swapped else "")

    def draw_donor(self, request: PageRequest) -> Named:
        """Swap with yet another question."""
        return self._swap(request, "")

    def _swap(self, request: PageRequest, donor: str) -> Named:
        if request.swapped and not donor:
            donor = self._donor(request.task, request.question)
        swapped: Named = {"donor_row": gr.Row(visible=request.swapped), "donor": donor}
        try:
            whose = donor if request.swapped else request.question
            return {**swapped, "message": "", **self._look(whose, request, arriving=True)}
        except UserError as error:
            return {**swapped, "message": views.message(str(error))}

    def follow(self, request: PageRequest) -> Named:
        """Show the first K of the thoughts that are looked at; no model is run."""
        return self.shown(request.seen, request) if request.seen else {}

    def look(self, request: PageRequest) -> Named:
        """The thoughts as they are, with those of the makers that are asked, too: `LOOK`."""
        try:
            return self._look(request.whose, request) if request.seen else {}
        except UserError:  # said where a question is asked
            return {}

    def shown(self, seen: Seen, request: PageRequest, arriving: bool = False) -> Named:
        """The first K thoughts, as they are shown: `THOUGHTS`."""
        explorer = self.explorer
        # Swapped thoughts stand in the prompt of a question that is not theirs.
        asked = request.question if request.swapped else seen.question
        kind, k = explorer.kind(asked, request.task), explorer.k_for(asked, request.task, request.k)
        guessed = explorer.tasks[kind].title if kind != request.task else ""
        return {
            "plan": views.plan(seen, k, request.swapped, arriving),
            "origin": views.origin(seen, k, request.swapped, guessed),
            "map": plots.thought_map(seen, k, seen.makers).to_json(),
            "table": views.thought_table(seen.thoughts[:k]),
            "tour": tour_views.tour(seen, k, explorer.pair, explorer.laboratory, asked),
        }

    def strips(self, request: QuestionRequest) -> Named:
        """Say on the other panels what they work on."""
        k = self.explorer.k_for(request.question, request.task, request.k)
        return dict.fromkeys(STRIPS, views.strip(request.question, k))

    def reseed(self, request: PageRequest) -> Named:
        """Ask for other samples: the likeliest answer would be the same again."""
        return {
            "temperature": request.temperature or REGENERATED,
            "seed": int(request.seed) + 1,
        }

    def sampling(self, request: PageRequest) -> Named:
        """Say how answers are chosen, where it is not the usual way."""
        return {"sampled": views.sampled(request.temperature, int(request.seed))}

    def compare(self, request: PageRequest) -> Iterator[Named]:
        """Answer in several ways at once. Yields: `RUN`, piece by piece."""
        ending = Ending()
        try:
            if request.ending:
                request.ending.hurry()
            explorer = self.explorer.using(request.trained if request.using else None)
            page = Handlers(explorer)
            run = page._run(request)
            warnings = explorer.pair.warnings(run.problem.task)
            cautions = page._cautions(run.problem)
            yield {
                "message": views.message(" ".join(warnings)),
                "ending": ending,
                "stop": gr.Button(interactive=True),
                "asked": request.asks,
                "download": _no_download(),
                **cautions,
                **page._look(request.whose, request),
            }
            shown = {"swapped": request.swapped, "unread": any(cautions.values())}
            frames = explorer.visit(ended=ending).answers(run)
            columns = yield from _written(frames, ending, **shown)
            yield {"stop": idle(), **({} if ending.is_set() else _file_of(explorer, run, columns))}
        except UserError as error:
            message = views.message(str(error))
            yield {"message": message, "ending": None, "stop": idle(), **_idle_answers()}
        finally:
            ending.over.set()

    def open(self, request: OpeningRequest) -> Iterator[Named]:
        """Answer the first example, where nobody asked for anything else. Yields: `OPENING`."""
        first, ending = self.explorer.first, Ending()
        usual = Asked(first.question, self.explorer.default_k, note=first.note)
        if request.asked or request.asks != usual:
            yield {}
            return
        try:
            yield {
                "ending": ending,
                "stop": gr.Button(interactive=True),
                "asked": replace(usual, opening=True),
            }
            yield from _written(self.explorer.visit(ended=ending).opening(), ending)
            yield {"stop": idle()}
        except UserError as error:
            yield {"message": views.message(str(error)), "stop": idle(), **_idle_answers()}
        finally:
            ending.over.set()

    def _run(self, request: PageRequest) -> RunRequest:
        """What is asked by a press on Run."""
        methods = (HARD, SOFT, *request.further)
        donor = request.donor if request.swapped else ""
        k = self.explorer.k_for(request.question, request.task, request.k)
        return self.explorer.comparison(
            request.judged, k, request.sampling, request.samples, donor, methods
        )

    def _offer(self, task: str) -> Named:
        """The problems of a task: `OFFER`."""
        listed = questions.examples(task, self.explorer.laboratory)
        return {
            "listed": listed,
            "examples": offered(self.explorer, task),
            "another": gr.Button(interactive=task != FREE.name),
        }

    def _load(self, problem: Problem, request: PageRequest) -> Named:
        """Another problem: `PROBLEM`."""
        donor = self._donor(request.task, problem.question)
        whose = donor if request.swapped else problem.question
        return {
            "stop": idle(),
            "loaded": problem,
            "question": problem.question,
            "note": problem.note,
            "gold": problem.answer,
            **self._read(problem),
            "typed": False,
            "donor": donor,
            "message": "",
            **_idle_answers(),
            **self._look(whose, replace(request, question=problem.question, note=problem.note)),
        }

    def _donor(self, task: str, question: str) -> str:
        """Another question, to borrow thoughts from."""
        return questions.donor(task, question, laboratory=self.explorer.laboratory).heard

    def _look(self, question: str, request: PageRequest, arriving: bool = False) -> Named:
        """The thoughts of a question, and how they are shown: `LOOK`."""
        asked = request.question if request.swapped else question
        note = "" if request.swapped else request.note
        seen = self.explorer.explore(
            question, self.explorer.kind(asked, request.task), note=note, methods=request.further
        )
        if seen == request.seen and not arriving:  # they are shown, and may be sliding in
            return {}
        return {"seen": seen, **self.shown(seen, request, arriving)}


def offered(explorer: Explorer, task: str) -> str:
    """A task's problems to choose from; what was picked says so, and how rare it is."""
    listed = questions.examples(task, explorer.laboratory)
    picked = questions.picked(task, explorer.pair.name)
    often = only_soft().get(task) if picked else None
    return views.examples(listed, explorer.laboratory, picked, often)


def about_k(explorer: Explorer) -> str:
    """What to know when K is chosen."""
    trained, most = "Trained for " if explorer.trained else "", explorer.max_thoughts
    known = {task.title: explorer.largest_k(name) for name, task in explorer.tasks.items()}
    lower = [f"{title} to {k}" for title, k in known.items() if k < most]
    return " · ".join([f"{trained}1 to {most}; 0 is hard CoT", *lower])


def _written(
    frames: Iterator[list[Column]], ending: threading.Event, **shown: bool
) -> Generator[Named, None, list[Column]]:
    """Show columns as they are written, until the event is set. Returns: the last ones."""
    columns: list[Column] = []
    for columns in paced(until(frames, ending)):
        yield {"answers": views.columns(columns, **shown)}
    if ending.is_set():
        yield {"answers": views.columns(columns, **shown, stopped=True)}
    return columns


def _file_of(explorer: Explorer, run: RunRequest, columns: list[Column]) -> Named:
    """A finished run in a file that nobody else can name, and that goes with the visit."""
    try:
        folder = Folder()
        path = folder.path / f"{run.problem.id}.run"
        explorer.save(path, run, columns)
    except UserError as error:  # the answers are there all the same
        return {"message": views.message(str(error))}
    return {
        "run_folder": folder,
        "download": gr.DownloadButton(value=str(path), interactive=True),
    }


def _idle_answers() -> Named:
    return {"answers": views.idle_columns(), "asked": None, "download": _no_download()}


def _no_download() -> gr.DownloadButton:
    return gr.DownloadButton(interactive=False)
