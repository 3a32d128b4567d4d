"""Processes that share a work: right outcomes, and no process left however the work ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from workbench.statistics import workers as module
from workbench.statistics.workers import Workers, cores

DEADLINE_SECONDS = 60
PARENT = os.getpid()


def _square(number):
    return number * number


def _noisy(number):
    print("a line that must not come between the outcomes")
    return number


def _refuse(number):
    if number == 5:
        msg = "five"
        raise ZeroDivisionError(msg)
    return number


def _die_elsewhere(number):
    if os.getpid() != PARENT:
        os._exit(3)
    return number + 1


def _where(_):
    return os.environ.get("OPENBLAS_NUM_THREADS", ""), "__main__" in sys.modules, os.getpid()


@pytest.mark.parametrize("function", [_square, _noisy])
def test_the_outcomes_are_those_of_this_process_in_the_order_of_the_parts(function):
    """Also where the function prints."""
    told = []
    with Workers(40, 2) as workers:
        assert workers.map(function, range(40), done=told.append) == list(map(function, range(40)))
    assert told == list(range(1, 41))


def test_one_crew_does_one_work_after_another_on_one_thread_each():
    """The work is done elsewhere, by two processes, whose libraries start no threads of their own."""
    with Workers(0, 2) as workers:
        first, second = (workers.map(_where, range(30)) for _ in range(2))
    pids = {pid for _, _, pid in first + second}
    assert os.getpid() not in pids
    assert len(pids) <= 2
    assert {threads for threads, _, _ in first} == {"1"}


def test_what_the_function_raises_is_raised_here():
    with Workers(0, 2) as workers, pytest.raises(ZeroDivisionError, match="five"):
        workers.map(_refuse, range(30))


def test_the_parts_of_processes_that_die_are_done_here():
    """As when the system ends them for want of memory."""
    with Workers(0, 2) as workers:
        assert workers.map(_die_elsewhere, range(5)) == [1, 2, 3, 4, 5]


def test_where_no_process_may_be_started_the_work_is_done_here(monkeypatch):
    def refused(*_, **__):
        raise PermissionError

    monkeypatch.setattr(module.subprocess, "Popen", refused)
    with Workers(100, 2) as workers:
        assert workers.map(_square, range(4)) == [0, 1, 4, 9]


def test_few_parts_start_nothing(monkeypatch):
    """Starting two processes takes as long as a dozen parts."""
    monkeypatch.setattr(module.subprocess, "Popen", lambda *_, **__: pytest.fail("started"))
    with Workers(20) as workers:
        assert workers.map(_square, range(20)) == [n * n for n in range(20)]


def test_a_container_s_share_of_the_cores_counts(monkeypatch, tmp_path):
    quota = tmp_path / "cpu.max"
    monkeypatch.setattr(module, "_QUOTA", quota)
    unlimited = cores()
    for text, expected in [("max 100000", unlimited), ("50000 100000", 1), ("nonsense", unlimited)]:
        quota.write_text(text)
        assert cores() == expected


SCRIPT = """
import sys, time
from workbench.statistics.workers import Workers
print("begun", flush=True)
with Workers(0, 2) as workers:
    pids = [p.pid for p in workers._processes]
    workers.map(time.sleep, [float(sys.argv[1])] * int(sys.argv[2]), done=lambda n: n == 2 and print(*pids, flush=True))
print("ended", flush=True)
"""


def _running(script, *arguments):
    return subprocess.Popen(
        [sys.executable, str(script), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )


def _alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _gone(pids):
    ends = time.monotonic() + DEADLINE_SECONDS
    while any(map(_alive, pids)):
        if time.monotonic() > ends:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "unguarded.py"
    path.write_text(SCRIPT)
    return path


def test_a_script_without_a_guard_runs_once(script):
    """What `multiprocessing` cannot do where it does not fork."""
    with _running(script, 0.001, 40) as running:
        out, err = running.communicate(timeout=DEADLINE_SECONDS)
    lines = out.split("\n")
    assert (lines.count("begun"), lines.count("ended"), err) == (1, 1, "")


linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


@linux
def test_an_interrupt_ends_it_at_once_with_one_traceback_and_no_orphan(script):
    """Ctrl-C in the middle of parts that would take minutes."""
    with _running(script, 0.2, 3000) as running:
        assert running.stdout.readline() == "begun\n"
        pids = [int(p) for p in running.stdout.readline().split()]
        assert all(map(_alive, pids))
        os.killpg(running.pid, signal.SIGINT)
        _, err = running.communicate(timeout=DEADLINE_SECONDS)
    assert err.count("Traceback") == 1
    assert err.rstrip().endswith("KeyboardInterrupt")
    assert _gone(pids)


@linux
def test_a_killed_program_leaves_no_orphan_and_no_complaint(script):
    with _running(script, 0.05, 100_000) as running:
        running.stdout.readline()
        pids = [int(p) for p in running.stdout.readline().split()]
        running.kill()
        _, err = running.communicate(timeout=DEADLINE_SECONDS)
    assert _gone(pids)
    assert err == ""
