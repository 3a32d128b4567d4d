"""Raw samples to arrays and to a snapshot: remote-read, export and range selectors.

Run with ``python tests/benchmarks/bench_capture.py [ROUNDS]``. The same 5.76 million samples (2,000
series, twelve hours at 15 s, noisy floats) stand in a Prometheus and in a VictoriaMetrics; the
first run feeds the latter, and so takes some minutes.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

import estate
import measure
import servers

WINDOW = (estate.END_MS - estate.DAY_MS // 2 + 7_000, estate.END_MS - 8_000)
SELECTOR = "bench_gauge"
SAMPLES = 5_760_000


def _source(url: str) -> object:
    from workbench.settings import SourceSettings
    from workbench.sources.prometheus import PrometheusSource

    source = PrometheusSource(SourceSettings(url=url))
    source.info()
    return source


def _read(url: str, way: str) -> Callable[[], int]:
    """Read everything, one batch after the other; the figure is how many samples came."""
    from workbench.capture import plan
    from workbench.capture.reading import reading_named

    source = _source(url)
    planned = plan(source, [SELECTOR], *WINDOW)
    reading = reading_named(source, way)
    assert reading.name == way

    def run() -> int:
        return sum(
            len(times)
            for batch in planned.batches
            for _, times, _ in reading.read(batch, WINDOW, lambda: None).series
        )

    return run


def remote_read(urls: str) -> Callable[[], int]:
    """Packed chunks from Prometheus."""
    return _read(urls.split(maxsplit=1)[0], "remote-read")


def export(urls: str) -> Callable[[], int]:
    """JSON lines from VictoriaMetrics."""
    return _read(urls.split()[1], "export")


def range_selectors(urls: str) -> Callable[[], int]:
    """PromQL answers from Prometheus."""
    return _read(urls.split(maxsplit=1)[0], "range selectors")


def _capture(url: str, *, ranges: bool = False) -> Callable[[], int]:
    """Copy everything into a snapshot, planning included."""
    from workbench import capture, store
    from workbench.capture import copying

    source = _source(url)
    folder = Path(tempfile.mkdtemp(prefix="bench-capture-"))
    if ranges:
        copying.choose_reading = lambda found, _plan: (
            copying.reading_named(found, "range selectors"),
            (),
        )

    def run() -> int:
        try:
            capture.capture(source, [SELECTOR], *WINDOW, folder / "copy")
            return store.read_manifest(folder / "copy").counts.samples
        finally:
            shutil.rmtree(folder)

    return run


def snapshot_by_remote_read(urls: str) -> Callable[[], int]:
    """All of `workbench snapshot create` but the command line."""
    return _capture(urls.split(maxsplit=1)[0])


def snapshot_by_export(urls: str) -> Callable[[], int]:
    """The same from VictoriaMetrics."""
    return _capture(urls.split()[1])


def snapshot_by_range_selectors(urls: str) -> Callable[[], int]:
    """The same as if Prometheus had no remote-read."""
    return _capture(urls.split(maxsplit=1)[0], ranges=True)


CANDIDATES = {
    each.__name__: each
    for each in (
        remote_read,
        export,
        range_selectors,
        snapshot_by_remote_read,
        snapshot_by_export,
        snapshot_by_range_selectors,
    )
}


@contextlib.contextmanager
def _running() -> Iterator[str]:
    """Give the URLs of both servers."""
    folder = estate.FOLDER.with_name("capture-1")
    with estate.running() as prometheus, servers.victoriametrics(folder) as server:
        if not (folder / "whole").exists():
            print("feeding VictoriaMetrics once", file=sys.stderr)
            _feed(prometheus, server.url)
            (folder / "whole").touch()
        yield f"{prometheus} {server.url}"


def _feed(prometheus: str, victoriametrics: str) -> None:
    from workbench.capture import plan
    from workbench.capture.reading import reading_named

    source = _source(prometheus)
    reading = reading_named(source, "remote-read")
    for batch in plan(source, [SELECTOR], *WINDOW).batches:
        series = list(reading.read(batch, WINDOW, lambda: None).series)
        for first in range(0, len(series), 50):
            servers.import_into(victoriametrics, series[first : first + 50])


def main(rounds: int) -> None:
    """Print the table and which goals are met."""
    with _running() as urls:
        found = measure.alternate(__file__, list(CANDIDATES), urls, rounds)
    for name, (_, _, samples) in found.items():
        if samples != SAMPLES:
            sys.exit(f"{name} gave {samples:,} samples, not {SAMPLES:,}")
    print(f"\n{SELECTOR}, {SAMPLES:,} samples, medians of {rounds}\n")
    print("| candidate | s | faster than range selectors by | extra peak MB |")
    print("|---|---|---|---|")
    for name, (seconds, peak, _) in found.items():
        base = "snapshot_by_range_selectors" if "snapshot" in name else "range_selectors"
        print(f"| {name} | {seconds:.2f} | {found[base][0] / seconds:.1f} | {peak:.0f} |")
    measure.judge(
        {
            "remote-read at least 3 × as fast as range selectors": found["remote_read"][0] * 3
            <= found["range_selectors"][0],
            "export at least 1.5 × as fast as range selectors": found["export"][0] * 1.5
            <= found["range_selectors"][0],
        }
    )


if __name__ == "__main__":
    if len(sys.argv) > 2:
        measure.run_here(CANDIDATES[sys.argv[1]](sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) == 2 else measure.ROUNDS)
