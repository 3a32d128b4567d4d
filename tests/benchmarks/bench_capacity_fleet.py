"""A fleet of 500 resources: seconds, processes, memory, and the page that shows it.

Run with ``python tests/benchmarks/bench_capacity_fleet.py [RESOURCES]``. On simulated resources:

- one core: CPU seconds a resource, of five weeks and of a quarter of hourly samples;
- two processes: CPU seconds of this process and of its workers. Their sum, the workers' halved, is
  what two free cores take; the seconds that passed stand beside it, which other work makes longer;
- memory: the peak above what the samples themselves take, at a fifth and at all of the resources;
- the page: its size, and the CPU seconds that Chromium needs until every chart is drawn.

Ends with 1 where a goal is missed.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
for folder in (HERE.parent / "unit" / "capacity", HERE.parent / "browser", HERE.parent):
    sys.path.insert(0, str(folder))

from measure import judge  # noqa: E402 - its folder is only known now

SEED = 11
PAGE_BYTES = 3_000_000
SECONDS = {"resource": 0.2, "fleet": 60.0, "drawn": 3.0}
KILOBYTES = 60
"""What an outlook itself takes, with its history, fan and chances, and what it is kept in."""


def fleet(count: int, days: int) -> tuple[Any, dict[str, Any], int]:
    """Simulated resources as an analysis gets them."""
    import numpy as np
    from capacity_simulation import RESOURCE, Fleet, fleet_frames, simulate_resource

    rng = np.random.default_rng([SEED, days])
    kinds = (
        Fleet("quiet", history=(days,)),
        Fleet("shifting", history=(days,), shifts_per_day=0.02),
    )
    truths = [simulate_resource(kinds[i % 2], rng) for i in range(count)]
    return RESOURCE, *fleet_frames(truths)


def memory_kb(field: str) -> int:
    """One figure of this process."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def cpu(who: int) -> float:
    """CPU seconds so far."""
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def run(count: int, days: int, workers: int) -> None:
    """Analyse once in this process and print the figures as JSON."""
    from workbench.capacity import analyse

    one, frames, now_ms = fleet(count, days)
    analyse([one], fleet(1, 35)[1], now_ms=now_ms, workers=1)  # what is imported on first use
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
    before, wall = memory_kb("VmRSS:"), time.perf_counter()
    here, there = cpu(resource.RUSAGE_SELF), cpu(resource.RUSAGE_CHILDREN)
    analyse([one], frames, now_ms=now_ms, workers=workers)
    print(
        json.dumps(
            {
                "here": cpu(resource.RUSAGE_SELF) - here,
                "there": cpu(resource.RUSAGE_CHILDREN) - there,
                "wall": time.perf_counter() - wall,
                "peak_mb": (memory_kb("VmHWM:") - before) / 1024,
                "worker_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
            }
        )
    )


def measured(count: int, days: int, workers: int) -> dict[str, float]:
    """Run in a process of its own."""
    words = [sys.executable, "-W", "ignore", __file__, "run", *map(str, (count, days, workers))]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(
        f"{count:>6} × {days:>2} d, {workers} process{'es' * (workers > 1)}: "
        f"{found['here'] + found['there']:.1f} CPU s ({found['there']:.1f} in workers), "
        f"{1000 * (found['here'] + found['there']) / count:.0f} ms a resource, "
        f"{found['wall']:.1f} s passed, peak +{found['peak_mb']:.1f} MB"
        + (f", a worker {found['worker_mb']:.0f} MB" if workers > 1 else ""),
        flush=True,
    )
    return found


def page(count: int, folder: Path) -> tuple[Path, float]:
    """Render the page of so many resources, made from sixty; give the CPU seconds of its chart."""
    import nbformat

    from workbench.capacity import analyse
    from workbench.reporting.record import ReportRecord
    from workbench.reporting.render import render_page
    from workbench.reporting.studies import studies_of, summary_of
    from workbench.session.capacity_study import CapacityStudy
    from workbench.session.study import STUDY_MIME
    from workbench.views.renderer import chart_bundle

    one, frames, now_ms = fleet(min(60, count), 63)
    result = analyse([one], frames, now_ms=now_ms)
    have = result.outlooks
    names = ("disk {0}.eu-west-1.example.net /data", "cpu {0}.eu-west-1.example.net", "pool {0}")
    outlooks = [
        replace(
            have[i % len(have)],
            name=names[i % 3].format(f"node-{i:04d}"),
            service=f"service-{i % 14}",
        )
        for i in range(count)
    ]
    result = replace(result, outlooks=tuple(sorted(outlooks, key=lambda o: o.urgency)))
    study = CapacityStudy(result, [])
    begun = time.process_time()
    chart = chart_bundle(study.chart().to_dict())
    seconds = time.process_time() - begun
    v4 = nbformat.v4
    shown = ({STUDY_MIME: study.to_dict()}, chart, {"text/html": study.table._repr_html_()})
    outputs = [v4.new_output("display_data", json.loads(json.dumps(each))) for each in shown]
    cells = [
        v4.new_markdown_cell("# Capacity"),
        *(v4.new_code_cell("…", outputs=[o]) for o in outputs),
    ]
    for cell in cells:
        cell.metadata["papermill"] = {"start_time": "2026-01-01T00:00:00"}
    notebook = v4.new_notebook(cells=cells)
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    record = ReportRecord.model_validate(
        {
            "report": "capacity", "title": "Capacity", "status": "complete", "started": now, "seconds": 1.0,
            "now": now, "source": "simulated", "parameters": {}, "findings": [], "provenance": [],
            "results": [], "html": "capacity.html", "workbench_version": "0",
            **summary_of(studies_of(notebook), now=now),
        }
    )  # fmt: skip
    path = folder / "capacity.html"
    path.write_text(render_page(notebook, record), encoding="utf-8")
    return path, seconds


def drawn(path: Path) -> tuple[float, list[str]]:
    """CPU seconds of the page's main thread until every chart is drawn, and what it complained of."""
    from chromium import Chromium

    with Chromium() as browser:
        opened = browser.open("about:blank#", wait="true")
        opened.call("Performance.enable", timeDomain="threadTicks")
        opened.call("Page.navigate", url=path.as_uri())
        opened.wait("document.documentElement?.dataset.charts === 'drawn'")
        metrics = {m["name"]: m["value"] for m in opened.call("Performance.getMetrics")["metrics"]}
        complaints = opened.complaints
        opened.close()
    return metrics["TaskDuration"], complaints


def main(count: int) -> None:
    """Measure, print, judge."""
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    few = max(24, count // 5)
    single = [measured(few, days, 1) for days in (35, 90)]
    small, large = measured(few, 35, 2), measured(count, 35, 2)
    worst = max((s["here"] + s["there"]) / few for s in single)
    two_cores = large["here"] + large["there"] / 2
    grown = 1024 * (large["peak_mb"] - small["peak_mb"]) / max(count - few, 1)
    print(f"two free cores: {two_cores:.1f} s; memory grows by {grown:.0f} KB a resource")
    claims = {
        f"{1000 * worst:.0f} ms a resource on one core, at most 200": worst <= SECONDS["resource"],
        f"{count} resources in {two_cores:.0f} s on two cores, at most 60": two_cores
        <= SECONDS["fleet"],
        f"{grown:.0f} KB more memory for each resource, at most {KILOBYTES}": grown <= KILOBYTES,
    }
    with tempfile.TemporaryDirectory() as folder:
        path, seconds = page(count, Path(folder))
        size = path.stat().st_size
        print(f"page: {size:,} bytes; its chart and picture: {seconds:.1f} CPU s")
        claims[f"a page of {size:,} bytes, at most {PAGE_BYTES:,}"] = size <= PAGE_BYTES
        from chromium import find

        if find():
            passed, complaints = drawn(path)
            claims[f"drawn within {passed:.1f} CPU s, at most 3"] = passed <= SECONDS["drawn"]
            claims[f"{len(complaints)} complaints of the browser, none"] = not complaints
        else:
            print("chromium is not installed: the page is not drawn")
    judge(claims)


if __name__ == "__main__":
    if sys.argv[1:2] == ["run"]:
        run(*map(int, sys.argv[2:]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
