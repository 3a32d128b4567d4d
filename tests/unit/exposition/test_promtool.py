"""promtool, the program people backfill with, takes what the writer writes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import servers

from workbench.exposition import write_openmetrics
from workbench.samples import MetricMetadata, MetricType, Series


def test_promtool_makes_blocks_of_every_sample(tmp_path: Path) -> None:
    """Two days of a histogram and of names and values that need quoting: no sample is lost."""
    promtool = servers.needs("promtool")
    times = 1_700_000_000_123 + np.arange(0, 2 * 86_400_000, 600_007, dtype=np.int64)
    ones = np.arange(len(times), dtype=np.float64)
    series: list[Series] = [
        ({"__name__": "h_bucket", "le": "0.5"}, times, ones),
        ({"__name__": "h_bucket", "le": "+Inf"}, times, ones * 2),
        ({"__name__": "h_sum"}, times, ones),
        ({"__name__": "h_count"}, times, ones * 2),
        ({"__name__": "requests_total", "path": 'a"b\\c\nd} # {é'}, times, ones),
        ({"__name__": "plain"}, times, np.where(ones % 2, np.inf, -1.5e-300)),
    ]
    metadata = [
        MetricMetadata("h", MetricType.HISTOGRAM, 'Help with "quotes"\nand lines.'),
        MetricMetadata("requests_total", MetricType.COUNTER),
    ]
    text = tmp_path / "text.om"
    with text.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(write_openmetrics(series, metadata))
    blocks = tmp_path / "blocks"
    subprocess.run(
        [promtool, "tsdb", "create-blocks-from", "openmetrics", text, blocks],
        check=True,
        capture_output=True,
    )
    (blocks / "wal").mkdir()
    dump = subprocess.run(
        [promtool, "tsdb", "dump", blocks], check=True, capture_output=True, text=True
    ).stdout
    rows = [line.rsplit(" ", 2) for line in dump.splitlines()]
    assert len(rows) == len(series) * len(times)
    assert sorted({int(row[2]) for row in rows}) == times.tolist()
