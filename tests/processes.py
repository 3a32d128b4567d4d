"""What tests need to know of processes: their children, and how to wait for what they do."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

import pytest

HANGS_SECONDS = 240.0
"""Guards against hanging only: nothing on a busy machine takes so long."""


def children(pid: int) -> set[int]:
    """Processes that a process has started and that have not been waited for."""
    command = ["ps", "-o", "pid=", "--ppid", str(pid)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return {int(word) for word in done.stdout.split()}


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Wait for a condition, however long a busy machine takes."""
    end = time.monotonic() + HANGS_SECONDS
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"waited in vain until {what}")
        time.sleep(0.05)
