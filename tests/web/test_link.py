"""Addresses: what they say is read back, and nonsense is refused."""

from urllib.parse import urlencode

import pytest

from softcot.data.problems import Problem
from softcot.thoughts.pair import Pair
from softcot.web.explorer import Explorer
from softcot.web.handlers import ADDRESS, OFFER, PROBLEM, Handlers
from softcot.web.link import Link, read_link
from softcot.web.requests import AddressRequest


def address(**values) -> str:
    return f"?{urlencode(values)}"


def test_everything_that_is_said_is_read():
    search = address(
        tab="intervene", task="mini-gsm", q="Why & how? ünïcode", a="4", k=0, t=0.5, seed=7, n=3,
        m="lora,cot-unk", edits="mix=0.5:1-4 drop:2", other="What?", note="Tom has 9 keys.",
    )  # fmt: skip
    problem = Problem("mini-gsm", "Why & how? ünïcode", "4", note="Tom has 9 keys.")
    methods, edits = ["lora", "cot-unk"], "mix=0.5:1-4 drop:2"
    read = Link(problem, "mini-gsm", 0, 0.5, 7, 3, methods, edits, "What?")
    assert read_link(search, 16) == read
    assert read_link(address(q="Why?"), 16) == Link(Problem("free", "Why?"), "free")
    assert read_link("", 16) is None and read_link("?tab=results&pair=mini", 16) is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"k": "17"}, "k = '17'; it must be a number from 0 to 16"),
        ({"k": "many"}, "k = 'many'"),
        ({"t": "nan"}, "t = 'nan'"),
        ({"n": "0"}, "n = '0'"),
        ({"task": "poetry"}, "no task 'poetry'; choose one of"),
        ({"m": "lora,magic"}, "a method 'magic'; choose of"),
        ({"m": "softcot,,lora"}, "a method ''; choose of"),
        ({"edits": "explode"}, "no edit called"),
    ],
)
def test_nonsense_is_left_out_and_said(values, message):
    link = read_link(address(q="Why?", **values), 16)
    assert link.problem == Problem("free", "Why?")
    [remark] = link.remarks
    assert message in remark


def test_what_is_out_of_range_is_the_nearest_that_there_is():
    link = read_link(address(q="Why?", k=99, t=7.5, n=0), 16)
    assert (link.k, link.temperature, link.samples) == (16, 2.0, 1)
    assert all("so it is" in remark for remark in link.remarks) and len(link.remarks) == 3


def test_only_methods_that_can_be_chosen_are_named():
    for named, chosen in (
        ("softcot", []),
        ("zero-shot-cot,softcot", []),
        ("softcot,lora,lora", ["lora"]),
    ):
        assert read_link(address(q="Why?", m=named), 16).methods == chosen
    link = read_link(address(q="Why?", m="cot-unk,lora"), 16, ["cot-unk"])
    assert link.methods == ["cot-unk"]
    assert "a method 'lora'; choose of: cot-unk." in link.remarks[0]


def test_an_address_with_a_method_that_the_pair_lacks_opens_without_it(pair):
    bare = Handlers(Explorer(Pair("bare", pair.base, pair.assistant, {})))
    opened = bare.open_address(AddressRequest(address(q="Why?", m="softcot,lora,cot-unk")))
    assert opened["question"] == "Why?" and opened["further"] == ["cot-unk"]
    assert "choose of: no-cot, " in opened["message"] and "assist-cot" in opened["message"]
    opened = bare.open_address(AddressRequest(address(q="Why?", m="softcot,cot-unk")))
    assert opened["further"] == ["cot-unk"] and not opened["message"]


def test_an_address_may_say_a_part(pair):
    handlers = Handlers(Explorer(pair))
    assert handlers.open_address(AddressRequest("?k=3")) == {"k": 3, "message": ""}
    opened = handlers.open_address(AddressRequest("?task=mini-strategy&k=2"))
    assert opened["loaded"].task == "mini-strategy" and opened["k"] == 2


def test_an_address_opens_what_it_names(pair):
    handlers = Handlers(Explorer(pair))
    search = address(task="mini-gsm", q="Anna has 3 apples. How many?", a="3", k=5)
    opened = handlers.open_address(AddressRequest(search))
    assert (opened["task"], opened["k"]) == ("mini-gsm", 5) and "temperature" not in opened
    assert (opened["question"], opened["gold"]) == ("Anna has 3 apples. How many?", "3")
    assert handlers.open_address(AddressRequest("?tab=results")) == {}
    mended = handlers.open_address(AddressRequest(address(q="Why?", k=99)))
    assert (mended["question"], mended["k"]) == ("Why?", 16)
    assert "from 0 to 16, so it is 16 here" in mended["message"]
    changes = {*ADDRESS, *OFFER, *PROBLEM}
    assert opened.keys() <= changes and mended.keys() <= changes
