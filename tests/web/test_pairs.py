"""Several pairs on one page: who is loaded, who leaves, and what follows a visitor's choice."""

import threading
import time
from dataclasses import fields, replace
from types import SimpleNamespace

import gradio as gr
import pytest
from second_pair import FAR, NAME, second_pair

from softcot.data.problems import Problem
from softcot.data.tasks import FREE
from softcot.decoding.engine import Engine
from softcot.support.errors import UserError
from softcot.support.presets import CHAT_NEW_TOKENS
from softcot.web import questions, residents
from softcot.web.events import Ending
from softcot.web.explorer import Explorer
from softcot.web.handlers import ARRIVAL, CHOICES, RUN, Handlers
from softcot.web.link import read_link
from softcot.web.page import Page
from softcot.web.pairs import PICK
from softcot.web.requests import (
    ArrivalRequest,
    LandingRequest,
    PageRequest,
    PickRequest,
    SwitchRequest,
)
from softcot.web.residents import Residents
from softcot.web.wiring import Widgets

QUESTION = "Anna has 12 apples and buys 30 more. How many?"
LOADED = Problem("mini-gsm", QUESTION, "42")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("second")


@pytest.fixture
def warehouse(folder):
    with second_pair(folder) as opened:
        yield opened


@pytest.fixture
def loaded(pair, warehouse) -> Residents:
    return Residents(Explorer(pair))


@pytest.fixture
def page(pair, warehouse) -> Page:
    page = Page(Explorer(pair))
    page.build()
    return page


def pressed(name: str) -> gr.EventData:
    return gr.EventData(None, {"name": name})


def states(held: Residents) -> dict[str, str]:
    return {offer.name: offer.status for offer in held.offers()}


def bring(held: Residents, name: str, **options) -> None:
    loading = held.begin(name, **options)
    assert loading.ended.wait(120)
    assert not loading.error


def picked(page: Page, name: str, pair: str = "mini") -> list[dict]:
    return list(page.pairs.pick(PickRequest(pair), pressed(name)))


def test_a_pair_that_is_here_is_loaded_beside_the_first(loaded):
    expected = {"mini": "loaded", NAME: "here", FAR: "absent"}
    assert states(loaded).items() >= expected.items()
    bring(loaded, NAME)
    assert states(loaded)[NAME] == "loaded"
    with loaded.use("mini") as mini, loaded.use(NAME) as other:
        assert (mini.pair.name, other.pair.name) == ("mini", NAME)
        assert mini.laboratory and not other.laboratory
    with loaded.use("") as usual:
        assert usual.pair is mini.pair


def test_whoever_asks_a_pair_that_left_waits_for_it(loaded):
    with loaded.use(NAME) as explorer:
        assert explorer.pair.name == NAME


def test_an_absent_pair_is_fetched_only_on_request_and_one_at_a_time(loaded, warehouse):
    warehouse.here.discard(NAME)
    with pytest.raises(UserError, match="not here yet; fetch it"):
        loaded.begin(FAR)
    warehouse.go_on.clear()
    loading = loaded.begin(FAR, fetch=True)
    assert loaded.begin(FAR, fetch=True) is loading
    while loading.share != 0.5:
        time.sleep(0.01)
    assert loaded.offer(FAR).status == "fetching" and loaded.offer(FAR).share == 0.5
    with pytest.raises(UserError, match=f"{FAR} is being fetched"):
        loaded.begin(NAME, fetch=True)
    warehouse.go_on.set()
    assert loading.ended.wait(120) and states(loaded)[FAR] == "loaded"
    assert warehouse.fetched == [FAR]


def test_a_fetching_can_be_ended(loaded, warehouse):
    warehouse.go_on.clear()
    loading = loaded.begin(FAR, fetch=True)
    loaded.stop_fetching(FAR)
    assert loading.ended.wait(120) and not loading.error
    assert states(loaded)[FAR] == "absent"


def test_a_pair_that_no_memory_holds_is_refused_before_it_is_loaded(loaded, warehouse, monkeypatch):
    monkeypatch.setattr(residents, "free_gigabytes", lambda device: 3.0)
    warehouse.parameters = 100.0
    offer = loaded.offer(NAME)
    assert offer.status == "large" and offer.gigabytes > offer.free >= 3.0
    with pytest.raises(UserError, match="GB of memory, and 3"):
        loaded.begin(NAME)


def test_the_longest_unused_leaves_and_nobody_who_answers(loaded, warehouse, monkeypatch):
    warehouse.here.add(FAR)
    # Room for two pairs, each of which says that it takes 4 GB.
    monkeypatch.setattr(residents, "_size", lambda pair: 4.0)
    monkeypatch.setattr(loaded, "_needed_by", lambda name: 4.0)
    monkeypatch.setattr(
        residents,
        "free_gigabytes",
        lambda device: 9.0 - sum(one.gigabytes for one in loaded._held.values()),
    )
    mini = loaded._held.pop("mini")
    bring(loaded, NAME)
    bring(loaded, FAR)
    with loaded.use(FAR), loaded.use(NAME):
        loading = loaded.begin("mini")
        assert loading.ended.wait(120) and "others are answering" in loading.error
        assert set(loaded._held) == {NAME, FAR}
    loaded._held["mini"] = mini
    mini.gigabytes = 0.1
    bring(loaded, NAME)
    with loaded.use(FAR):
        pass
    del loaded._held[NAME]
    bring(loaded, NAME)
    assert set(loaded._held) == {"mini", FAR, NAME}, "there is room for the page's own beside two"
    mini.gigabytes = 4.0
    del loaded._held[FAR]
    bring(loaded, FAR)
    assert set(loaded._held) == {"mini", FAR}, "the page's own stays where another may leave"


MINI = {"pair": "mini", "wanted": "mini", "offered": "mini"}


def test_a_pair_that_cannot_be_loaded_says_why_and_the_page_stays(page, monkeypatch):
    def broken(name):
        raise RuntimeError("no such\nthing")

    monkeypatch.setattr(page.residents, "_load", broken)
    *_, last = picked(page, NAME)
    assert last["wanted"] == "mini" and 'role="alert"' in last["pair_line"]
    assert "cannot be loaded (no such" in last["pair_line"]
    asked = SwitchRequest("mini-gsm", QUESTION, **MINI, picking=last["picking"])
    assert page.pairs.switch(asked) == {}, "what is said stays to be read"


def test_a_pick_shows_its_way_and_then_the_page_follows(page, pair):
    first, *_, last = picked(page, NAME)
    assert first["wanted"] == NAME and set(first) <= set(PICK)
    assert "ready and waits" in last["pair_line"]
    asked = SwitchRequest(
        "mini-aqua", QUESTION, 16, "42", Problem("mini-aqua", QUESTION, "42"), pair="mini",
        wanted=NAME, offered="mini", trained=pair.projection("mini-gsm"), using=True, swapped=True,
        further=["lora"],
    )  # fmt: skip
    offered = page.pairs.offer(asked)
    assert set(offered) == {"offered", *CHOICES}
    assert page.pairs.switch(asked) == {}, "what the pair is asked stands on the page first"
    fitted = replace(asked, task=offered["task"].value, offered=offered.pop("offered"))
    followed = page.pairs.switch(fitted) | offered
    assert followed["pair"] == followed["wanted"] == NAME
    assert set(followed) <= {"pair", *PICK, *CHOICES, *ARRIVAL, *page.pairs.followers}
    names = [name for _, name in followed["task"].choices]
    assert names == [*questions.REAL, "free"] and followed["task"].value == "gsm8k"
    assert followed["question"] == questions.examples("gsm8k", False)[0].question
    assert followed["longest"].value == CHAT_NEW_TOKENS <= followed["longest"].maximum
    assert followed["trained"] is None and not followed["using"].visible
    assert followed["further"].value == [] and not followed["swapped"]
    assert followed["tried"].value < 20 and followed["swept"].value < 20
    assert "idle" in followed["answers"] and followed["sweep_table"] == ""


def test_the_line_settles_where_an_earlier_event_brought_the_pair(page):
    """A page that opens may fit itself to a pair while its picking still says "waits"."""
    begun, *_, waits = picked(page, NAME)
    assert "ready and waits" in waits["pair_line"]
    names = dict.fromkeys(("pair", "wanted", "offered"), NAME)
    asked = SwitchRequest("gsm8k", QUESTION, **names, picking=begun["picking"])
    assert page.pairs.offer(asked) == {}
    settled = page.pairs.switch(asked)
    assert set(settled) <= set(PICK) and "Running on" in settled["pair_line"]
    assert page.pairs.switch(replace(asked, wanted=FAR, offered=FAR)) == {}, (
        "one that is not here yet"
    )


def test_each_open_page_is_a_visitor_of_its_own(loaded, monkeypatch):
    """So that who asks for much does not keep the others waiting."""
    sessions, widgets = [], {name.name: gr.State() for name in fields(PageRequest)}
    made = Engine.session
    monkeypatch.setattr(
        Engine,
        "session",
        lambda self, rows, *whose: sessions.append(whose) or made(self, rows, *whose),
    )
    with loaded.use("mini") as explorer:
        handler = Handlers(explorer).compare
    with gr.Blocks():
        named = Widgets(loaded)
        named.update(widgets, pair=gr.State("mini"), **{name: gr.State() for name in RUN})
    run = named.listener(handler, PageRequest, RUN)["fn"]
    request = PageRequest("mini-gsm", QUESTION, 2, longest=4)
    for visitor in ("one", "other"):
        opened = SimpleNamespace(session_hash=visitor)
        frames = list(run(None, opened, "mini", *vars(request).values()))
        assert frames
    assert [whose[0] for whose in sessions] == ["one", "other"]
    assert all(isinstance(whose[1], Ending) for whose in sessions)


def test_a_typed_question_stays_when_the_pair_changes(page):
    picked(page, NAME)
    own = "A farmer has 17 sheep and buys 25 more. How many?"
    asked = SwitchRequest("mini-gsm", own, 4, "42", LOADED, pair="mini", wanted=NAME)
    assert page.pairs.offer(asked)["task"].value == FREE.name
    assert page.pairs.switch(replace(asked, task=FREE.name, offered=NAME))["question"] == own


def test_an_absent_pair_says_what_it_takes(page, warehouse):
    [told] = picked(page, FAR)
    assert told["wanted"] == FAR and told["fetch_pair"].visible
    assert told["fetch_pair"].value == "Fetch 0.6 GB" and "Apache-2.0" in told["pair_line"]
    assert not warehouse.fetched
    frames = list(page.pairs.fetch(PickRequest("mini", FAR)))
    assert warehouse.fetched == [FAR] and "ready and waits" in frames[-1]["pair_line"]


def test_who_picks_another_pair_waits_for_that_one_only(page, warehouse):
    warehouse.go_on.clear()
    waiting = page.pairs.fetch(PickRequest("mini", FAR))
    first = next(waiting)
    assert first["stop_fetching"].visible and not first["picking"].is_set()
    back = list(page.pairs.pick(PickRequest("mini", FAR, first["picking"]), pressed("mini")))
    assert back[-1]["wanted"] == "mini" and "Running on" in back[-1]["pair_line"]
    assert list(waiting) == []
    page.pairs.stop(PickRequest("mini", FAR))


def test_an_address_brings_its_pair_or_says_what_to_do(page):
    told, first, *_ = page.pairs.arrive(LandingRequest(f"?pair={NAME}&q=Why"))
    assert told == {"search": f"?pair={NAME}&q=Why"}
    assert first["wanted"] == NAME and page.residents.loaded(NAME)
    _, absent = page.pairs.arrive(LandingRequest(f"?pair={FAR}"))
    assert absent["wanted"] == FAR and absent["fetch_pair"].visible
    _, refused = page.pairs.arrive(LandingRequest("?pair=nobody"))
    assert "no pair &#39;nobody&#39;" in refused["pair_line"] and refused["wanted"] == "mini"
    opened = ArrivalRequest("mini", "mini", "mini", refused["picking"])
    assert page.pairs.switch_opened(opened) == {}, "what was refused stays to be read"
    *_, plain = page.pairs.arrive(LandingRequest(""))
    assert plain["wanted"] == "mini"
    link = read_link("?q=Why&task=gsm8k", 16)
    assert link.problem.task == FREE.name
    assert read_link("?q=Why&task=gsm8k", 16, (), ["gsm8k"]).problem.task == "gsm8k"


def test_two_visitors_are_answered_by_their_own_pairs(page):
    picked(page, NAME)
    found = {}

    def ask(name: str) -> None:
        with page.residents.use(name) as explorer:
            task = next(iter(explorer.tasks))
            request = PageRequest(task, QUESTION, 2, longest=8)
            *_, frame = (f for f in Handlers(explorer).compare(request) if "answers" in f)
            found[name] = frame["answers"]

    threads = [threading.Thread(target=ask, args=(name,)) for name in ("mini", NAME)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert found["mini"] != found[NAME]
    assert all("answer-card done" in answers for answers in found.values())


def test_real_tasks_have_problems_where_their_data_is_not_at_hand(monkeypatch):
    monkeypatch.delenv("SOFTCOT_DATA", raising=False)
    for name in questions.REAL:
        shown = questions.examples(name, laboratory=False)
        assert len(shown) == questions.EXAMPLES and {one.task for one in shown} == {name}
        assert questions.draw(name, 3).answer and questions.draw(name, 3) == questions.draw(name, 3)
        task = questions.problems_of(name)
        assert len({one.id for one in questions.tried(task, 8)}) == 8
        assert questions.placebos(task) == ("noise", "mean")
        donor = questions.donor(name, shown[0].question, 1, laboratory=False)
        assert donor.question != shown[0].question
    assert questions.donor("free", QUESTION, 1, laboratory=False).task == "gsm8k"
    assert all(one.answer for one in questions.examples("free", laboratory=False))
    assert "gsm8k" not in questions.taught(laboratory=False)


def test_the_cut_is_marked_in_the_column_and_counted_in_trials(loaded, warehouse):
    from softcot.web import sweep_views, views

    with loaded.use(NAME) as explorer:
        request = PageRequest("gsm8k", QUESTION, 2, longest=8)
        run = Handlers(explorer)._run(request)
        *_, columns = explorer.answers(run)
        assert [column.cut for column in columns] == [1, 1]
        assert "cut at 8 tokens" in views.columns(columns)
        explorer_trials = explorer.sweep("gsm8k", [0], 2)
        *_, [trial] = explorer_trials
        assert trial.n == 2 and trial.tokens > 0
        trial.cut = 1
        assert "1 of 2" in sweep_views.table([trial])


def test_every_panel_of_a_real_pair_works(page):
    from softcot.web.inside import Inside
    from softcot.web.intervene import Intervene
    from softcot.web.requests import EditRequest, InspectRequest, MapRequest
    from softcot.web.sweep import Sweep

    picked(page, NAME)
    with page.residents.use(NAME) as explorer:
        seen = Inside(explorer).inspect(InspectRequest("gsm8k", QUESTION, 3))
        assert "effective rank" in seen["facts"]
        drawn = Inside(explorer).draw_map(MapRequest("gsm8k", 2, 5))
        assert len(drawn["trajectories"]) == 5
        *_, last = Intervene(explorer).intervene(EditRequest("gsm8k", QUESTION, 2, edits="mean"))
        assert "Placebo: mean" in last["edit_answers"]
        assert list(Sweep(explorer).ks("gsm8k")) == [0, 1, 2, 4, 8, 16]
