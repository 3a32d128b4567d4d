"""`workbench demo`: every report on the embedded estate."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import typer

from workbench.cli.console import progress, say
from workbench.cli.options import OutputFolder
from workbench.errors import ReportError
from workbench.settings import load_settings

_MOST_AT_ONCE: Final = 4
_LOOK_SECONDS: Final = 0.1


def demo(*, output: OutputFolder = None) -> None:
    """Render every report on the embedded estate, with no server; print the index page."""
    from workbench.demo import open_demo
    from workbench.reporting import catalogue, write_index
    from workbench.reporting.files import prepare_folder

    folder = output or load_settings().output
    prepare_folder(folder)
    with progress("building the estate") as update:
        open_demo(progress=update).close()
    names = list(catalogue())
    with progress("rendering") as update:
        for done, run in enumerate(_rendered(names, folder), 1):
            update(done, len(names))
            say(f"  {run.last_line()}")
            if run.process.returncode != 0:
                msg = f"the report {run.name} failed: {run.last_line()}"
                raise ReportError(msg, f"run `workbench report {run.name} --source demo:`")
    typer.echo(_shown(write_index(folder)))


@dataclass(frozen=True)
class _Run:
    """A report that another process renders, and what that says."""

    name: str
    process: subprocess.Popen[bytes]
    said: IO[bytes]

    def last_line(self) -> str:
        self.said.seek(0)
        lines = self.said.read().decode(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), f"{self.name}: no word")


def _rendered(names: Sequence[str], folder: Path) -> Iterator[_Run]:
    """Render as many reports at once as there are cores; give each when it is done."""
    waiting, running = list(names), list[_Run]()
    with _interrupted_together(running):
        while waiting or running:
            while waiting and len(running) < min(os.cpu_count() or 1, _MOST_AT_ONCE):
                say(f"rendering {waiting[0]}")
                running.append(_start(waiting.pop(0), folder))
            done = [run for run in running if run.process.poll() is not None]
            for run in done:
                running.remove(run)
                with run.said:
                    yield run
            if not done:
                time.sleep(_LOOK_SECONDS)


def _start(name: str, folder: Path) -> _Run:
    said = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the run was told of
    command = [sys.executable, "-m", "workbench", "report", name]
    process = subprocess.Popen(  # noqa: S603 - our own program, a name of our catalogue
        [*command, "--source", "demo:", "--output", str(folder)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said,
    )  # fmt: skip
    return _Run(name, process, said)


@contextmanager
def _interrupted_together(running: Sequence[_Run]) -> Iterator[None]:
    """Where one fails or Ctrl-C comes, the others end too, as if interrupted themselves."""
    try:
        yield
    finally:
        for run in running:
            run.process.send_signal(signal.SIGINT)
        for run in running:
            run.process.wait()
            run.said.close()


def _shown(path: Path) -> str:
    """A path as short as it can be typed."""
    full = path.resolve()
    return str(full.relative_to(Path.cwd()) if full.is_relative_to(Path.cwd()) else full)
