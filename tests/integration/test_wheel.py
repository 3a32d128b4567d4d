"""What is built is what is needed: the wheel alone runs, with notebooks and report assets inside."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The built wheel, unpacked where nothing of the checkout is."""
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(unpacked, tmp_path, code):
    environment = os.environ | {"PYTHONPATH": str(unpacked)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_everything_that_is_not_python_is_inside(unpacked):
    tracked = subprocess.run(
        ["git", "ls-files", "workbench", "notebooks", "reports"], cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    inside = {str(p.relative_to(unpacked)) for p in unpacked.rglob("*") if p.is_file()}
    wanted = {p if p.startswith("workbench/") else f"workbench/_shipped/{p}" for p in tracked}
    assert wanted <= inside


def test_the_wheel_finds_its_own_notebooks_and_pages(unpacked, tmp_path):
    code = (
        "import workbench; from workbench.reporting.assets import shipped; from workbench.findings.pages import titles\n"
        "print(workbench.__file__, shipped('notebooks', 'capacity.ipynb'), shipped('reports', 'template'), len(titles()))"
    )
    package, notebook, template, pages = run(unpacked, tmp_path, code).split()
    assert all(Path(p).is_relative_to(unpacked) for p in (package, notebook, template))
    assert int(pages) > 0


def test_a_report_runs_from_the_wheel(unpacked, tmp_path):
    """The kernel, too, imports what was built and not the checkout."""
    code = (
        "import numpy as np; from pathlib import Path; from workbench.store import write_snapshot\n"
        "from workbench.reporting import run_report\n"
        "t = np.arange(0, 86_400_000, 600_000, dtype=np.int64)\n"
        "write_snapshot('kept', [({'__name__': 'x'}, t, t * 0.0)])\n"
        "run = run_report('capacity', {'last': '1d'}, output=Path('out'), source='snapshot:kept')\n"
        "print(run.status, run.html.exists())"
    )
    assert run(unpacked, tmp_path, code) == "complete True"
