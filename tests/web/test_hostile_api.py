"""Hostile text and values through every endpoint of the page: an answer, or one sentence."""

import json

import gradio as gr
import pytest
from hostile import texts, tried, values
from hypothesis import strategies as st

from softcot.web import api
from softcot.web.explorer import Explorer
from softcot.web.residents import Residents

LONG = texts.map(lambda text: text * 40) | texts
WHOLE = st.integers(-2, 20) | st.sampled_from([10**9, 10**30, 2.0, float("nan"), True, None, "3"])
ASKED = {
    "compare": {
        "task": texts | st.just("mini-gsm"), "thoughts": WHOLE, "answer": texts,
        "swap_question": texts, "temperature": WHOLE, "top_p": WHOLE, "seed": WHOLE,
        "samples": WHOLE, "methods": texts | st.just("softcot"), "pair": texts, "note": LONG,
    },
    "intervene": {
        "edits": texts | st.sampled_from(["swap", "mix=0.5:1-2", "drop:1", "add=1.5*two:2"]),
        "task": texts, "other_question": LONG, "thoughts": WHOLE, "answer": texts, "pair": texts,
    },
    "thoughts": {"task": texts, "thoughts": WHOLE, "pair": texts, "note": LONG},
    "sweep": {"task": texts, "problems": st.sampled_from([0, -1, 501, "x"]), "step": WHOLE},
    "problem": {"task": texts | st.just("mini-gsm"), "seed": WHOLE},
}  # fmt: skip
"""Endpoint -> what its parameters may be; a sweep is never let through, for it is long."""


@pytest.fixture(scope="module")
def endpoints(pair):
    residents = Residents(Explorer(pair), offered=())
    made = {
        "compare": api._compare, "intervene": api._intervene, "thoughts": api._thoughts,
        "sweep": api._sweep,
    }  # fmt: skip
    found = {name: api.endpoint(make(residents)) for name, make in made.items()}
    return found | {"problem": api.endpoint(api._problem())}


@pytest.mark.proof("Hostile text and values through the endpoints of the page")
@tried(name=st.sampled_from(sorted(ASKED)), question=LONG | values, data=st.data())
def test_whatever_an_endpoint_is_asked_it_answers_or_says_why_not(endpoints, name, question, data):
    function = endpoints[name]
    fields = data.draw(st.lists(st.sampled_from(sorted(ASKED[name])), max_size=3, unique=True))
    asked = {field: data.draw(ASKED[name][field]) for field in fields}
    if name in ("compare", "intervene", "thoughts"):
        asked["question"] = question
    if name == "compare":
        asked["max_new_tokens"] = data.draw(st.sampled_from([1, 2, 10**9]))
    if name == "intervene":
        asked.setdefault("edits", "zero")
    if name == "sweep":
        asked.setdefault("problems", 0)
    try:
        # As they come from a client: by place, with defaults behind the last that is given.
        found = _called(function, asked)
    except gr.Error as error:
        said = str(error.message)
        assert said and "\n" not in said and len(said) < 2000 and "Traceback" not in said
        return
    json.dumps(found)


def _called(function, asked):
    import inspect

    parameters = inspect.signature(function).parameters.values()
    given = [asked.get(p.name, "" if p.default is p.empty else p.default) for p in parameters]
    found = function(*given)
    return list(found) if inspect.isgenerator(found) else found
