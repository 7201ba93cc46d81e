"""Threads that wait leave their core to others."""

import os
import subprocess
import sys

import pytest

from softcot.support.threads import WAITING, share_cores


@pytest.mark.parametrize(("given", "expected"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_sleep_while_they_wait_unless_the_user_decided(monkeypatch, given, expected):
    monkeypatch.setenv(WAITING, given or "")
    if given is None:
        monkeypatch.delenv(WAITING)
    share_cores()
    assert os.environ[WAITING] == expected


@pytest.mark.parametrize("module", ["softcot.cli.main", "app"])
def test_it_is_decided_before_torch_is_loaded(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
