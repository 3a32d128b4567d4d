"""Running a notebook's cells: papermill, in this interpreter's own kernel, within one deadline."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill import PapermillExecutionError, execute_notebook
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.execute import ERROR_MARKER_TAG

from workbench.errors import MissingExtraError, ReportError, WorkbenchError
from workbench.reporting.startup import KERNEL_CODE
from workbench.units import format_duration

__all__ = ["Execution", "Progress", "execute"]

Progress = Callable[[int, int], Any]
"""Called with how many cells are done and how many there are."""

_ENGINE: Final = "workbench"
_START_SECONDS: Final = 60
_SOCKET_PATH: Final = 90
"""Longer paths of sockets are refused by some systems."""

_quiet: Final = logging.getLogger(f"{__name__}.client")
"""What the client would log is told better by the page and by our own error."""
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False


@dataclass(frozen=True, slots=True)
class Execution:
    """What a run left.

    Parameters
    ----------
    notebook
        The notebook with the outputs of every cell that ran.
    error
        Why it ended early, None where it did not.
    timed_out
        Whether the deadline ended it.
    """

    notebook: Any
    error: WorkbenchError | None = None
    timed_out: bool = False


class _OwnKernelSpecs(KernelSpecManager):
    """Knows one kernel: this interpreter. A `python3` that the user registered may be another."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:  # noqa: ARG002 - whatever is asked
        argv = [sys.executable, "-c", KERNEL_CODE, "-f", "{connection_file}"]
        return KernelSpec(argv=argv, language="python")


class _Client(PapermillNotebookClient):
    """papermill's client with an environment for the kernel and news of its progress."""

    def __init__(
        self, manager: Any, *, environment: Mapping[str, str], progress: Progress, folder: Path,
        **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(manager, **options)
        self._environment = dict(environment)
        self._progress = progress
        self._folder = folder

    def create_kernel_manager(self) -> AsyncKernelManager:
        """A manager that starts this interpreter's kernel.

        It is spoken to through sockets in a folder that only this user may enter: ports could be
        listened to, and runs that start together could pick the same ones.
        """
        connection = self._folder / "k.json"
        short = len(str(connection)) < _SOCKET_PATH
        self.km = AsyncKernelManager(
            kernel_spec_manager=_OwnKernelSpecs(),
            connection_file=str(connection),
            transport="ipc" if short else "tcp",
        )
        return self.km

    def start_new_kernel(self, **options: Any) -> None:
        """Start it with the report's environment, where its credentials are."""
        super().start_new_kernel(env={**os.environ, **self._environment}, **options)

    def execute_cell(self, cell: Any, index: int, **options: Any) -> Any:
        """Run one cell and tell the progress."""
        self._progress(index, len(self.nb.cells))
        return super().execute_cell(cell, index, **options)


class _Engine(NBClientEngine):
    """papermill's engine with the client above."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, *, environment: Mapping[str, str],
        progress: Progress, ends: float, folder: Path, **_: Any,
    ) -> Any:  # fmt: skip
        """Run the cells; a cell may take what is left until the whole run's end."""
        return _Client(
            nb_man,
            environment=environment,
            progress=progress,
            folder=folder,
            kernel_name=kernel_name,
            startup_timeout=_START_SECONDS,
            timeout_func=lambda _cell: max(0.05, ends - time.monotonic()),
            log=_quiet,
            # A kernel that has nothing more to say is ended at once, also on Ctrl-C.
            shutdown_kernel="immediate",
        ).execute()


papermill_engines.register(_ENGINE, _Engine)


def execute(
    notebook: Path,
    parameters: Mapping[str, Any],
    *,
    deadline_seconds: float,
    environment: Mapping[str, str],
    progress: Progress | None = None,
) -> Execution:
    """Run a notebook.

    Parameters
    ----------
    notebook
        The notebook; it is not written to.
    parameters
        Injected after the cell tagged ``parameters``.
    deadline_seconds
        For the whole run. What ran until then is kept.
    environment
        Set for the kernel only.
    progress
        Told before each cell.

    Raises
    ------
    MissingExtraError
        The kernel's package is not installed.
    ReportError
        The notebook cannot be read, or the kernel does not start.
    """
    ends = time.monotonic() + deadline_seconds
    source = _read(notebook)
    with tempfile.TemporaryDirectory(prefix="workbench-report-") as folder:
        kept = Path(folder) / "executed.ipynb"
        # papermill fills braces in paths as a template.
        target = str(kept).replace("{", "{{").replace("}", "}}")
        options = {"environment": environment, "progress": progress or _silent}
        try:
            execute_notebook(
                source, target, dict(parameters), engine_name=_ENGINE, kernel_name="python3",
                language="python", progress_bar=False, folder=Path(folder), ends=ends, **options,
            )  # fmt: skip
        except PapermillExecutionError as failure:
            return Execution(_kept(kept), _error_of(failure.ename, failure.evalue))
        except CellTimeoutError:
            seconds = format_duration(round(deadline_seconds * 1000))
            msg = f"the report was not done within its deadline of {seconds}"
            mend = "ask for a shorter `last` or a longer `step`, or give a longer deadline"
            return Execution(_kept(kept), ReportError(msg, mend), timed_out=True)
        except DeadKernelError:
            msg = "the report's kernel ended by itself, most often because memory ran out"
            return Execution(
                _kept(kept), ReportError(msg, "ask for a shorter `last` or a longer `step`")
            )
        except RuntimeError as failure:
            msg = f"the report's kernel did not start ({failure})"
            raise ReportError(
                msg, f"try: {sys.executable} -m ipykernel_launcher --version"
            ) from None
        return Execution(_kept(kept))


def _read(path: Path) -> Any:
    try:
        import ipykernel  # noqa: F401 - asked here, since its absence shows in the child only
    except ImportError:
        what = "running a report"
        raise MissingExtraError(what) from None
    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError) as error:
        msg = f"notebook {path.name} cannot be read ({error})"
        raise ReportError(msg, "check the file, or install observability-workbench again") from None


def _kept(path: Path) -> Any:
    """The executed notebook without the banners that papermill adds to a failed one."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [
        c for c in notebook.cells if ERROR_MARKER_TAG not in c.metadata.get("tags", [])
    ]
    return notebook


def _error_of(name: str, message: str) -> WorkbenchError:
    """The error that a cell raised, as a member of our own tree, so that its exit code holds."""
    import workbench.errors

    kind = getattr(workbench.errors, name, None) if name in workbench.errors.__all__ else None
    if isinstance(kind, type) and issubclass(kind, WorkbenchError):
        error = kind.__new__(kind)
        WorkbenchError.__init__(error, message)
        return error
    return ReportError(
        f"a cell failed with {name}: {message}", "the page shows which, with its traceback"
    )


def _silent(_done: int, _total: int) -> None:
    pass
