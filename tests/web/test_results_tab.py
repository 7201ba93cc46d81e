"""The Results tab: what is refused, how numbers read, and the tab itself in a real browser."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import test_browser
from test_app import free_port
from test_browser import PATIENCE, answered, expect, fits, run

import app
from softcot.support.errors import UserError
from softcot.web.explorer import Explorer
from softcot.web.results import REPORT, read_report
from softcot.web.results_views import results
from softcot.web.views import message

SAMPLE = Path(__file__).parent / "report.json"
EVIL = "<img src=x onerror='window.pwned=1'> ${window.pwned=1} {{value}} `\"&"
browser, visit, screenshots = test_browser.browser, test_browser.visit, test_browser.screenshots

ACCURACY, WIDE = "Accuracy in %", "Accuracy in % by K, a table that is wider than any phone"

FAINT = """
() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const linear = parts(colour).slice(0, 3).map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const ground = (node) => {
    const colour = getComputedStyle(node).backgroundColor;
    return parts(colour)[3] === 0 && node.parentElement ? ground(node.parentElement) : colour;
  };
  const contrast = (node) => {
    const both = [light(getComputedStyle(node).color), light(ground(node))];
    return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
  };
  const written = [...document.querySelectorAll(".results *")].filter((node) =>
    [...node.childNodes].some((part) => part.nodeType === 3 && part.data.trim()));
  return written.filter((node) => !node.closest("svg") && contrast(node) < 4.5)
    .map((node) => `${contrast(node).toFixed(2)} ${node.outerHTML}`);
}
"""
"""JavaScript: the texts of the tab that are hard to read on what is behind them."""


def sample(**changes) -> dict:
    return json.loads(SAMPLE.read_text(encoding="utf-8")) | changes


def cell(text: str, low: float | None, high: float | None) -> dict:
    source = {"best": False, "command": "", "source": "ours"}
    return {"text": text, "value": 0.0, "low": low, "high": high, **source}


@pytest.fixture(scope="module")
def url(pair) -> str:
    port = free_port()
    blocks = app.serve(Explorer(pair), "127.0.0.1", port, report=SAMPLE)
    yield f"http://127.0.0.1:{port}"
    blocks.close()


@pytest.mark.parametrize(
    "content",
    [
        None,
        "{",
        "[]",
        '{"schema": "softcot-report-1"}',
        json.dumps(sample(schema="softcot-report-2")),
        json.dumps(sample(note=None)),
        json.dumps(sample(sections=[{"id": "main"}])),
        SAMPLE.read_text(encoding="utf-8").replace("62.4,", "NaN,"),
        SAMPLE.read_text(encoding="utf-8").replace("62.4,", '"62.4",'),
    ],
)
def test_what_is_no_report_is_refused_with_the_command_that_makes_one(tmp_path, content):
    path = tmp_path / "report.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        read_report(path)
    said = str(caught.value)
    assert "`python -m softcot report`" in said and said.endswith(".")
    assert str(tmp_path) not in said, "the page is public"


def test_the_shipped_report_can_be_shown():
    if not REPORT.is_file():
        pytest.skip("there is no report")
    shown = results(read_report(REPORT))
    assert shown.count("<section") > 0
    assert "<code>python -m softcot report</code>" in shown and "`" not in shown


def test_heads_labels_and_cells_may_be_code():
    report = sample()
    table = report["sections"][0]["tables"][0]
    text = cell("`--start <b>`", None, None) | {"value": None}
    table["columns"], table["rows"] = ["What", "`mini`"], [[text, text]]
    shown = results(report)
    assert "<code>mini</code></button>" in shown
    assert shown.count("<code>--start <wbr/>&lt;b&gt;</code></t") == 2


def test_what_stands_between_backticks_is_code_and_no_markup():
    shown = results(sample(note="Run `python <b>` or `x`, a ` alone."))
    assert "Run <code>python &lt;b&gt;</code> or <code>x</code>, a ` alone.</p>" in shown
    assert message("Use `a`.") == '<p class="message" role="alert">Use <code>a</code>.</p>'


@pytest.mark.parametrize(
    ("text", "low", "high", "shown"),
    [
        ("88.7", 86.7, 90.6, "86.7–90.6"),
        ("+0.4", -1.04, 2, "−1.0 to +2.0"),
        ("1,204", 1100, 1300, "1,100–1,300"),
        ("-3.1", -4, -2.2, "−4.0 to −2.2"),
        ("88.7", None, 90.6, None),
    ],
)
def test_an_interval_reads_like_the_number_it_belongs_to(text, low, high, shown):
    table = {"title": "", "columns": ["", ""], "rows": [[cell("", None, None)]], "note": ""}
    table["rows"][0].append(cell(text, low, high))
    section = {"id": "one", "title": "", "text": "", "tables": [table], "figures": []}
    html = ElementTree.fromstring(results(sample(sections=[section])))
    assert html.findtext(".//td/small") == shown


def test_every_row_is_as_wide_as_its_table_and_no_text_is_markup():
    html = ElementTree.fromstring(results(sample()))
    for table in html.iter("table"):
        width = len(table.findall("thead/tr/th[@scope='col']"))
        assert table.findtext("caption/span")
        for row in table.findall("tbody/tr"):
            assert len(row.findall("th[@scope='row']")) == 1 and len(row) == width
    assert not list(html.iter("img"))
    assert "".join(html.itertext()).count(EVIL) == 2


def open_results(page) -> None:
    page.get_by_role("tab", name="Results").click()
    expect(page.locator(".results")).to_be_visible()


def table_of(page, caption: str):
    return page.locator(".result").filter(has=page.get_by_text(caption, exact=True))


def column(table, number: int) -> list[str]:
    cells = table.locator(f"tbody tr > :nth-child({number})")
    return [text.split("\n")[0] for text in cells.all_inner_texts()]


def test_a_tab_is_chosen_by_keyboard_named_in_the_address_and_opened_from_it(visit, url):
    page = visit()
    page.evaluate("window.same = true")
    page.get_by_role("tab", name="Results").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".results h2").first).to_have_text("Results, QUICK")
    assert page.url == f"{url}/?tab=results"
    page.get_by_role("link", name="How many thoughts are enough?").click()
    expect(page.locator(".contents [aria-current=true]")).to_have_text(
        "How many thoughts are enough?"
    )
    link = page.url
    assert link == f"{url}/?tab=results#results-thoughts"
    page.get_by_role("tab", name="Compare").click()
    expect(page.locator(".results")).to_be_hidden()
    assert page.url == f"{url}/?tab=compare" and page.evaluate("window.same")

    page.goto("about:blank")
    page.goto(link)
    expect(page.get_by_role("heading", name="How many thoughts are enough?")).to_be_in_viewport()
    page.get_by_role("tab", name="Compare").click()
    page.wait_for_selector(".thought-map .main-svg")
    map_of, drawn = page.locator(".thought-map"), page.locator(".thought-map .main-svg").first
    assert drawn.bounding_box()["width"] == pytest.approx(map_of.bounding_box()["width"], abs=1)


def test_a_head_sorts_by_value_both_ways_and_back(visit):
    page = visit()
    open_results(page)
    table = table_of(page, ACCURACY)
    before = column(table, 2)
    assert before == ["62.4", "9.5", "100.0", "–"]
    head = table.get_by_role("columnheader", name="Word problems")
    head.get_by_role("button").click()
    assert column(table, 2) == ["100.0", "62.4", "9.5", "–"]
    assert column(table, 1) == ["SoftCoT", "Hard CoT", "Coconut", "LoRA"]
    expect(head).to_have_attribute("aria-sort", "descending")
    page.keyboard.press("Enter")
    assert column(table, 2) == ["9.5", "62.4", "100.0", "–"]
    expect(head).to_have_attribute("aria-sort", "ascending")
    other = table.get_by_role("columnheader", name="Method")
    other.get_by_role("button").click()
    assert column(table, 1) == ["Coconut", "Hard CoT", "LoRA", "SoftCoT"]
    expect(table.locator("[aria-sort]")).to_have_text("Method")
    for _ in range(2):
        page.keyboard.press("Enter")
    assert column(table, 2) == before
    expect(table.locator("[aria-sort]")).to_have_count(0)
    bold = table.locator("tbody tr").filter(has_text="SoftCoT").locator("td b")
    expect(bold).to_have_text(["100.0", "88.7", "94.4"])


def test_a_number_shows_the_command_that_makes_it_again(visit):
    page = visit()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_results(page)
    table, popover = table_of(page, ACCURACY), page.locator(".command")
    expect(popover).to_be_hidden()
    table.locator("tbody tr").nth(1).locator("button").hover()
    said = "python -m softcot evaluate --task mini-gsm --method coconut --temperature 1"
    expect(popover.locator("code")).to_have_text(said)
    page.mouse.move(1, 1)
    expect(popover).to_be_hidden()

    number = table.locator("tbody tr").first.locator("button").first
    number.focus()
    expect(popover).to_be_visible()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowRight", "ArrowUp"):
        page.keyboard.press(key)  # the third step down finds no number, the one up jumps a gap
    said = "python -m softcot evaluate --task mini-asdiv --method zero-shot-cot --temperature 1"
    expect(popover.locator("code")).to_have_text(said)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Copy")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Copied")).to_be_focused()
    assert page.evaluate("navigator.clipboard.readText()") == said
    page.keyboard.press("Escape")
    expect(popover).to_be_hidden()
    assert page.evaluate("document.activeElement.dataset.command") == said
    inside = table_of(page, "SoftCoT minus each other method, in points")
    inside.get_by_role("button", name="+37.6").click()
    expect(popover.locator("code")).to_have_text(EVIL)
    assert page.evaluate("window.pwned") is None
    expect(page.locator(".results img")).to_have_count(0)
    inside.get_by_role("columnheader", name="Word problems").get_by_role("button").click()
    expect(popover).to_be_hidden()


def test_figures_are_drawn_where_the_reader_is_in_the_colours_of_the_theme(visit, screenshots):
    page = visit(theme="dark")
    open_results(page)
    page.wait_for_selector("[data-figure] .main-svg")
    first, second = page.locator("[data-figure]").all()
    expect(second.locator(".main-svg")).to_have_count(0)
    assert first.get_attribute("aria-label") == "Accuracy in %. SoftCoT 94.4, Hard CoT 66.3."
    page.screenshot(path=screenshots / "results-dark.png", full_page=True)
    second.scroll_into_view_if_needed()
    expect(second.locator(".main-svg").first).to_be_visible()
    for place in (first, second):
        width = place.bounding_box()["width"]
        drawn = place.locator(".main-svg").first.bounding_box()["width"]
        assert drawn == pytest.approx(width, abs=1) and width > 500
    look = "node => [node._fullLayout.font.color, node._fullData.at(-1).marker?.color]"
    assert first.evaluate(look) == ["#eceef0", "#2dd4bf"]
    assert second.evaluate("node => node.data[1].fillcolor") == "rgba(45,212,191,0.16)"
    page.wait_for_function(f"() => ({FAINT})().length === 0")  # colours change gradually
    page.evaluate("document.body.classList.remove('dark')")
    page.wait_for_function(
        "() => document.querySelector('[data-figure]')._fullLayout.font.color === '#1c1f23'"
    )
    assert first.evaluate(look)[1] == "#0f766e"
    page.wait_for_function(f"() => ({FAINT})().length === 0")  # colours change gradually


def test_the_papers_numbers_do_not_look_like_ours(visit, screenshots):
    page = visit()
    open_results(page)
    page.wait_for_selector("[data-figure] .main-svg")
    page.screenshot(path=screenshots / "results-light.png", full_page=True)
    expect(page.locator(".result .badge")).to_have_text(["Paper"])
    theirs = page.locator(".result").filter(has_text="Paper")
    expect(theirs.locator("td.paper")).to_have_text(["79.61", "54.65", "81.03"])
    expect(theirs.locator("td button")).to_have_count(0)
    style = "node => [getComputedStyle(node).fontStyle, getComputedStyle(node).color]"
    ours = table_of(page, ACCURACY).locator("td").first
    for mine, other in zip(
        ours.evaluate(style), theirs.locator("td").first.evaluate(style), strict=True
    ):
        assert mine != other


def test_a_phone_scrolls_tables_in_their_boxes_and_taps_numbers(browser, url, screenshots):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{url}/?tab=results", wait_until="domcontentloaded")
    page.wait_for_selector("[data-figure] .main-svg")
    page.screenshot(path=screenshots / "results-phone.png", full_page=True)
    assert fits(page)
    table = table_of(page, WIDE)
    table.scroll_into_view_if_needed()
    label, box = table.locator("tbody th").first, table.locator(".scroll")
    before = label.bounding_box()["x"]
    number = table.locator("tbody tr").first.locator("button").last
    assert number.bounding_box()["x"] > 390
    box.evaluate("node => node.scrollTo(node.scrollWidth, 0)")
    assert number.bounding_box()["x"] + number.bounding_box()["width"] <= 390
    assert label.bounding_box()["x"] == pytest.approx(before, abs=1)
    number.tap()
    shown = page.locator(".command").bounding_box()
    assert 0 <= shown["x"] and shown["x"] + shown["width"] <= 390
    expect(page.locator(".command code")).to_have_text(re.compile("--experiment thoughts$"))
    assert fits(page)
    caption = table.locator("caption > span").bounding_box()
    assert 0 <= caption["x"] and caption["x"] + caption["width"] <= 390
    context.close()


def test_without_a_report_the_tab_says_what_to_do_and_the_rest_works(pair, browser, tmp_path):
    port = free_port()
    missing = tmp_path / "report.json"
    blocks = app.serve(Explorer(pair), "127.0.0.1", port, report=missing)
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"http://127.0.0.1:{port}/?tab=results", wait_until="domcontentloaded")
    expect(page.get_by_role("alert")).to_contain_text("python -m softcot report")
    page.get_by_role("tab", name="Compare").click()
    run(page)
    assert all(answered(page))
    page.close()
    blocks.close()
