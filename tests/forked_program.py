"""The real program in a process of its own, forked from one that has loaded its libraries already.

Starting Python and pandas takes a second of a core, and some hundred tests run a command that is
done in a tenth of it. `Forking` starts one such process; each run is a fork of it with a folder,
an environment, arguments and streams of its own, and ends as any process does. What a test says
about the start itself, signals or the encoding of streams needs `subprocess` instead.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

HANGS_SECONDS = 300.0
"""Guards against hanging only: nothing on a busy machine takes so long."""

_LOADED = (
    "pandas", "pyarrow.parquet", "workbench.session.workbench", "workbench.demo",
    "workbench.cli.audit", "workbench.cli.init", "workbench.cli.query", "workbench.cli.report",
    "workbench.cli.snapshot", "workbench.cli.doctor", "workbench.cli.serve",
    "workbench.reporting.catalogue",
)  # fmt: skip


class Forking:
    """Runs ``python -m workbench``; ends with the block."""

    def __enter__(self) -> Self:
        ours, theirs = socket.socketpair()
        self._control = ours
        self._control.settimeout(HANGS_SECONDS)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._control.close()
        self._process.wait()

    def run(
        self,
        *words: object,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
    ) -> subprocess.CompletedProcess[bytes]:
        """Run the program as `subprocess.run` would, and wait for its end.

        Parameters
        ----------
        words
            Its arguments.
        cwd
            Its folder.
        env
            Its environment; ours where it is not given.
        stdin
            What it can read.
        """
        argv = [os.fsdecode(word) if isinstance(word, bytes) else str(word) for word in words]
        asked = {"argv": argv, "cwd": str(cwd), "env": dict(os.environ if env is None else env)}
        pipes = [os.pipe() for _ in range(3)]
        (reads, feeds), (out, says), (err, tells) = pipes
        with tempfile.TemporaryFile() as request:
            request.write(json.dumps(asked).encode())
            request.seek(0)
            socket.send_fds(self._control, [b"."], [request.fileno(), reads, says, tells])
        for given in (reads, says, tells):
            os.close(given)
        said = {out: b"", err: b""}
        threads = [threading.Thread(target=_feed, args=(feeds, stdin))]
        threads += [threading.Thread(target=_drain, args=(end, said)) for end in (out, err)]
        for thread in threads:
            thread.start()
        code = self._code()
        for thread in threads:
            thread.join()
        return subprocess.CompletedProcess(argv, code, said[out], said[err])

    def read(
        self, *words: object, cwd: Path, env: Mapping[str, str] | None = None, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Do as `run` does, in text."""
        done = self.run(*words, cwd=cwd, env=env, stdin=stdin.encode())
        out, err = done.stdout.decode(), done.stderr.decode()
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    def _code(self) -> int:
        try:
            return int(struct.unpack("i", self._control.recv(4))[0])
        except TimeoutError:
            os.killpg(self._process.pid, signal.SIGKILL)
            raise


def _feed(pipe: int, text: bytes) -> None:
    try:
        with os.fdopen(pipe, "wb") as stream:
            stream.write(text)
    except BrokenPipeError:
        pass  # the program did not want it all


def _drain(pipe: int, said: dict[int, bytes]) -> None:
    with os.fdopen(pipe, "rb") as stream:
        said[pipe] = stream.read()


# ---------------------------------------------------------------- in the other process


def _serve(control: socket.socket) -> bool:
    """Fork for each request; True in a fork, False where nobody asks any more."""
    while True:
        message, given, _, _ = socket.recv_fds(control, 1, 4)
        if not message:
            return False
        child = os.fork()
        if child == 0:
            control.close()
            _become(given)
            return True
        for each in given:
            os.close(each)
        _, status = os.waitpid(child, 0)
        control.sendall(struct.pack("i", os.waitstatus_to_exitcode(status)))


def _become(given: list[int]) -> None:
    """Take over the streams, the folder, the environment and the arguments."""
    request, *streams = given
    with os.fdopen(request, "rb") as file:
        asked = json.load(file)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    # the old ones remember whether what they stood for could be sought
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as we live
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, "utf-8", "backslashreplace", closefd=False)  # noqa: SIM115
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    sys.argv[1:] = asked["argv"]


if __name__ == "__main__":
    import gc
    import importlib
    import runpy
    import warnings

    sys.path[0] = ""  # the program's folder, as for `python -m`; not that of the tests
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons: forks with threads
        for name in _LOADED:
            importlib.import_module(name)
        gc.freeze()
        forked = _serve(socket.socket(fileno=int(sys.argv.pop())))
    if forked:
        runpy.run_module("workbench", run_name="__main__", alter_sys=True)
