"""The first minute with the shipped pair, in a real browser: answered, planned, on one screen."""

import re
import time

import pytest
import test_browser
from test_app import free_port
from test_browser import COMPARED, answered, expect, fits, run

import app
from softcot.decoding.engine import ROWS
from softcot.evaluation.run_file import RunRequest
from softcot.thoughts.pair import load_pair
from softcot.web.explorer import Explorer
from softcot.web.questions import examples

browser, visit, screenshots = test_browser.browser, test_browser.visit, test_browser.screenshots
FIRST = examples("mini-gsm")[0]
OWN = "Olga has 3 beads and buys 4. How many?"


@pytest.fixture(scope="module")
def url():
    """The shipped pair: no random words could have the length of real answers."""
    port = free_port()
    blocks = app.serve(Explorer(load_pair("mini", "cpu")), "127.0.0.1", port)
    yield f"http://127.0.0.1:{port}"
    blocks.close()


def bottom(page, selector: str) -> float:
    box = page.locator(selector).last.bounding_box()
    return box["y"] + box["height"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_opens_answered_on_one_screen(visit, screenshots, theme):
    page = visit(width=1440, height=900, theme=theme)
    assert all(answered(page))
    expect(page.locator(".standing")).to_contain_text("Asked for you")
    expect(page.locator(f"{COMPARED} .badge")).to_have_text(["✗ wrong", "✓ right"])
    expect(page.locator(".plan code")).to_have_text(FIRST.hint.split())
    expect(page.locator(".plan .padding")).to_contain_text("done")
    page.screenshot(path=screenshots / f"first-{theme}.png")
    assert bottom(page, COMPARED) < 900
    assert page.locator(".thought-map").bounding_box()["y"] < 840
    for name in ("Run", "Another problem"):
        box = page.get_by_role("button", name=name, exact=True).bounding_box()
        assert box["y"] + box["height"] < 900
    assert fits(page)


def test_a_phone_has_both_verdicts_in_a_screen_and_a_half(visit, screenshots):
    page = visit(width=390, height=844)
    assert bottom(page, f"{COMPARED} .badge") < 1.5 * 844
    page.screenshot(path=screenshots / "first-phone.png", full_page=True)
    assert fits(page)


def test_run_brings_the_answers_into_view_and_leaves_the_focus_where_it_is(visit):
    page = visit(width=390, height=844)
    run(page)
    answered(page)
    page.wait_for_function("document.querySelector('.said').getBoundingClientRect().top < 60")
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_focused()
    wide = visit(width=1440, height=900)
    run(wide)
    answered(wide)
    assert wide.evaluate("scrollY") == 0


def test_where_both_part_and_what_is_new_to_the_base_is_marked(visit):
    page = visit()
    hard, soft = page.locator(f"{COMPARED} .parting").all_inner_texts()
    assert hard != soft and hard and soft
    steps = [set(re.split(r"(?<=[.])\s", text)) for text in answered(page)]
    assert hard in steps[0] - steps[1] and soft in steps[1] - steps[0]
    assert page.locator(".reading u").count() >= len(FIRST.meta["unread"])
    page.locator("button.example").nth(3).click()  # whose words are all familiar
    expect(page.get_by_label("Question", exact=True)).not_to_have_value(FIRST.question)
    expect(page.locator(".reading")).to_have_count(0)


def test_answers_fade_once_the_question_k_or_the_plan_is_another(visit, screenshots):
    page = visit()
    stale = page.locator(".standing.stale")
    faded = "getComputedStyle(document.querySelector('.said .answers')).opacity"
    expect(page.locator(f"{COMPARED}.done")).to_have_count(2)
    slider = page.get_by_role("slider", name=re.compile("Soft thoughts K"))
    slider.press("ArrowLeft")
    expect(stale).to_contain_text("K = 12")
    assert float(page.evaluate(faded)) < 1
    slider.press("ArrowRight")
    expect(stale).to_have_count(0)
    assert float(page.evaluate(faded)) == 1
    page.get_by_label("Question", exact=True).fill(OWN)
    expect(stale).to_contain_text(FIRST.question[:60])
    page.screenshot(path=screenshots / "stale.png")
    run(page)
    answered(page)
    expect(stale).to_have_count(0)
    expect(page.locator(".standing")).to_have_text("")


def test_what_the_models_cannot_read_is_marked_before_run_and_on_the_cards(visit, screenshots):
    page = visit(width=1440, height=900)
    caution, question = page.locator(".caution"), page.get_by_label("Question", exact=True)
    expect(caution).to_have_count(0)
    question.fill("Anna has 12 apples. She swipes 5 apples. How many does Anna have now?")
    expect(caution.locator("u").first).to_have_text("swipes")
    page.screenshot(path=screenshots / "caution.png")
    assert fits(page)
    run(page)
    answered(page)
    expect(page.locator(f"{COMPARED} .badge").first).to_have_text("not read")
    expect(page.locator(f"{COMPARED} .badge.right")).to_have_count(0)
    tried = caution.get_by_role("button").inner_text()
    caution.get_by_role("button").click()
    expect(question).to_have_value(tried)
    expect(caution).to_have_count(0)
    run(page)
    answered(page)
    expect(page.locator(f"{COMPARED} .note", has_text="luck")).to_have_count(0)


def test_a_link_is_not_answered_with_the_first_example(visit, url):
    page = visit(address=f"{url}/?q=Olga+has+3+beads.&k=4")
    expect(page.get_by_label("Question", exact=True)).to_have_value("Olga has 3 beads.")
    expect(page.locator(f"{COMPARED}.idle")).to_have_count(2)
    expect(page.locator(".origin:visible b")).to_have_text("4 soft thoughts")
    run(page)
    answered(page)
    expect(page.locator(".standing")).to_have_text("")


def test_who_waits_sees_a_place_in_the_queue(visit, monkeypatch):
    stream, greedy = RunRequest.stream, []

    def endless(*args):
        """The first visitor takes all rows, for ever."""
        if greedy:
            yield from stream(*args)
            return
        greedy.append(args)
        columns, backend = next(stream(*args)), args[-1]
        with backend.session(ROWS):
            while True:
                yield columns
                time.sleep(0.1)

    one, other = visit(), visit()
    with monkeypatch.context() as patch:
        patch.setattr(RunRequest, "stream", endless)
        run(one)
        expect(one.locator(f"{COMPARED}.running")).to_have_count(2)
        run(other)
        expect(other.locator(f"{COMPARED} .note").first).to_contain_text("Place 1 in the queue")
        one.get_by_role("button", name="Stop").click()
        answered(other)
    expect(other.get_by_text("in the queue")).to_have_count(0)


def test_a_note_changes_the_answer_of_a_base_that_never_reads_it(visit):
    page = visit()
    page.get_by_role("radio", name="Notes for the assistant").check()
    question = page.get_by_label("Question", exact=True)
    expect(question).to_have_value(examples("mini-notes")[0].question)
    run(page)  # the first of them was picked, and says so
    answered(page)
    hard, soft = page.locator(COMPARED).all()
    expect(hard).to_contain_text("✗ wrong")
    expect(soft).to_contain_text("✓ right")
    expect(page.locator(".picked-note")).to_contain_text("how often that is so")
    luck = page.get_by_text("is luck")
    expect(luck).to_have_count(0)  # a projection was trained for what neither model has read
    question.fill("What is the capital of France?")
    expect(luck.first).to_be_visible()
    question.fill("How many coins does Anna have?")
    said = []
    for note in ("Anna has 37 coins.", "Anna has 52 coins."):
        page.get_by_label("Tell the assistant alone").fill(note)
        run(page)
        said.append(answered(page))
    (hard, soft), (hard_again, soft_again) = said
    assert hard == hard_again and soft != soft_again


def test_a_note_that_nothing_was_learned_of_is_marked_with_one_that_can_be_read(visit):
    page = visit()
    page.get_by_role("radio", name="Notes for the assistant").check()
    note = page.get_by_label("Tell the assistant alone")
    expect(note).to_have_value(examples("mini-notes")[0].note)
    note.fill("Sam is at the harbor.")
    caution = page.locator(".caution")
    expect(caution.locator("u")).to_have_text("harbor")
    run(page)
    answered(page)
    expect(page.locator(f"{COMPARED} .badge").first).to_have_text("not read")
    tried = caution.get_by_role("button").inner_text()
    caution.get_by_role("button").click()
    expect(note).to_have_value(tried)
    expect(caution).to_have_count(0)
    assert tried.startswith("Sam is at the ")
