"""The events of the Compare tab, without a browser: what is asked decides what comes out."""

import copy
import html
import re
import threading
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
from conftest import build_problems

from softcot.analysis.geometry import map_places
from softcot.data.lexicon import Lexicon
from softcot.data.problems import Problem
from softcot.data.tasks import FREE, get_task
from softcot.decoding.decoder import Sampling
from softcot.evaluation.answering import ColumnRequest, answer_stream
from softcot.evaluation.run_file import load_run
from softcot.methods import METHODS, SoftCoT, get_method
from softcot.support.errors import UserError
from softcot.support.presets import DEFAULT_THOUGHTS
from softcot.thoughts.edits import Edit
from softcot.thoughts.pair import Pair
from softcot.thoughts.projection import Projection
from softcot.web import handlers, questions, views
from softcot.web.explorer import Explorer
from softcot.web.handlers import Handlers
from softcot.web.page import Page
from softcot.web.requests import Asked, PageRequest, QuestionRequest
from softcot.web.temporary import Folder, process_folder

QUESTION = "Anna has 12 apples and buys 30 more. How many?"
OTHER = "Tom gives 7 pears to Anna. How many are left?"
LOADED = Problem("mini-gsm", QUESTION, "42", rationale="12 + 30 = 42.")
ASKED = PageRequest("mini-gsm", QUESTION, 4, "42", LOADED, longest=12)
WARM = replace(ASKED, temperature=1.0)


@pytest.fixture(scope="module")
def explorer(pair) -> Explorer:
    return Explorer(pair)


@pytest.fixture
def page(explorer) -> Handlers:
    return Handlers(explorer)


def texts(page: str) -> list[str]:
    """What the columns wrote, without the mark where they part."""
    shown = re.findall(r'<p class="completion".*?>(.*?)<span class="caret">', page, re.S)
    return [re.sub("</?mark.*?>", "", text).strip() for text in shown]


def ran(page: Handlers, request: PageRequest) -> list[str]:
    """The texts of a whole run, hard CoT's first."""
    *_, answers = (frame["answers"] for frame in page.compare(request) if "answers" in frame)
    return texts(answers)


def expected(pair: Pair, *columns: ColumnRequest, **sampling) -> list[str]:
    """The same by the decoder's own door."""
    chosen = Sampling(**{"max_new_tokens": 12} | sampling)
    *_, last = answer_stream(pair, LOADED, get_task("mini-gsm"), columns, 4, chosen)
    return [html.escape(column.text.strip()) for column in last]


def test_a_run_answers_with_hard_cot_and_with_own_thoughts(page, pair):
    assert ran(page, ASKED) == expected(
        pair, ColumnRequest("zero-shot-cot"), ColumnRequest("softcot")
    )


@pytest.fixture
def uneven(pair) -> Explorer:
    """A pair whose projection for one kind of problem was trained for fewer thoughts."""
    return Explorer(pair.using(Projection.for_pair(pair, "mini-gsm", 3)))


def test_a_kind_whose_projection_has_fewer_thoughts_leaves_the_others_theirs(uneven):
    title = get_task("mini-gsm").title
    assert handlers.about_k(uneven) == f"Trained for 1 to 16; 0 is hard CoT · {title} to 3"
    assert len(uneven.explore(OTHER, "mini-asdiv").thoughts) == 16
    assert len(uneven.explore(QUESTION, "mini-gsm").thoughts) == 3


def test_more_thoughts_than_a_kind_was_trained_for_are_as_many_as_it_was(uneven):
    page, more = Handlers(uneven), replace(ASKED, k=12)
    assert ran(page, more) == ran(page, replace(ASKED, k=3)) != ran(page, replace(ASKED, k=2))
    seen = uneven.explore(QUESTION, "mini-gsm")
    assert page.shown(seen, more) == page.shown(seen, replace(more, k=3))
    assert page.strips(QuestionRequest("mini-gsm", QUESTION, 12)) == page.strips(
        QuestionRequest("mini-gsm", QUESTION, 3)
    )


def test_a_visitors_projection_is_asked_for_as_many_thoughts_as_it_was_trained_for(page, pair):
    own = Projection.for_pair(pair, "mini-gsm", 3)
    with_own = replace(ASKED, trained=own, using=True)
    assert ran(page, with_own) == ran(page, replace(with_own, k=3))


def test_makers_that_are_asked_show_their_thoughts_on_the_same_map(page, pair):
    seen = page.explorer.explore(QUESTION, "mini-gsm")
    request = replace(ASKED, seen=seen, further=["lora", "cot-unk", "self-thoughts"])
    shown = page.look(request)
    [(title, points)] = shown["seen"].makers
    method = get_method("self-thoughts", pair, get_task("mini-gsm"))
    vectors = method.thoughts([LOADED], len(seen.thoughts))[0].numpy()
    places = map_places(vectors, page.explorer.vocabulary)
    assert title == "Self-thoughts" and [p.x for p in points] == pytest.approx(list(places[:, 0]))
    assert "Self-thoughts" in shown["map"] and shown["seen"].thoughts == seen.thoughts
    assert page.look(replace(request, seen=shown["seen"])) == {}
    assert page.look(replace(request, seen=shown["seen"], further=[]))["seen"] == seen


def test_a_swap_gives_softcot_the_thoughts_of_the_other_question(page, pair):
    hard, swapped = ran(page, replace(ASKED, swapped=True, donor=OTHER))
    given = ColumnRequest("softcot", edits=(Edit("swap", question=OTHER),))
    assert [hard, swapped] == expected(pair, ColumnRequest("zero-shot-cot"), given)
    assert swapped != ran(page, ASKED)[1]
    # A donor that nobody asked for changes nothing.
    assert ran(page, replace(ASKED, donor=OTHER)) == ran(page, ASKED)


def test_the_thoughts_shown_are_those_that_are_given(page, explorer):
    for request, whose in ((ASKED, QUESTION), (replace(ASKED, swapped=True, donor=OTHER), OTHER)):
        first = next(page.compare(request))
        assert first["seen"].question == whose
        assert first["seen"].thoughts == explorer.explore(whose, "mini-gsm").thoughts


def test_the_seed_decides_the_samples(page, pair):
    columns = ColumnRequest("zero-shot-cot"), ColumnRequest("softcot")
    for seed in (41, 42):
        found = ran(page, replace(WARM, seed=seed))
        assert found == expected(pair, *columns, temperature=1.0, seed=seed)
    assert ran(page, replace(WARM, seed=41)) != ran(page, replace(WARM, seed=42))


def test_what_was_trained_on_the_page_is_used_when_asked_for(page, pair):
    other = Projection.for_pair(pair, "mini-gsm", seed=9)
    own, using = (ran(page, replace(ASKED, trained=other, using=on)) for on in (False, True))
    assert own == ran(page, ASKED)
    columns = ColumnRequest("zero-shot-cot"), ColumnRequest("softcot")
    assert using == expected(pair.using(other), *columns) and using[1] != own[1]


@pytest.mark.parametrize(
    ("changes", "sampling"),
    [
        ({"temperature": 0.7}, {"temperature": 0.7}),
        ({"temperature": 1.0, "top_p": 0.3}, {"temperature": 1.0, "top_p": 0.3}),
        ({"longest": 5}, {"max_new_tokens": 5}),
    ],
)
def test_every_control_of_the_sampling_counts(page, pair, changes, sampling):
    found = ran(page, replace(ASKED, **changes))
    columns = ColumnRequest("zero-shot-cot"), ColumnRequest("softcot")
    assert found == expected(pair, *columns, **sampling)


def test_several_samples_vote(page):
    *_, frame, _ = page.compare(replace(WARM, samples=3, longest=40))
    assert re.findall(r"(\d+) tokens", frame["answers"])
    requests = page._run(replace(WARM, samples=3))
    assert requests.samples == 3 and page._run(ASKED).samples == 1


def test_k_and_further_methods_are_asked(page):
    run = page._run(replace(ASKED, k=2, further=["cot-unk", "assist-cot"]))
    names = [request.method for request in run.requests]
    assert run.k == 2 and names == ["zero-shot-cot", "softcot", "cot-unk", "assist-cot"]
    assert [request.own_k for request in run.requests] == [True, False, False, True]


def test_a_run_is_judged_by_the_answer_of_its_own_question(page):
    assert page._run(ASKED).problem == LOADED
    assert page._run(replace(ASKED, question="Why?")).problem.answer == ""
    for typed, kept in (("42", ""), (" 7 ", "7")):
        asked = QuestionRequest("mini-gsm", "Why?", 4, typed, LOADED)
        assert page.read_question(asked)["gold"] == kept


def test_a_typed_right_answer_is_used_also_where_it_is_that_of_the_loaded_problem(page):
    typed = replace(ASKED, question="Eve has 12 apples and buys 30 more. How many?", typed=True)
    assert page._run(typed).problem == Problem("mini-gsm", typed.question, "42")
    asked = QuestionRequest("mini-gsm", "Why?", 4, "42", LOADED, True)
    assert page.read_question(asked)["gold"] == "42"
    assert (
        page.pick_example(replace(typed, listed=[LOADED]), gr.EventData(None, {"index": 0}))[
            "typed"
        ]
        is False
    )


def test_a_question_of_ones_own_is_asked_as_the_kind_that_it_reads_like(page):
    free = replace(ASKED, task="free", loaded=Problem("free", ""), gold="", typed=False)
    assert page._run(free).problem.task == "mini-gsm"
    assert "It reads like Word problems" in page._look(QUESTION, free)["origin"]
    assert page._run(replace(free, question="Sing.")).problem.task == "free"
    assert "reads like" not in page._look("Sing.", free)["origin"]


def test_swapped_thoughts_are_told_as_those_of_another_question(page):
    told = page.toggle_swap(replace(ASKED, swapped=True, donor=OTHER))["tour"]
    assert "Swapped" in told and QUESTION in told and OTHER in told
    assert "Swapped" not in page.toggle_swap(ASKED)["tour"]


def test_the_file_of_a_run_holds_what_was_asked(page):
    request = replace(WARM, swapped=True, donor=OTHER, seed=7)
    *_, last = page.compare(request)
    saved = load_run(Path(last["download"].value["path"]))
    assert saved.asked == page._run(request)


def test_a_run_names_nothing_that_its_event_may_not_change(page):
    for request in (ASKED, replace(ASKED, question=" ")):
        for frame in page.compare(request):
            assert frame.keys() <= set(handlers.RUN)


def test_bad_input_is_a_message_and_the_cards_wait_again(page):
    for changes in ({"question": " "}, {"samples": 3}, {"k": 99}, {"further": ["magic"]}):
        *_, last = page.compare(replace(ASKED, **changes))
        assert 'role="alert"' in last["message"] and last["answers"] == views.idle_columns()
        assert not last["stop"].interactive and last["ending"] is None


FIRST = questions.examples("mini-gsm")[0]
FRESH = PageRequest("mini-gsm", FIRST.question, DEFAULT_THOUGHTS, FIRST.answer, FIRST)


def test_the_first_example_is_answered_once_for_everybody_as_by_run(explorer, monkeypatch):
    page, calls = Handlers(Explorer(explorer.pair)), []
    answers = page.explorer.answers
    monkeypatch.setattr(page.explorer, "answers", lambda run: calls.append(run) or answers(run))
    for _ in range(2):
        first, *_, answered, last = page.open(FRESH)
        assert first["asked"] == Asked(FIRST.question, DEFAULT_THOUGHTS, opening=True)
        assert not last["stop"].interactive
    assert len(calls) == 1
    assert texts(answered["answers"]) == ran(page, FRESH) and len(calls) == 2


def test_a_page_that_asks_for_something_else_opens_without_it(page):
    for changes in (
        {"question": QUESTION}, {"k": 3}, {"swapped": True, "donor": OTHER},
        {"asked": Asked(QUESTION, 3)},
    ):  # fmt: skip
        assert list(page.open(replace(FRESH, **changes))) == [{}]


def test_an_opening_that_is_stopped_is_asked_again(explorer, monkeypatch):
    page = Handlers(Explorer(explorer.pair))
    frames = page.open(FRESH)
    ending = next(frames)["ending"]
    next(frames)
    ending.set()
    *_, stopped, last = frames
    assert "Stopped." in stopped["answers"] and not page.explorer.opened


def test_the_first_problem_is_one_that_fits_the_models(explorer, monkeypatch):
    long = Problem("mini-gsm", "apples and pears " * 400, "1")
    monkeypatch.setattr(questions, "examples", lambda *_: [long, FIRST])
    assert Explorer(explorer.pair).first == FIRST
    monkeypatch.setattr(questions, "examples", lambda *_: [long])
    assert Explorer(explorer.pair).first == long


def test_answers_are_stale_once_something_else_would_be_asked(page):
    first = next(page.compare(replace(ASKED, swapped=True, donor=OTHER)))
    asked = replace(ASKED, swapped=True, donor=OTHER, asked=first["asked"])
    assert not page.stand(asked)["standing"].count("stale")
    for changes in ({"question": "Why?"}, {"k": 5}, {"swapped": False}, {"donor": "Who?"}):
        stale = page.stand(replace(asked, **changes))["standing"]
        assert "stale" in stale and OTHER in stale
    lent_nothing = replace(ASKED, donor="Who?", asked=Asked(QUESTION, 4))
    assert "stale" not in page.stand(lent_nothing)["standing"]
    assert page.pick_example(
        replace(asked, listed=build_problems(1)), gr.EventData(None, {"index": 0})
    )["asked"] is None  # fmt: skip


def test_what_is_shown_already_is_not_shown_again_by_a_run(page):
    swapped = page.toggle_swap(replace(ASKED, swapped=True, donor=OTHER))
    assert "arriving" in swapped["plan"]
    again = replace(ASKED, swapped=True, donor=OTHER, seen=swapped["seen"])
    assert not next(page.compare(again)).keys() & set(handlers.LOOK)
    assert "plan" in next(page.compare(replace(again, swapped=False)))


def test_problems_are_offered_and_loaded(page):
    offered = page.pick_task(replace(ASKED, task="mini-strategy"))
    assert offered["loaded"] == offered["listed"][0] == questions.examples("mini-strategy")[0]
    assert offered.keys() == {*handlers.OFFER, *handlers.PROBLEM}
    kept = page.pick_task(replace(ASKED, task=FREE.name))
    assert "question" not in kept and not kept["another"].interactive
    listed = build_problems(3)
    second = page.pick_example(replace(ASKED, listed=listed), gr.EventData(None, {"index": 1}))
    assert second["loaded"] == listed[1] and second["gold"] == listed[1].answer
    drawn = page.draw_problem(ASKED)
    assert drawn["question"] != QUESTION and drawn["donor"] != drawn["question"]


def test_a_donor_is_drawn_once_and_again_on_request(page):
    swapped = page.toggle_swap(replace(ASKED, swapped=True))
    assert swapped["donor_row"].visible and swapped["donor"] not in ("", QUESTION)
    assert swapped["seen"].question == swapped["donor"]
    kept = page.toggle_swap(replace(ASKED, swapped=True, donor=OTHER))
    assert kept["donor"] == OTHER
    assert page.draw_donor(replace(ASKED, swapped=True, donor=OTHER))["donor"] != OTHER
    back = page.toggle_swap(replace(ASKED, donor=OTHER))
    assert back["seen"].question == QUESTION and not back["donor_row"].visible
    refused = page.toggle_swap(replace(ASKED, question=" "))
    assert "empty" in refused["message"] and "seen" not in refused


def test_regenerating_asks_for_other_samples(page):
    assert page.reseed(ASKED) == {"temperature": handlers.REGENERATED, "seed": 42}
    assert page.reseed(replace(WARM, seed=7)) == {"temperature": 1.0, "seed": 8}


def test_an_emptied_field_has_its_default_again(page):
    emptied = {"seed": None, "temperature": None, "top_p": None, "samples": None, "k": None}
    request = replace(ASKED, **emptied, question="Why \ud800?")
    assert request.sampling == Sampling(max_new_tokens=12)
    assert (request.samples, request.k, request.question) == (1, DEFAULT_THOUGHTS, "Why ??")
    assert page.reseed(request) == {"temperature": handlers.REGENERATED, "seed": 42}


def test_the_file_of_a_run_goes_with_its_visit(page, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(process_folder()))
    *_, last = page.compare(ASKED)
    path = Path(last["download"].value["path"])
    assert path.is_file() and process_folder() in path.parents
    folder = last.pop("run_folder").path
    assert not folder.exists()


def test_a_run_that_cannot_be_written_keeps_its_answers(page, monkeypatch):
    monkeypatch.setattr(Folder, "__init__", lambda self: setattr(self, "path", Path("/proc/none")))
    *_, answered, last = page.compare(ASKED)
    assert "answers" in answered and "answers" not in last and "download" not in last
    assert "cannot be written" in last["message"] and not last["stop"].interactive


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"samples": 16, "temperature": 1.0}, "at most 15 samples"),
        ({"longest": 161}, "at most 160 tokens"),
        ({"k": 17}, "choose 0 to 16"),
    ],
)
def test_nobody_may_ask_for_more_than_the_page_offers(page, changes, sentence):
    *_, last = page.compare(replace(ASKED, **changes))
    assert sentence in last["message"]


@pytest.mark.parametrize("count", [0, -1, 501, 10**9])
def test_trials_have_a_limit(explorer, count):
    with pytest.raises(UserError, match="Choose 1 to 500 problems"):
        explorer.sweep("mini-gsm", [0], count)
    with pytest.raises(UserError, match="Choose 1 to 500 problems"):
        explorer.try_edits("mini-gsm", 4, [Edit("zero")], count)
    with pytest.raises(UserError, match="Choose 1 to 1000 problems"):
        explorer.trajectories("mini-gsm", 4, count + 500 * (count > 0))


def test_every_request_is_told_by_widgets_of_its_names(explorer):
    page = Page(explorer)
    page.build()
    assert {field.name for field in fields(PageRequest)} <= page.widgets.keys()
    groups = (handlers.RUN, handlers.SWAP, handlers.ADDRESS, handlers.STRIPS, handlers.OPENING)
    for group in groups:
        assert set(group) <= page.widgets.keys()


def test_nobody_sees_a_method_that_the_pair_lacks(pair):
    bare = Explorer(Pair("bare", pair.base, pair.assistant, {}))
    untrained = [name for name, kind in METHODS.items() if kind.kind is None]
    assert [name for _, name in bare.further] == untrained[1:] and "assist-cot" in untrained
    with pytest.raises(UserError, match="has no prompt"):
        get_method("prompt-tuning", bare.pair, get_task("mini-gsm"))
    assert SoftCoT.name not in [name for _, name in bare.further]


NOTE = "Tom has 9 keys."


def test_a_note_changes_the_thoughts_and_never_the_bases_prompt(page, pair):
    told = replace(ASKED, note=NOTE, gold="", loaded=Problem("mini-gsm", ""))
    plain = replace(told, note="")
    assert page._run(told).problem.heard == f"{NOTE} {QUESTION}"
    (hard, soft), (bare, other) = ran(page, told), ran(page, plain)
    assert hard == bare and soft != other
    problem = Problem("mini-gsm", QUESTION, note=NOTE)
    method = get_method("softcot", pair, get_task("mini-gsm"))
    [prompt] = method.prompts([problem], 4)
    assert NOTE not in pair.base.tokenizer.decode(prompt.ids)
    seen, without = (next(page.compare(request))["seen"] for request in (told, plain))
    assert (seen.question, seen.note) == (QUESTION, NOTE)
    assert seen.thoughts != without.thoughts and seen.plan != without.plan
    shown = page.shown(seen, told)["tour"]
    assert f"{NOTE} {QUESTION}" in html.unescape(shown) and "nowhere in the base" in shown
    assert "nowhere in the base" not in page.shown(without, plain)["tour"]
    swapped = replace(told, swapped=True, donor=OTHER)
    assert next(page.compare(swapped))["seen"].note == ""


def test_another_note_is_another_question_with_no_known_answer(page):
    loaded = Problem("mini-gsm", QUESTION, "42", "12 + 30 = 42.", note=NOTE)
    request = replace(ASKED, loaded=loaded, note=NOTE)
    assert request.right_answer == "42" and request.problem.rationale
    changed = replace(request, note="Tom has 8 keys.")
    assert changed.right_answer == "" and not changed.problem.rationale
    assert page.read_question(changed)["gold"] == ""
    assert changed.asks != request.asks and replace(changed, asked=request.asks).is_stale
    named = page._load(loaded, ASKED)
    assert named["note"] == NOTE and named["seen"].note == NOTE


def test_notes_of_a_data_set_that_is_not_at_hand_are_not_offered(monkeypatch, tmp_path):
    trained = {"projection-mini-notes", "projection-svamp-noted"}
    monkeypatch.delenv("SOFTCOT_DATA", raising=False)
    assert questions.whispered(trained).keys() == {"mini-notes"}
    (tmp_path / "svamp").mkdir()
    (tmp_path / "svamp" / "SVAMP.json").write_text("[]")
    monkeypatch.setenv("SOFTCOT_DATA", str(tmp_path))
    assert questions.whispered(trained).keys() == {"mini-notes", "svamp-noted"}


def test_notes_are_offered_where_a_projection_was_trained_for_them(pair, tmp_path):
    assert "mini-notes" not in Explorer(pair).tasks
    Projection.for_pair(pair, "mini-notes", 16).save(tmp_path / "projection-mini-notes")
    served = Pair(pair.name, pair.base, pair.assistant, dict(pair.trained))
    served.trained["projection-mini-notes"] = tmp_path / "projection-mini-notes"
    explorer = Explorer(served)
    assert explorer.trained and "mini-notes-8" not in explorer.tasks
    page = Handlers(explorer)
    offered = page.pick_task(PageRequest("mini-notes", QUESTION))
    assert offered["note"] and offered["note"] == offered["loaded"].note
    donor = page._donor("mini-notes", offered["question"])
    assert "." in donor and "?" in donor, "its thoughts are of its note, too"


@pytest.fixture
def reader(pair) -> Handlers:
    """The page of a pair that has read one way to say something."""
    lexicon = Lexicon(
        {"name": ("Tom",), "thing": ("pears",)},
        {"mini-gsm": (2, 20)},
        {"mini-gsm": {"<name> has # <thing>": "2-20", "how many <thing> are left ?": ""}},
    )
    told = copy.copy(pair)
    told.__dict__.pop("lexicon", None)  # it is found out once
    told.base, told.assistant = (replace(lm, lexicon=lexicon) for lm in (pair.base, pair.assistant))
    return Handlers(Explorer(told))


def test_what_the_models_cannot_read_is_marked_while_it_is_typed_and_on_the_cards(reader):
    typed = QuestionRequest("free", "Tom has 7 apples. How many pears are left?")
    told = reader.read_question(typed)["caution"]
    assert "<u>apples</u>" in told
    offered = re.search('data-text="(.*?)"', told)[1]
    assert offered == "Tom has 7 pears. How many pears are left?"
    event = SimpleNamespace(text=offered)
    chosen = replace(typed, **reader.try_wording(typed, event))
    assert reader.read_question(chosen)["caution"] == ""
    growing = replace(typed, question="Tom has 7 pe")
    assert reader.read_question(growing)["caution"] == ""

    asked = PageRequest("mini-gsm", typed.question, 2, "4", longest=4)
    frames = list(reader.compare(asked))
    assert "<u>apples</u>" in frames[0]["caution"]
    answered = [frame["answers"] for frame in frames if "answers" in frame]
    assert all("the answer is luck" in html and "✓" not in html for html in answered)
    read = list(reader.compare(replace(asked, question=chosen.question)))
    assert read[0]["caution"] == ""
    assert not any("luck" in frame.get("answers", "") for frame in read)


def test_a_pair_that_reads_anything_marks_nothing(page, reader):
    typed = QuestionRequest("free", "Why is grass green?")
    assert page.read_question(typed)["caution"] == ""
    assert reader.read_question(typed)["caution"]
    halved = copy.copy(reader.explorer.pair)
    halved.assistant = replace(halved.assistant, lexicon=None)
    halved.__dict__.pop("lexicon")
    assert Handlers(Explorer(halved)).read_question(typed)["caution"] == ""


def test_another_run_of_a_visitor_is_told_after_the_one_before(explorer):
    """Regenerate while an answer is written: their words must not mix."""
    page, told = Handlers(Explorer(explorer.pair)), []
    first = page.compare(ASKED)
    ending = next(first)["ending"]

    def read():
        told.extend("first" for _ in first)

    reader = threading.Thread(target=read)
    reader.start()
    told.extend("second" for _ in page.compare(replace(ASKED, ending=ending)))
    reader.join()
    assert ending.is_set() and "second" in told
    assert "first" not in told[told.index("second") :]
