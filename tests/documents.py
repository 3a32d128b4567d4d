"""The commands of the documents, each block run once a session for all that look at it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


class Documents:
    """Runs commands in empty folders that have the project's schedule."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self._factory = factory
        self._ran: dict[str, tuple[subprocess.CompletedProcess[str], Path]] = {}

    def folder(self) -> Path:
        """Make such a folder."""
        made = self._factory.mktemp("documents")
        (made / "reports").mkdir()
        text = (ROOT / "reports" / "schedule.toml").read_text()
        (made / "reports" / "schedule.toml").write_text(text)
        return made

    def run(self, command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
        """Run a command as a reader would, with the program on the path."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {k: v for k, v in os.environ.items() if k != "WORKBENCH_SOURCE"}
        return subprocess.run(
            command, cwd=folder, env=environment | {"PATH": path}, capture_output=True, text=True,
            check=False, timeout=300,
        )  # fmt: skip

    def ran(self, text: str) -> tuple[subprocess.CompletedProcess[str], Path]:
        """Give what a block of commands said, and the folder in which it ran."""
        if text not in self._ran:
            folder = self.folder()
            self._ran[text] = self.run(["bash", "-euc", text], folder), folder
        return self._ran[text]

    def holding(self, page: str, command: str) -> tuple[subprocess.CompletedProcess[str], Path]:
        """Give the same of the block of a page that holds a command."""
        found = re.findall(r"```bash\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
        (text,) = [text for text in found if command in text]
        return self.ran(text)


@pytest.fixture(scope="session")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Documents:
    """Give what runs the documents' blocks."""
    return Documents(tmp_path_factory)
