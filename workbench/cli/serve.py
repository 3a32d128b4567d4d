"""`workbench serve`: a source over the Prometheus HTTP API."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.console import say
from workbench.cli.options import Source

if TYPE_CHECKING:
    from workbench.serving import Listening, Server
    from workbench.serving.server import Line


def serve(
    *,
    source: Source = None,
    address: Annotated[
        str, typer.Option("--listen", help="HOST:PORT; port 0 takes a free one.")
    ] = "127.0.0.1:9090",
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file",
            help="File with the bearer token that requests must bring [else: $WORKBENCH_SERVE_TOKEN].",
        ),
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option("--tls-cert", help="Certificate (PEM) to speak TLS with.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--tls-key", help="Its key (PEM).")] = None,
    insecure: Annotated[
        bool,
        typer.Option("--insecure", help="Let other machines read without token and TLS."),
    ] = False,
    origins: Annotated[
        list[str] | None,
        typer.Option("--cors-origin", help="Web origin whose pages may read answers; * for all."),
    ] = None,
    concurrency: Annotated[
        int, typer.Option("--concurrency", min=1, max=64, help="Questions under way at once.")
    ] = 4,
    timeout: Annotated[
        str, typer.Option("--timeout", help="The longest that one request may take.")
    ] = "2m",
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="A line on stderr for every request.")
    ] = False,
) -> None:
    """Answer the Prometheus HTTP API from a source, for Grafana, promtool and other clients."""
    from workbench.serving import Access, Bounds, Server, listen
    from workbench.serving.listening import read_token, tls_context
    from workbench.session import connect
    from workbench.units import parse_duration

    token, tls = read_token(token_file), tls_context(certificate, key)
    bounds = Bounds(concurrency=concurrency, query_seconds=parse_duration(timeout) / 1000)
    listening = listen(address, guarded=bool(token or tls or insecure))
    access = Access(token, local_only=listening.local_only, origins=tuple(origins or ()))
    with connect(source) as wb:
        server = Server(
            wb.source, access=access, bounds=bounds, tls=tls, log=_log if verbose else None
        )
        url = f"{'https' if tls else 'http'}://{listening.host}:{listening.port}"
        say(f"serving {wb.source.info().name} at {url}; Ctrl-C ends it")
        if not listening.local_only:
            _warn(token=bool(token), tls=tls is not None)
        asyncio.run(_until_told(server, listening))
    say("ended")


async def _until_told(server: Server, listening: Listening) -> None:
    """Serve until Ctrl-C or a polite kill."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, ended.set)
    await server.run(listening, ended)


def _warn(*, token: bool, tls: bool) -> None:
    if not token:
        say("note: other machines can reach this, and whoever can may read: there is no token")
    if not tls:
        say("note: answers" + " and the token" * token + " cross the network unencrypted")


def _log(line: Line) -> None:
    query = f" {line.query[:300]}" if line.query else ""
    say(
        f"{line.client} {line.method} {line.path} {line.status} {line.size:,} B "
        f"{line.seconds * 1000:.0f} ms{query}"
    )
