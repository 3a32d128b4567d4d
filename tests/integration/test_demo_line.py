"""`workbench demo`: all reports at once, and all ended by one interruption."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from processes import HANGS_SECONDS, children, wait_until


def test_ctrl_c_ends_every_report_and_leaves_no_page(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "workbench", "demo", "--output", "pages"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("rendering"):
            break
    wait_until(lambda: any(map(children, children(process.pid))), "a report's kernel runs")
    reports = children(process.pid)
    process.send_signal(signal.SIGINT)  # to it alone, as from a service manager
    out, err = process.communicate(timeout=HANGS_SECONDS)
    assert process.returncode == 130, err
    assert "interrupted" in err
    assert out == ""
    assert not list((tmp_path / "pages").glob("*.html"))
    for pid in reports:
        assert not os.path.exists(f"/proc/{pid}"), "a report went on"  # noqa: PTH110
