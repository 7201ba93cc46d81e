"""Addresses: what they say is read back, and nonsense is refused."""

from urllib.parse import urlencode

import pytest

from softcot.data.problems import Problem
from softcot.support.errors import UserError
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
        m="lora,cot-unk", edits="mix=0.5:1-4 drop:2", other="What?",
    )  # fmt: skip
    problem = Problem("mini-gsm", "Why & how? ünïcode", "4")
    methods, edits = ["lora", "cot-unk"], "mix=0.5:1-4 drop:2"
    assert read_link(search, 16) == Link(problem, 0, 0.5, 7, 3, methods, edits, "What?")
    assert read_link(address(q="Why?"), 16) == Link(Problem("free", "Why?"))
    assert read_link("", 16) is None and read_link(address(task="mini-gsm", q=" "), 16) is None


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
def test_nonsense_is_refused(values, message):
    with pytest.raises(UserError, match=message):
        read_link(address(q="Why?", **values), 16)


def test_only_methods_that_can_be_chosen_are_named():
    for named, chosen in (
        ("softcot", []),
        ("zero-shot-cot,softcot", []),
        ("softcot,lora,lora", ["lora"]),
    ):
        assert read_link(address(q="Why?", m=named), 16).methods == chosen
    with pytest.raises(UserError, match="a method 'lora'; choose of: cot-unk."):
        read_link(address(q="Why?", m="cot-unk,lora"), 16, ["cot-unk"])


def test_an_address_with_a_method_that_the_pair_lacks_is_refused(pair):
    bare = Handlers(Explorer(Pair("bare", pair.base, pair.assistant, {})))
    refused = bare.open_address(AddressRequest(address(q="Why?", m="softcot,lora")))
    assert set(refused) == {"message"} and "choose of: cot-unk, assist-cot." in refused["message"]
    opened = bare.open_address(AddressRequest(address(q="Why?", m="softcot,cot-unk")))
    assert opened["further"] == ["cot-unk"]


def test_an_address_opens_what_it_names(pair):
    handlers = Handlers(Explorer(pair))
    search = address(task="mini-gsm", q="Anna has 3 apples. How many?", a="3", k=5)
    opened = handlers.open_address(AddressRequest(search))
    assert (opened["task"], opened["k"]) == ("mini-gsm", 5) and "temperature" not in opened
    assert (opened["question"], opened["gold"]) == ("Anna has 3 apples. How many?", "3")
    assert handlers.open_address(AddressRequest("?tab=results")) == {}
    refused = handlers.open_address(AddressRequest(address(q="Why?", k=99)))
    assert set(refused) == {"message"} and "from 0 to 16" in refused["message"]
    changes = {*ADDRESS, *OFFER, *PROBLEM}
    assert opened.keys() <= changes and refused.keys() <= changes
