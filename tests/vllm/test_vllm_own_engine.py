"""The real vLLM as an engine of the process, with mini's base: the same words as our decoder's.

It runs in the Python that `SOFTCOT_VLLM_PYTHON` names, with this package on its path.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

PYTHON = os.environ.get("SOFTCOT_VLLM_PYTHON")
ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(not PYTHON, reason="SOFTCOT_VLLM_PYTHON names no Python that has vLLM"),
]


def test_an_engine_in_the_process_writes_what_the_decoder_does():
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    ours = {"env": os.environ | {"PYTHONPATH": path}, "capture_output": True, "text": True}
    tried = subprocess.run([PYTHON, "-c", "import softcot.thoughts.pair"], **ours)
    if tried.returncode:
        said = tried.stderr.strip().splitlines()[-1]
        pytest.skip(f"this package does not run beside vLLM there ({said}); see docs/serving.md")
    child = Path(__file__).with_name("inside_child.py")
    done = subprocess.run([PYTHON, str(child)], timeout=580, **ours)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert found["zero-shot-cot"] and found["softcot"]
    first, second = found["sampled"]
    assert first == second
    assert found["unfinished"] == 0, "Stop aborts the request"
    assert found["version"]
