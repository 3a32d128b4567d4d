"""`workbench init`: a starter `workbench.toml`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from workbench.cli.console import say
from workbench.errors import OutputError
from workbench.settings import FILE_NAME

_STARTER: Final = """\
# Settings of the workbench. Secrets are named here, never written.

# What is asked where no --source is given: a name from below, or a URL.
source = "demo:"

# Where rendered pages go, relative to this file.
output = "out"

# What capacity reports watch; without it the ready-made sets that fit the metrics.
# resources = "resources.toml"

# [sources.production]
# url = "https://prometheus.example.com"
# bearer_token_file = "/run/secrets/prometheus-token"   # or bearer_token_env = "PROM_TOKEN"
# # username = "reader"
# # password_env = "PROM_PASSWORD"
# # ca_file = "ca.pem"
# # cert_file = "client.pem"
# # key_file = "client-key.pem"
# # headers = { X-Scope-OrgID = "team-a" }              # a value of $NAME is read from the environment
# # proxy = "http://proxy.example.com:3128"
# # timeout_seconds = 60
# # retries = 3
# # concurrency = 4
# # max_samples = 50000000
#
# [sources.incident]
# url = "snapshot:incidents/2026-06-17"
"""


def init(
    folder: Annotated[Path, typer.Argument(help="Where to write it.")] = Path(),
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace one that is there.")] = False,
) -> None:
    """Write a starter workbench.toml with every key explained."""
    path = folder / FILE_NAME
    if path.exists() and not force:
        msg = f"{path} exists already"
        raise OutputError(msg, "edit it, or replace it with --force")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(_STARTER, encoding="utf-8")
    except OSError as error:
        msg = f"{path} cannot be written ({error.strerror})"
        raise OutputError(msg, "choose a folder you may write to") from None
    typer.echo(path)
    say("next: name your server under [sources], then run `workbench doctor`")
