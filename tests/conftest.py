"""Fixtures that every test may use: real servers, one of each kind a session.

Under pytest-xdist each worker starts its own; they are up in about a second.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator

import pytest
import servers
from forked_program import Forking
from hypothesis import settings

from workbench.views.startup import import_jsonschema

import_jsonschema()  # before nbformat does, which takes a second longer

from documents import documents  # noqa: E402
from report_pages import make_record, notebook, study  # noqa: E402

__all__ = ["documents", "make_record", "notebook", "study"]

# machines that run tests are busy: how long an example takes says nothing
settings.register_profile("workbench", deadline=None)
# What CI says of a change does not depend on what was drawn that time; other runs go on searching.
settings.register_profile("ci", deadline=None, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "workbench")

# a shell that starts the tests in the background has Ctrl-C ignored, by every child process too
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses a real server, so that ``-m 'not servers'`` leaves it out."""
    for item in items:
        if {"prometheus", "victoriametrics", "node_exporter"} & set(
            getattr(item, "fixturenames", ())
        ):
            item.add_marker(pytest.mark.servers)


@pytest.fixture(scope="session")
def forking() -> Iterator[Forking]:
    """Give what runs the program in processes that need not load its libraries."""
    with Forking() as running:
        yield running


@pytest.fixture(scope="session")
def node_exporter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the base URL of a node_exporter."""
    with servers.node_exporter(tmp_path_factory.mktemp("node_exporter")) as server:
        yield server.url


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory: pytest.TempPathFactory, node_exporter: str) -> Iterator[str]:
    """Give the base URL of a Prometheus.

    It scrapes itself and the node_exporter once a second and holds `servers.truth` and
    `servers.odd_values`.
    """
    folder = tmp_path_factory.mktemp("prometheus")
    servers.backfill([*servers.odd_values(), *servers.truth()], folder / "data")
    with servers.prometheus(folder, scrape=[node_exporter.removeprefix("http://")]) as server:
        _wait_for(f"{server.url}/api/v1/query?query=up==1", series=2)
        yield server.url


@pytest.fixture(scope="session")
def victoriametrics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the base URL of a VictoriaMetrics that holds `servers.truth`."""
    with servers.victoriametrics(tmp_path_factory.mktemp("victoriametrics")) as server:
        servers.import_into(server.url, servers.truth())
        moment = servers.TRUTH_START_MS // 1000 + 60
        _wait_for(
            f"{server.url}/api/v1/query?query=count(truth_temperature)&time={moment}&nocache=1",
            series=1,
        )
        yield server.url


def _wait_for(url: str, *, series: int) -> None:
    end = time.monotonic() + servers.START_SECONDS
    while time.monotonic() < end:
        if len(json.loads(servers.get(url))["data"]["result"]) >= series:
            return
        time.sleep(0.05)
    pytest.fail(f"{url} never gave {series} series", pytrace=False)
