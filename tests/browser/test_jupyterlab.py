"""The notebooks in a real JupyterLab: every cell runs, charts are drawn, no other host is asked."""

import contextlib
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from chromium import Chromium
from servers import START_SECONDS, free_port, needs

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

BRIEF = {
    r"last = \"35d\"": r"last = \"14d\"",
    r"traffic = \"+30%\"": r"traffic = \"\"",
}
"""Parameters that make a notebook run in less time."""

OUTPUTS = """
[...jupyterapp.shell.currentWidget.content.model.cells]
  .filter(cell => cell.type === 'code' && cell.sharedModel.getSource().trim())
  .map(cell => ({count: cell.executionCount, outputs: cell.outputs.toJSON()}))
"""
"""What each code cell gave, from the notebook's own model: cells out of sight are not drawn."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab of this environment on a copy of the notebooks; its base URL and token."""
    folder = tmp_path_factory.mktemp("lab")
    for notebook in NOTEBOOKS.glob("*.ipynb"):
        text = notebook.read_text()
        for usual, brief in BRIEF.items():  # reports are rendered whole elsewhere
            text = text.replace(usual, brief)
        (folder / notebook.name).write_text(text)
    port = free_port()
    with (folder / "lab.log").open("w") as log:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
                f"--port={port}", "--ServerApp.port_retries=0", f"--notebook-dir={folder}",
                "--IdentityProvider.token=of-the-test", "--expose-app-in-browser",
                "--LabApp.news_url=",
            ],
            stdout=log, stderr=log,
        )  # fmt: skip
        try:
            _wait_for(process, port)
            yield (
                lambda name: (
                    f"http://127.0.0.1:{port}/lab/workspaces/{Path(name).stem}/tree/{name}?reset&token=of-the-test"
                )
            )
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(process, port):
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5):
            return
        time.sleep(0.1)
    pytest.fail("JupyterLab did not start")


@pytest.fixture
def browser():
    needs("chromium")
    with Chromium() as running:
        yield running


@pytest.mark.lab
@pytest.mark.browser
@pytest.mark.parametrize("name", sorted(p.name for p in NOTEBOOKS.glob("*.ipynb")))
def test_a_notebook_runs_and_draws_in_jupyterlab(lab, browser, name):
    page = browser.open(
        lab(name), height=2400, wait="!!document.querySelector('.jp-Notebook .jp-Cell')"
    )
    page.wait(
        "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
    )
    page.value("void jupyterapp.commands.execute('notebook:run-all-cells')")
    # a first run builds the embedded estate
    page.wait(f"{OUTPUTS.strip()}.every(cell => cell.count !== null)")
    cells = page.value(OUTPUTS)
    failed = [o for cell in cells for o in cell["outputs"] if o["output_type"] == "error"]
    assert not failed
    page.wait(
        "document.querySelectorAll('.jp-OutputArea-output canvas, .jp-OutputArea-output svg.marks').length > 0"
    )
    assert not [
        url for url in page.requests if not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:"))
    ]
    page.value("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.close()
