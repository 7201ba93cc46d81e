"""Files: what is written is JSON that every reader takes."""

import json
from collections import OrderedDict

import pytest

from softcot.support import files
from softcot.support.errors import UserError
from softcot.support.files import json_text, write_json

NAN, INFINITE = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (NAN, None),
        ([1.5, -INFINITE, "NaN", 10**400], [1.5, None, "NaN", 10**400]),
        ({"a": (INFINITE, {"b": [NAN, True]})}, {"a": [None, {"b": [None, True]}]}),
        (OrderedDict(a=OrderedDict(b=NAN)), {"a": {"b": None}}),
    ],
)
def test_numbers_that_json_lacks_are_null(tmp_path, value, expected):
    assert json.loads(json_text(value), parse_constant=pytest.fail) == expected
    write_json(tmp_path / "new" / "x.json", value)
    text = (tmp_path / "new" / "x.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail) == expected and text.endswith("\n")


def test_what_is_no_json_is_an_error():
    with pytest.raises(TypeError):
        json_text({"a": object()})


def test_what_a_kill_left_of_a_file_does_not_keep_a_folder_in_use(tmp_path):
    out = tmp_path / "out"
    with files.replacing(out / "state.safetensors") as temporary:
        left = temporary.name
    (out / "state.safetensors").unlink()
    (out / left).write_text("half")
    files.refuse_used(out)
    (out / "config.json").write_text("{}")
    with pytest.raises(UserError, match="is in use"):
        files.refuse_used(out)
