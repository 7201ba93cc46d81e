"""Ways to damage a file: bytes, the values of a JSON text, tensors and their header, an archive."""

import copy
import io
import json
import random
import stat
import struct
import zipfile

import torch
from safetensors.torch import load, save

VALUES = [
    *(None, True, -1, 0, 3, 10**9, 10**40, 1e308, "", "mini", "../../x", "/etc/passwd", "\x00"),
    *([], {}, [[]], {"a": 1}, ["x"] * 3, "\ud800", "<script>"),
]
"""Values that a field may have instead of its own."""


def bytes_of(raw: bytes, rng: random.Random) -> bytes:
    """Cut off, changed, doubled, or something else altogether."""
    way = rng.choice(["cut", "flip", "zero", "double", "insert", "nothing", "noise", "text"])
    at = rng.randrange(len(raw))
    if way == "cut":
        return raw[:at]
    if way == "flip":
        changed = bytearray(raw)
        for _ in range(rng.choice([1, 4, 64])):
            changed[rng.randrange(len(raw))] = rng.randrange(256)
        return bytes(changed)
    if way == "zero":
        return raw[:at] + bytes(len(raw[at : at + 64])) + raw[at + 64 :]
    if way == "double":
        return raw + raw
    if way == "insert":
        return raw[:at] + rng.randbytes(rng.choice([1, 8])) + raw[at:]
    return {"nothing": b"", "noise": rng.randbytes(200), "text": b"no such file\n"}[way]


def json_of(value, rng: random.Random):
    """The value with something in it lacking, added, or of another kind."""
    value = copy.deepcopy(value)
    places = list(_places(value))
    for _ in range(rng.choice([1, 1, 2])):
        inside, key = rng.choice(places)
        way = rng.choice(["replace", "replace", "drop", "more"])
        if way == "more" and isinstance(inside, dict):
            inside["surplus"] = rng.choice(VALUES)
        elif way == "drop" and isinstance(inside, dict):
            inside.pop(key, None)
        elif isinstance(inside, dict) or key < len(inside):
            inside[key] = rng.choice(VALUES)
    return value


def _places(value):
    """Every (container, key) in a JSON value."""
    if isinstance(value, dict | list):
        keys = value if isinstance(value, dict) else range(len(value))
        for key in list(keys):
            yield value, key
            yield from _places(value[key])


def json_text_of(text: str, rng: random.Random) -> str:
    """A JSON text, or JSON lines, with another value in it, or NaN, or a key twice."""
    lines = text.strip().split("\n")
    try:
        whole, at = json.loads(text), None
    except ValueError:
        at = rng.randrange(len(lines))
        whole = json.loads(lines[at])
    made = json.dumps(json_of(whole, rng))
    if rng.random() < 0.1:
        made = made.replace(": 0", ": NaN", 1)
    if rng.random() < 0.1 and made.startswith("{"):
        made = '{"task": 1, "task": 2, ' + made[1:]
    if at is None:
        return made
    lines[at] = made
    return "\n".join(lines) + "\n"


def tensors_of(raw: bytes, rng: random.Random) -> bytes:
    """A safetensors file with other tensors, or another header."""
    tensors = load(raw)
    metadata = json.loads(raw[8 : 8 + struct.unpack("<Q", raw[:8])[0]]).get("__metadata__")
    name = rng.choice(sorted(tensors))
    way = rng.choice(["shape", "nan", "inf", "lacks", "more", "dtype", "name", "flat", "header"])
    if way == "header":
        return _headed(raw, rng)
    if way == "shape":
        tensors[name] = torch.zeros([size + 1 for size in tensors[name].shape] or [2])
    elif way in ("nan", "inf"):
        tensors[name] = torch.full_like(tensors[name].float(), float(way))
    elif way == "lacks":
        del tensors[name]
    elif way == "more":
        tensors["surplus"] = torch.zeros(2)
    elif way == "dtype":
        kind = rng.choice([torch.int64, torch.bool, torch.float64, torch.bfloat16, torch.uint8])
        tensors[name] = tensors[name].to(kind)
    elif way == "name":
        tensors[rng.choice(["../x", "x.1.y", ""])] = tensors.pop(name)
    else:
        tensors[name] = tensors[name].flatten()
    if rng.random() < 0.2 and metadata:
        metadata = {**metadata, rng.choice(sorted(metadata)): "{}"}
    return save({n: t.contiguous() for n, t in tensors.items()}, metadata)


def _headed(raw: bytes, rng: random.Random) -> bytes:
    size = struct.unpack("<Q", raw[:8])[0]
    head, rest = json.loads(raw[8 : 8 + size]), raw[8 + size :]
    if rng.random() < 0.4:
        return struct.pack("<Q", rng.choice([0, 2**20, 2**40, 2**64 - 1])) + raw[8:]
    text = json.dumps(json_of(head, rng)).encode("utf-8", "surrogatepass")
    return struct.pack("<Q", len(text)) + text + rest


def archive_of(raw: bytes, rng: random.Random) -> bytes:
    """A zip archive with an entry that does not belong into it, or that lies about itself."""
    with zipfile.ZipFile(io.BytesIO(raw)) as whole:
        entries = {entry.filename: whole.read(entry) for entry in whole.infolist()}
    way = rng.choice(["out", "link", "twice", "bomb", "lie", "lacks", "inner", "inner"])
    name = rng.choice(sorted(entries))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for one, content in entries.items():
            if way == "lacks" and one == name:
                continue
            if way == "inner" and one == name:
                content = inside_of(one, content, rng)
            if way == "bomb" and one == name:
                content = bytes(300 * 2**20)
            archive.writestr(one, content)
        outside = [
            "../config.json",
            "/tmp/softcot-outside",
            "a/../../config.json",
            "..\\config.json",
        ]
        if way == "out":
            archive.writestr(rng.choice(outside), "{}")
        if way == "link":
            link = zipfile.ZipInfo("x/" + name.rpartition("/")[2])
            link.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(link, "/etc/passwd")
        if way == "twice":
            archive.writestr("other/" + name.rpartition("/")[2], "{}")
    packed = bytearray(made.getvalue())
    if way == "lie":  # the sizes that the directory in the end says
        at = packed.rindex(b"PK\x01\x02")
        size = rng.choice([0, 1, 2**31, 2**32 - 2])
        packed[at + 24 : at + 28] = struct.pack("<I", size)
    return bytes(packed)


def inside_of(name: str, raw: bytes, rng: random.Random) -> bytes:
    """A file by what its name says it holds."""
    if rng.random() < 0.3:
        return bytes_of(raw, rng)
    if name.endswith(".safetensors"):
        return tensors_of(raw, rng)
    if name.endswith((".json", ".jsonl", ".partial")):
        return json_text_of(raw.decode(), rng).encode("utf-8", "surrogatepass")
    if name.endswith(".zip"):
        return archive_of(raw, rng)
    return bytes_of(raw, rng)
