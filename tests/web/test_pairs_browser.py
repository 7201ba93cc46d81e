"""The picker in a real browser: another pair is brought, answers, and makes room again."""

import pytest
import test_browser
from second_pair import FAR, NAME, second_pair
from test_app import free_port
from test_browser import COMPARED, answered, expect, fits, run

import app
from softcot.web.explorer import Explorer
from softcot.web.questions import examples

browser, visit, screenshots = test_browser.browser, test_browser.visit, test_browser.screenshots
OWN = "A farmer has 17 sheep and buys 25 more, then sells 9. How many are left?"


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    with second_pair(tmp_path_factory.mktemp("second")) as opened:
        yield opened


@pytest.fixture(scope="module")
def url(pair, warehouse):
    port = free_port()
    blocks = app.serve(Explorer(pair), "127.0.0.1", port)
    yield f"http://127.0.0.1:{port}"
    blocks.close()


def button(page, name: str):
    return page.locator(f'[data-pair="{name}"]')


def choose(page, name: str) -> None:
    """Press a pair and wait until the page is its."""
    button(page, name).click()
    expect(page.locator(".pair-row .facts b")).to_have_text(name)


def short(page) -> None:
    """Random models do not stop by themselves."""
    page.get_by_text("Sampling", exact=True).click()
    page.get_by_label("number input for Longest answer in tokens").fill("16")
    page.get_by_label("number input for Longest answer in tokens").blur()


def test_a_visitor_picks_a_pair_asks_it_and_comes_back(visit, screenshots):
    page = visit()
    expect(button(page, "mini")).to_have_attribute("aria-pressed", "true")
    page.screenshot(path=screenshots / "picker-light.png", full_page=True)
    choose(page, NAME)
    expect(button(page, NAME)).to_have_attribute("aria-pressed", "true")
    expect(button(page, NAME)).to_contain_text("loaded")
    expect(page.locator(".pairs [role=status]")).to_have_text(f"{NAME} answers.")
    page.wait_for_function(f"new URLSearchParams(location.search).get('pair') === '{NAME}'")
    expect(page.get_by_role("radio", name="GSM8K")).to_be_checked()
    question = page.get_by_label("Question", exact=True)
    expect(question).to_have_value(examples("gsm8k", False)[0].question)
    page.get_by_role("radio", name="Your own question").check()
    question.fill(OWN)
    short(page)
    run(page)
    hard, soft = answered(page)
    assert hard and soft
    expect(page.locator(f"{COMPARED} .badge.cut")).to_have_text(["cut at 16 tokens"] * 2)
    assert fits(page)
    page.screenshot(path=screenshots / "picked.png", full_page=True)
    choose(page, "mini")
    expect(page.get_by_text("not in the list of choices")).to_have_count(0)
    expect(question).to_have_value(OWN)
    page.get_by_role("radio", name="Word problems").check()
    expect(question).to_have_value(examples("mini-gsm")[0].question)
    run(page)
    assert all(answered(page))
    page.wait_for_function("!new URLSearchParams(location.search).has('pair')")


def test_another_pair_opens_answered_too(visit, monkeypatch):
    monkeypatch.setattr("softcot.web.explorer.CHAT_NEW_TOKENS", 24)
    page = visit()
    choose(page, NAME)
    assert all(answered(page))
    expect(page.locator(".standing")).to_contain_text("Asked for you")
    question = page.get_by_label("Question", exact=True)
    expect(question).to_have_value(examples("gsm8k", False)[0].question)
    expect(page.locator(".reading")).to_have_count(0)
    # A question of the reader's own stays, and nothing is asked for it.
    page.get_by_role("radio", name="Your own question").check()
    question.fill(OWN)
    choose(page, "mini")
    expect(question).to_have_value(OWN)
    expect(page.locator(f"{COMPARED}.idle")).to_have_count(2)
    expect(page.locator(".standing")).to_have_count(0)


def test_an_absent_pair_is_fetched_with_progress_or_not_at_all(visit, warehouse, screenshots):
    page = visit(theme="dark")
    warehouse.here.discard(FAR)
    warehouse.go_on.clear()
    button(page, FAR).click()
    expect(page.locator(".pair-note")).to_contain_text("is not here yet")
    page.screenshot(path=screenshots / "absent-dark.png")
    fetch = page.get_by_role("button", name="Fetch 0.6 GB", exact=True)
    fetch.click()
    expect(page.locator(".pair-row progress")).to_have_attribute("value", "50")
    expect(button(page, FAR)).to_contain_text("fetching 50 %")
    page.screenshot(path=screenshots / "fetching-dark.png")
    # The page answers meanwhile.
    run(page)
    assert all(answered(page))
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".pair-note")).to_contain_text("is not here yet")
    fetch.click()
    expect(page.locator(".pair-row progress")).to_be_visible()
    warehouse.go_on.set()
    expect(page.locator(".pair-row .facts b")).to_have_text(FAR)
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)


def test_two_visitors_ask_different_pairs_at_once(visit):
    one, other = visit(), visit()
    choose(other, NAME)
    short(other)
    for page in (one, other):
        run(page)
    texts = [answered(page) for page in (one, other)]
    assert texts[0] != texts[1]
    expect(one.locator(".pair-row .facts b")).to_have_text("mini")
    expect(one.get_by_role("radio", name="Word problems")).to_be_checked()
    expect(other.get_by_role("radio", name="GSM8K")).to_be_checked()


def test_the_picker_works_by_keyboard_and_keeps_its_place(visit):
    page = visit()
    button(page, "mini").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".pair-row .facts b")).to_have_text(NAME)
    focused = "document.activeElement.dataset.pair"
    assert page.evaluate(focused) == NAME
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".pair-row .facts b")).to_have_text("mini")


def test_an_address_opens_on_its_pair(visit, url):
    page = visit(address=f"{url}/?pair={NAME}&task=gsm8k&q=Tom+has+3+apples.+How+many%3F&a=3&k=2")
    expect(page.locator(".pair-row .facts b")).to_have_text(NAME)
    expect(page.get_by_label("Question", exact=True)).to_have_value("Tom has 3 apples. How many?")
    expect(page.get_by_role("radio", name="GSM8K")).to_be_checked()
    expect(page.locator(".origin:visible b")).to_have_text("2 soft thoughts")
    wrong = visit(address=f"{url}/?pair=nobody")
    expect(wrong.get_by_role("alert")).to_contain_text("no pair 'nobody'")


def test_the_panels_of_another_pair_work_on_a_phone(visit, screenshots):
    page = visit(width=390, height=844)
    page.screenshot(path=screenshots / "picker-phone.png")
    choose(page, NAME)
    assert fits(page)
    page.screenshot(path=screenshots / "picked-phone.png", full_page=True)
    page.get_by_role("tab", name="Inside").click()
    page.get_by_role("button", name="Look inside").click()
    expect(page.locator("table.bars tbody tr")).to_have_count(12)
    assert fits(page)
    page.get_by_role("tab", name="Train").click()
    page.get_by_label("number input for Steps").fill("4")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("Finished after")).to_be_visible()
    page.get_by_role("tab", name="Compare").click()
    expect(page.get_by_label("Use the projection that was trained on this page")).to_be_checked()
    page.get_by_role("tab", name="Intervene").click()
    assert fits(page)


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_nobody_is_shut_out_of_the_picker(visit, theme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = visit(theme=theme, width=width)
    choose(page, NAME)
    found = axe.run(page).response["violations"]
    grave = [one for one in found if one["impact"] in ("serious", "critical")]
    assert not grave, [(one["id"], one["nodes"][0]["html"]) for one in grave]


def test_the_picker_is_chinese_where_the_page_is(visit, warehouse):
    page = visit(locale="zh-CN")
    choose(page, NAME)
    expect(button(page, NAME).locator(".pair-state")).to_have_text("已载入")
    warehouse.here.add(FAR)
    button(page, FAR).click()
    expect(page.locator(".pair-row .facts b")).to_have_text(FAR)
    names = {"GB", "fp32", "bf16", "GSM8K", "SVAMP", "AQuA", "StrategyQA", "qwen2", "coder-1"}
    assert (
        set(page.evaluate(test_browser.SEEN, test_browser.LATIN))
        <= test_browser.SAME_IN_CHINESE | names
    )
