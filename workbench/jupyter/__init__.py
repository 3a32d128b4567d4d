"""PromQL in a notebook: `%load_ext workbench` gives the magics, completion and rich display."""

from __future__ import annotations

from typing import Any

__all__ = ["load_ipython_extension"]


def load_ipython_extension(ipython: Any) -> None:
    """Register `%promql`, `%%promql` and `%promql_source`; what ``%load_ext workbench`` calls.

    Charts of the workbench then show themselves without the network, in the workbench's look.

    Parameters
    ----------
    ipython
        The running IPython shell.
    """
    from workbench.jupyter.magics import register
    from workbench.views import renderer, theme

    theme.enable()
    renderer.enable()
    register(ipython)
