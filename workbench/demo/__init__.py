"""The embedded estate behind ``demo:``: five weeks of a small company whose truth is known.

`TRUTH` says what was planted; `simulate` makes the series; `open_demo` keeps them in the user's
cache folder and opens them as a source.
"""

from workbench.demo.cache import open_demo
from workbench.demo.estate import metadata, simulate
from workbench.demo.planted import Truth
from workbench.demo.truth import TRUTH

__all__ = ["TRUTH", "Truth", "metadata", "open_demo", "simulate"]
