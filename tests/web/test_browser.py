"""The page in a real browser: what a visitor does, sees, and must never see.

Screenshots go to the folder SOFTCOT_SCREENSHOTS, or to a temporary one. The browser is CHROMIUM,
or the first Chromium on the path; without one these tests are skipped.
"""

import os
import re
import shutil
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from filelock import FileLock
from test_app import free_port

import app
from softcot.evaluation.run_file import RunRequest, load_run, replay
from softcot.support.presets import DEFAULT_THOUGHTS
from softcot.web.explorer import Explorer
from softcot.web.questions import examples

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect

PATIENCE = 180_000
"""Milliseconds: longer than the slowest machine needs, for nothing here is about speed."""


COUNTS = (
    "Object.fromEntries(document.querySelector('.thought-map').data.map("
    "trace => [trace.name, trace.x.length]))"
)
"""JavaScript: how many points each trace of the map has."""


COMPARED = "[aria-label=Answers]:not([data-old]) .answer-card"
"""The two columns of the Compare tab, written since the last `run`; other tabs have cards of their
own."""

SEEN = r"""
(pattern) => {
  const written = `q, code, textarea, script, style, [translate=no], .chips,
    .answer-card:not(.idle) .completion, .plot-place`;
  const words = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const place = walker.currentNode.parentElement;
    if (place.closest(written) || !place.getClientRects().length) continue;
    for (const word of walker.currentNode.data.match(new RegExp(pattern, "g")) ?? []) {
      words.add(word);
    }
  }
  return [...words];
}
"""
"""JavaScript: what can be seen of a pattern, but for what somebody or a model wrote."""
LATIN, CHINESE = r"[A-Za-z][\w-]+", "[\u4e00-\u9fff]+"

SAME_IN_CHINESE = set(
    "SoftCoT Explorer CPU GB fp32 bf16 mini tiny Hard CoT CoT-Unk Assist-CoT LoRA Coconut Top-p "
    "SoftCoT-P API".split()
)


def find_chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="module")
def url(pair) -> Iterator[str]:
    port = free_port()
    blocks = app.serve(Explorer(pair), "127.0.0.1", port)
    yield f"http://127.0.0.1:{port}"
    blocks.close()


@pytest.fixture(scope="module")
def browser(url):
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("there is no Chromium here; set CHROMIUM to one")
    # Two browsers at once make each other's pages late where there are two cores.
    alone = FileLock(Path(tempfile.gettempdir()) / "softcot-browser.lock")
    with alone, playwright.sync_playwright() as driver:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        opened = driver.chromium.launch(executable_path=chromium, args=arguments)
        yield opened
        opened.close()


@pytest.fixture
def screenshots(tmp_path) -> Path:
    folder = Path(os.environ.get("SOFTCOT_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def visit(browser, url):
    """Opens the page in a window of its own; afterwards nothing may have gone wrong there."""
    contexts, troubles, hosts = [], [], set()

    def open_page(
        width: int = 1280,
        height: int = 900,
        theme: str = "light",
        address: str = url,
        locale: str = "en-US",
    ):
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,
            reduced_motion="reduce",
            locale=locale,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(address, wait_until="domcontentloaded")
        page.wait_for_selector(".thought-map .main-svg")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not troubles
    assert hosts - {None} <= {"127.0.0.1"}, "the page asked another host"


def run(page) -> None:
    """Press Run; what was answered before is none of `COMPARED` any more."""
    page.evaluate("document.querySelector('.said .answers').dataset.old = true")
    page.get_by_role("button", name="Run", exact=True).click()


def answered(page) -> list[str]:
    """Wait for both columns and give their texts."""
    expect(page.locator(f"{COMPARED}.done")).to_have_count(2)
    return page.locator(f"{COMPARED} .completion").all_inner_texts()


def fits(page) -> bool:
    width = "document.documentElement.{}Width"
    return page.evaluate(f"{width.format('scroll')} <= {width.format('client')}")


def test_a_visitor_picks_an_example_and_sees_both_columns_answer(visit, screenshots):
    page = visit()
    page.screenshot(path=screenshots / "start.png", full_page=True)
    problem = examples("mini-gsm")[2]
    page.locator("button.example").nth(2).click()
    expect(page.get_by_label("Question", exact=True)).to_have_value(problem.question)
    expect(page.get_by_label("Right answer")).to_have_value(problem.answer)
    run(page)
    hard, soft = answered(page)
    assert hard and soft and hard != soft
    expect(page.locator(f"{COMPARED} h2")).to_have_text(["Hard CoT", "SoftCoT"])
    expect(page.locator(f"{COMPARED} .meter")).to_have_text([re.compile(r"\d+ tokens · \d")] * 2)
    expect(page.locator(".origin:visible")).to_contain_text(problem.question[:60])
    expect(page.get_by_role("button", name="Stop")).to_be_disabled()
    assert fits(page)
    page.screenshot(path=screenshots / "light.png", full_page=True)


def test_map_and_table_follow_k_without_another_run_and_keep_the_zoom(visit):
    page = visit()
    run(page)
    before = answered(page)
    page.locator(".thought-map").hover()
    page.locator(".thought-map [data-title='Zoom in']").click()
    frame = "document.querySelector('.thought-map')._fullLayout.xaxis.range"
    zoomed = page.evaluate(frame)
    slider = page.get_by_role("slider", name=re.compile("Soft thoughts K"))
    slider.focus()
    for _ in range(3):
        slider.press("ArrowLeft")
    k = int(slider.input_value())
    expect(page.locator("table.thoughts tbody tr")).to_have_count(k)
    expect(page.locator(".origin b")).to_have_text(f"{k} soft thoughts")
    page.wait_for_function(f"() => ({COUNTS})['soft thoughts'] === {k}")
    assert page.evaluate(frame) == pytest.approx(zoomed)
    assert page.locator(f"{COMPARED} .completion").all_inner_texts() == before
    slider.press("Home")
    expect(page.locator(".empty")).to_contain_text("K = 0")
    page.wait_for_function(f"() => ({COUNTS})['soft thoughts'] === 0")
    assert page.evaluate(COUNTS)["vocabulary"] > 0


def test_a_run_can_be_downloaded_and_replayed(visit, pair, tmp_path):
    page = visit()
    expect(page.get_by_role("button", name="Download run")).to_be_disabled()
    run(page)
    answered(page)
    with page.expect_download() as started:
        page.get_by_text("Download run").click()
    started.value.save_as(tmp_path / "one.run")
    run_file = load_run(tmp_path / "one.run")
    assert (
        run_file.asked.problem.question == page.get_by_label("Question", exact=True).input_value()
    )
    assert [column.title for column in replay(pair, run_file)] == ["Zero-shot CoT", "SoftCoT"]


def test_an_address_holds_the_question_and_opens_it_again(visit, url):
    page = visit()
    page.get_by_label("Question", exact=True).fill("Tom has 3 apples & buys 4. How many?")
    # The answer that stood there was another question's.
    expect(page.get_by_label("Right answer")).to_have_value("")
    page.get_by_label("Right answer").fill("7")
    page.wait_for_function("new URLSearchParams(location.search).get('a') === '7'")
    page.wait_for_function("new URLSearchParams(location.search).get('q').includes('& buys')")
    again = visit(address=page.url)
    expect(again.get_by_label("Question", exact=True)).to_have_value(
        "Tom has 3 apples & buys 4. How many?"
    )
    expect(again.get_by_label("Right answer")).to_have_value("7")
    run(again)
    answered(again)
    wrong = visit(address=f"{url}/?q=Why&k=99")
    expect(wrong.get_by_role("alert")).to_contain_text("from 0 to 16")


def test_an_edit_is_built_run_and_tried_on_many_problems(visit, screenshots):
    page = visit(theme="dark")
    page.get_by_role("tab", name="Intervene").click()
    page.get_by_role("radio", name="Zero").check()
    page.get_by_role("checkbox", name="2", exact=True).check()
    edits = page.get_by_label("Edits")
    expect(edits).to_have_value("zero:2")
    page.get_by_role("button", name="Run edit").click()
    expect(page.locator(".four .answer-card.done")).to_have_count(4)
    expect(page.locator(".four .answer-card h2").nth(2)).to_have_text("Placebo: noise")
    edits.fill("explode")
    page.get_by_role("button", name="Run edit").click()
    expect(page.get_by_role("alert")).to_contain_text("no edit called")
    edits.fill("drop:1")
    page.get_by_label("number input for Problems", exact=True).fill("10")
    page.get_by_role("button", name="Try on many").click()
    expect(page.locator("table.effects tbody tr")).to_have_count(4)
    page.screenshot(path=screenshots / "intervene.png", full_page=True)
    page.get_by_role("link", name="Change it").click()
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_visible()


def test_a_sweep_and_the_inside_view_draw_their_figures_on_a_phone(visit, screenshots):
    page = visit(width=390, height=844)
    page.get_by_role("tab", name="Sweep").click()
    page.get_by_label("number input for Problems for each K").fill("10")
    page.get_by_role("button", name="Run sweep").click()
    expect(page.locator(".chart-place.tall .main-svg").first).to_be_visible()
    expect(page.locator("table.effects tbody tr:visible")).to_have_count(17)
    page.screenshot(path=screenshots / "sweep.png", full_page=True)
    assert fits(page)
    page.get_by_role("tab", name="Inside").click()
    waiting = page.locator(".empty:visible", has_text="Nothing measured yet.")
    expect(waiting).to_have_count(6)
    page.get_by_role("button", name="Look inside").click()
    expect(page.locator("table.bars tbody tr")).to_have_count(12)
    expect(page.locator(".chart-place.wide .main-svg").first).to_be_visible()
    expect(waiting).to_have_count(0)
    page.get_by_role("button", name="Draw map").click()
    place = page.locator(".chart-place.map").last
    expect(place.locator(".main-svg").first).to_be_visible()
    page.screenshot(path=screenshots / "inside.png", full_page=True)
    assert fits(page)


def test_a_projection_is_trained_used_and_taken_home(visit, screenshots, tmp_path):
    page = visit()
    own = page.get_by_label("Use the projection that was trained on this page")
    expect(own).to_have_count(0)
    page.get_by_role("tab", name="Train").click()
    page.get_by_label("number input for Steps").fill("20")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("button", name="Stop training")).to_be_enabled()
    expect(page.get_by_text("Finished after")).to_be_visible()
    expect(page.locator(".chart-place.tall:visible .main-svg").first).to_be_visible()
    page.screenshot(path=screenshots / "train.png", full_page=True)
    with page.expect_download() as started:
        page.get_by_text("Download projection").click()
    archive = tmp_path / started.value.suggested_filename
    started.value.save_as(archive)
    with zipfile.ZipFile(archive) as packed:
        names = {name.split("/")[-1] for name in packed.namelist()}
    assert archive.suffix == ".zip" and {"config.json", "model.safetensors", "README.md"} <= names
    page.get_by_role("tab", name="Compare").click()
    expect(own).to_be_checked()
    run(page)
    expect(page.locator(f"{COMPARED}.running")).to_have_count(0)
    assert all(answered(page))
    expect(page.locator(f"{COMPARED} .about mark")).to_have_text("your own projection")
    another = visit()
    another.get_by_role("tab", name="Train").click()
    bring = another.locator("input[type=file]").first
    bring.set_input_files(archive)
    expect(another.get_by_text("Your projection is used under Compare.")).to_be_visible()
    bare = tmp_path / "model.safetensors"
    bare.write_bytes(b"weights")
    bring.set_input_files(bare)
    expect(another.get_by_role("alert")).to_contain_text("import-projection")
    another.get_by_role("tab", name="Compare").click()
    expect(another.get_by_label("Use the projection that you brought")).to_be_checked()


def test_swapped_thoughts_are_shown_and_labelled_in_the_dark(visit, screenshots):
    page = visit(theme="dark")
    run(page)
    hard, soft = answered(page)
    said = page.locator(".plan code").all_inner_texts()
    # One press shows the other plan and carries it out.
    page.get_by_label("Swap plan").check()
    donor = page.get_by_label("SoftCoT is given the thoughts of this question instead")
    expect(donor).to_be_visible()
    expect(page.locator(".origin:visible")).to_contain_text("another question (swapped in)")
    expect(page.locator(".plan.swapped .about")).to_contain_text("Another question's plan")
    other = donor.input_value()
    expect(page.locator(".origin:visible")).to_contain_text(other[:60])
    expect(page.locator(f"{COMPARED} .about mark")).to_have_text("another question")
    swapped = answered(page)
    assert swapped[0] == hard and swapped[1] != soft
    page.screenshot(path=screenshots / "dark.png", full_page=True)
    page.get_by_role("button", name="Another one").click()
    expect(donor).not_to_have_value(other)
    expect(page.locator(".standing.stale")).to_have_count(0)
    # One press back.
    page.get_by_label("Swap plan").uncheck()
    expect(page.locator(f"{COMPARED} .about mark")).to_have_count(0)
    assert answered(page) == [hard, soft]
    assert page.locator(".plan code").all_inner_texts() == said
    expect(donor).to_be_hidden()

    ink = "document.querySelector('.thought-map')._fullLayout.font.color"
    dark = page.evaluate(ink)
    page.evaluate("document.body.classList.remove('dark')")
    page.wait_for_function(f"before => {ink} !== before", arg=dark)


def test_a_phone_shows_everything_in_its_width(visit, screenshots):
    page = visit(width=390, height=844)
    run(page)
    answered(page)
    assert fits(page)
    first, second = (card.bounding_box() for card in page.locator(COMPARED).all())
    assert first["y"] + first["height"] <= second["y"]
    for name in ("Run", "Stop", "Another problem"):
        box = page.get_by_role("button", name=name, exact=True).bounding_box()
        assert 0 <= box["x"] and box["x"] + box["width"] <= 390
    page.screenshot(path=screenshots / "phone.png", full_page=True)


def test_bad_input_is_told_and_evil_input_stays_text(visit):
    page = visit()
    question = page.get_by_label("Question", exact=True)
    for text, sentence in (("   ", "empty"), ("apples and pears " * 400, "the limit is")):
        question.fill(text)
        run(page)
        expect(page.get_by_role("alert")).to_contain_text(sentence)
    evil = "<img src=x onerror='window.pwned=1'> ${window.pwned=1} {{value}} </textarea>"
    question.fill(evil)
    # The answer that came with another question is not this one's.
    expect(page.get_by_label("Right answer")).to_have_value("")
    run(page)
    answered(page)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator(".origin:visible")).to_contain_text(evil)
    assert page.evaluate("window.pwned") is None


def endless(ended):
    """A run that answers nothing until it is ended."""
    stream = RunRequest.stream

    def run_on(*args):
        columns = next(stream(*args))
        try:
            while True:
                yield columns
                time.sleep(0.1)
        finally:
            ended.set()

    return run_on


def test_stop_ends_the_work_and_leaves_the_answer_where_it_was(visit, monkeypatch):
    ended = threading.Event()
    page = visit()
    with monkeypatch.context() as patch:
        patch.setattr(RunRequest, "stream", endless(ended))
        run(page)
        expect(page.locator(f"{COMPARED}.running")).to_have_count(2)
        page.get_by_role("button", name="Stop").click()
        expect(page.locator(f"{COMPARED}.stopped .note")).to_have_text(["Stopped."] * 2)
        assert ended.wait(PATIENCE / 1000)
    expect(page.get_by_role("button", name="Stop")).to_be_disabled()
    run(page)
    answered(page)


def test_two_visitors_at_once_see_only_their_own(visit):
    one, other = visit(), visit(theme="dark")
    questions = {one: "Anna has 2 pears. How many?", other: "Tom buys 30 apples. How many?"}
    for page, question in questions.items():
        page.get_by_label("Question", exact=True).fill(question)
        run(page)
    texts = [answered(page) for page in questions]
    assert texts[0] != texts[1]
    for page, question in questions.items():
        expect(page.locator(".origin:visible")).to_contain_text(question)
        assert page.get_by_label("Question", exact=True).input_value() == question
    run(one)
    answered(one)
    assert answered(other) == texts[1]


def test_every_kind_of_problem_can_be_chosen_while_another_runs(visit, monkeypatch):
    page, ended = visit(), threading.Event()
    question = page.get_by_label("Question", exact=True)
    with monkeypatch.context() as patch:
        patch.setattr(RunRequest, "stream", endless(ended))
        run(page)
        expect(page.locator(f"{COMPARED}.running")).to_have_count(2)
        page.get_by_role("radio", name="Multiple choice").check()
        expect(question).to_have_value(re.compile("Answer choices"))
        expect(page.locator(f"{COMPARED}.idle")).to_have_count(2)
        assert ended.wait(PATIENCE / 1000)
    drawn = question.input_value()
    page.get_by_role("button", name="Another problem").click()
    expect(question).not_to_have_value(drawn)
    page.get_by_role("radio", name="Your own question").check()
    expect(page.get_by_role("button", name="Another problem")).to_be_disabled()
    expect(page.locator("button.example")).to_have_count(5)
    run(page)
    answered(page)


@pytest.mark.parametrize(
    ("theme", "width"), [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)]
)
def test_nobody_is_shut_out_of_any_tab(visit, theme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = visit(theme=theme, width=width)
    run(page)
    answered(page)
    acts = {"compare": "", "intervene": "Run edit", "inside": "Look inside", "sweep": "",
            "train": "", "results": ""}  # fmt: skip
    shown = {"intervene": ".four .answer-card.done", "inside": "table.bars"}
    for tab, act in acts.items():
        page.locator(f"[role=tab][data-tab-id={tab}]:visible").click()
        if act:
            page.get_by_role("button", name=act).click()
            expect(page.locator(shown[tab]).last).to_be_visible()
        page.wait_for_function("!document.querySelector('.pending')")
        page.evaluate("Promise.all(document.getAnimations().map(one => one.finished))")
        found = axe.run(page).response["violations"]
        grave = [one for one in found if one["impact"] in ("serious", "critical")]
        assert not grave, (tab, [(one["id"], one["nodes"][0]["html"]) for one in grave])
        assert fits(page), tab


def test_a_picked_thought_is_marked_wherever_it_is_shown(visit):
    page = visit()
    page.get_by_role("button", name="Thought 3", exact=True).click()
    expect(page.locator("tr.picked")).to_have_count(1)
    # No trace has colours of its own until the map is drawn anew.
    found = "document.querySelector('.thought-map').data.find(t => t.meta === 'thoughts')"
    marks = f"{found}?.marker?.color"
    page.wait_for_function(f"Array.isArray({marks}) && new Set({marks}).size === 2")
    assert [colour != page.evaluate(marks)[0] for colour in page.evaluate(marks)].index(True) == 2
    page.get_by_role("tab", name="Inside").click()
    page.get_by_role("button", name="Look inside").click()
    expect(page.locator("tr.picked:visible")).to_have_count(2)
    shapes = "[...document.querySelectorAll('.chart-place')].filter(p => p.layout?.shapes?.length)"
    page.wait_for_function(f"{shapes}.length === 2")
    page.get_by_role("button", name="Thought 3", exact=True).first.click()
    expect(page.locator("tr.picked")).to_have_count(0)
    page.wait_for_function(f"!{shapes}.length")


def test_further_methods_stand_beside_the_two_and_another_answer_can_be_asked_for(visit):
    page = visit()
    for name in ("CoT-Unk", "Assist-CoT", "LoRA", "Coconut"):
        page.get_by_label(name, exact=True).check()
    run(page)
    expect(page.locator(f"{COMPARED}.done")).to_have_count(6)
    heads = page.locator(f"{COMPARED} h2").all_inner_texts()
    assert heads == ["Hard CoT", "SoftCoT", "CoT-Unk", "Assist-CoT", "LoRA", "Coconut"]
    page.wait_for_function("new URLSearchParams(location.search).get('m').includes('lora')")
    before = page.locator(f"{COMPARED} .completion").all_inner_texts()
    page.get_by_role("button", name="Regenerate").click()
    page.wait_for_function(
        "before => [...document.querySelectorAll('[aria-label=Answers] .completion')]"
        ".every((one, place) => one.innerText !== before[place])", arg=before
    )  # fmt: skip
    expect(page.locator(f"{COMPARED}.done")).to_have_count(6)


def test_makers_that_are_asked_show_their_thoughts_on_the_map(visit):
    page = visit()
    for name in ("Self-thoughts", "Trained assistant"):
        page.get_by_label(name, exact=True).check()
        page.wait_for_function(f"({COUNTS})[{name!r}] === {DEFAULT_THOUGHTS}")


def test_the_keyboard_reaches_everything_and_shows_where_it_is(visit):
    page = visit()
    page.locator("button.example").nth(1).focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    wanted = examples("mini-gsm")[1].question
    expect(page.get_by_label("Question", exact=True)).to_have_value(wanted)
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button, input, textarea, select')].filter(e => "
        "e.offsetParent && !e.labels?.length && !e.getAttribute('aria-label') && "
        "!e.innerText?.trim() && !e.title).map(e => e.outerHTML)"
    )
    assert not unnamed


def test_a_chinese_browser_gets_a_chinese_page(visit, screenshots):
    page = visit(locale="zh-CN")
    expect(page.locator("html")).to_have_attribute("lang", "zh")
    tabs = page.get_by_role("tab").all_inner_texts()
    assert tabs[:6] == ["比较", "干预", "内部", "扫描", "训练", "结果"]
    question = page.get_by_label("问题", exact=True)
    drawn = page.locator(".example-question").first.inner_text()
    expect(question).to_have_value(drawn)
    written = "How many apples are left? The answer is no answer: Stop. 苹果"
    question.fill(written)
    page.get_by_role("button", name="运行", exact=True).click()
    expect(page.locator("[aria-label=回答] .answer-card.done")).to_have_count(2)
    heads = page.locator("[aria-label=回答] h2")
    expect(heads).to_have_text(["显式思维链 (Hard CoT)", "SoftCoT"])
    expect(page.locator("[aria-label=回答] .about").last).to_have_text(
        re.compile(r"^同一基座模型，加上 \d+ 个软思维$")
    )
    expect(page.locator(".section-title h2:visible")).to_have_text("思维内部")
    expect(page.locator(".origin:visible q")).to_have_text(written)
    expect(question).to_have_value(written)
    expect(page.locator(".legendtext").last).to_have_text("软思维")
    slider = page.get_by_role("slider", name=re.compile("软思维数量 K"))
    slider.press("Home")
    expect(page.locator(".empty:visible")).to_have_text(re.compile("^K = 0：没有思维"))
    slider.press("End")
    expect(page.locator(".origin:visible b")).to_have_text("16 个软思维")
    expect(page.locator("table.thoughts:visible th").nth(2)).to_have_text("最近词元及其余弦")
    assert set(page.evaluate(SEEN, LATIN)) <= SAME_IN_CHINESE
    assert fits(page)
    page.screenshot(path=screenshots / "chinese.png", full_page=True)
    question.fill(" ")
    page.get_by_role("button", name="运行", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("问题为空；请输入问题。")
    question.fill("apples and pears " * 400)
    page.get_by_role("button", name="运行", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text(
        re.compile(r"^问题长 \d+ 个词元，上限为 \d+。请缩短。$")
    )


def test_any_chinese_is_served_on_a_phone_and_english_has_none_of_it(visit, screenshots):
    page = visit(width=390, height=844, locale="zh-HK")
    expect(page.get_by_role("button", name="换一题")).to_be_visible()
    page.screenshot(path=screenshots / "chinese-phone.png", full_page=True)
    page.get_by_role("tab", name="干预").click()
    page.get_by_role("radio", name="置零").check()
    expect(page.get_by_role("textbox", name=re.compile("按先后顺序执行"))).to_have_value("zero")
    page.get_by_role("radio", name="混合").check()  # names its amount anew
    expect(page.get_by_text("第二个问题的占比")).to_be_visible()
    assert set(page.evaluate(SEEN, LATIN)) <= SAME_IN_CHINESE
    assert fits(page)
    english = visit()
    run(english)
    answered(english)
    expect(english.locator("html")).to_have_attribute("lang", "en")
    assert english.evaluate(SEEN, CHINESE) == []
    # The language can be chosen, whatever the browser's is, and stays chosen.
    english.get_by_role("button", name="中文").click()
    expect(english.get_by_role("tab", name="比较")).to_be_visible()
    english.reload(wait_until="domcontentloaded")
    expect(english.get_by_role("tab", name="比较")).to_be_visible()
    english.get_by_role("button", name="English").click()
    expect(english.get_by_role("tab", name="Compare")).to_be_visible()


def test_back_returns_to_the_last_tab_and_keeps_the_question(visit):
    page = visit()
    page.get_by_role("tab", name="Intervene").click()
    page.get_by_role("tab", name="Results").click()
    page.get_by_role("tab", name="Compare").click()
    page.get_by_label("Question", exact=True).fill("Why?")
    page.wait_for_function("new URLSearchParams(location.search).get('q') === 'Why?'")
    for tab in ("Results", "Intervene", "Compare"):
        page.go_back()
        expect(page.get_by_role("tab", name=tab, selected=True)).to_be_visible()
        assert page.evaluate("new URLSearchParams(location.search).get('q')") == "Why?"
    expect(page.get_by_label("Question", exact=True)).to_have_value("Why?")


def test_a_part_of_an_address_is_followed_as_far_as_it_can_be(visit, url):
    page = visit(address=f"{url}/?k=3")
    expect(page.locator(".origin:visible b")).to_have_text("3 soft thoughts")
    page = visit(address=f"{url}/?q=Why%3F&k=99&m=magic")
    expect(page.get_by_role("alert")).to_contain_text("a method 'magic'")
    expect(page.get_by_label("Question", exact=True)).to_have_value("Why?")
    expect(page.locator(".origin:visible b")).to_have_text("16 soft thoughts")


def test_nothing_on_the_map_can_be_sent_away(visit):
    page = visit()
    page.locator(".thought-map").hover()
    expect(page.locator(".thought-map [data-title='Zoom in']")).to_be_visible()
    titles = page.locator(".thought-map .modebar-btn").evaluate_all(
        "buttons => buttons.map(one => one.dataset.title)"
    )
    assert titles and not any("hare" in title or "loud" in title for title in titles)
    assert page.evaluate("document.querySelector('.thought-map')._context.plotlyServerURL") == ""


def test_a_typed_right_answer_judges_a_changed_example(visit, tmp_path):
    page = visit()
    question, gold = page.get_by_label("Question", exact=True), page.get_by_label("Right answer")
    right = gold.input_value()
    question.fill(f"Once more. {question.input_value()}")
    expect(gold).to_have_value("")
    page.wait_for_timeout(1500)  # a reader types the answer after the page has dropped the old one
    gold.press_sequentially(right, delay=150)
    page.wait_for_timeout(1000)
    expect(gold).to_have_value(right)
    run(page)
    answered(page)
    assert page.locator(COMPARED).get_by_text("log p of the worked answer").count() == 0
    with page.expect_download() as started:
        page.get_by_text("Download run").click()
    started.value.save_as(tmp_path / "one.run")
    assert load_run(tmp_path / "one.run").asked.problem.answer == right


def test_regenerating_shows_what_it_changes(visit):
    page = visit()
    run(page)
    answered(page)
    page.get_by_role("button", name="Regenerate").click()
    expect(page.locator(".block.sampled")).to_contain_text("temperature 0.7, seed 42")
    answered(page)


def test_what_happens_is_said_aloud_and_links_of_the_tour_do_something(visit):
    page = visit()
    page.get_by_role("link", name="Run both").click()
    answered(page)
    expect(page.locator("[data-announces]")).to_contain_text(re.compile("SoftCoT Answer"))
    expect(page.locator(".answers:visible").first).to_be_in_viewport()
    page.get_by_role("link", name="The map").click()
    expect(page.locator(".thought-map")).to_be_in_viewport()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_sliders_can_be_seen(visit, theme):
    page = visit(theme=theme)
    colours = page.evaluate(
        "(() => { const style = getComputedStyle(document.querySelector('.gradio-container'));"
        "return ['--accent', '--track', '--card'].map(name => style.getPropertyValue(name)); })()"
    )
    assert len(set(colours)) == 3
    page.get_by_role("tab", name="Intervene").click()
    expect(page.locator(".edits dt:visible")).to_have_count(10)
    expect(page.locator(".slots label:visible")).to_have_count(12)
