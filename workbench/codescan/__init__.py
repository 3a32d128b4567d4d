"""Source code → the metrics it declares, their labels, and the values that its calls can give them.

The way of a file::

    bytes ── reader ──▶ facts ── program ──▶ declarations, uses ── judge ──▶ inventory
             (a language's)     (whose name is it?)   (a library's tables)  (which values?)

`reader`, `facts`, `expressions`, `program`, `tracing`, `evaluating`, `judging`, `joining` know no
language; a language is a package of its own (`go/`) that hands over one `Language` object.

How to add a language
---------------------
1. ``NAME/reader.py`` (and ``values.py``, its half for expressions): a `Reader` with two tables from node types of its grammar: `expressions`
   (node → `Expr`) and `statements` (node → facts, by `self.bind`, `self.function`, `self.branch`,
   `self.returned`, `self.facts.imports`, `.enums`, `.fields`). Calls go through `self.called`,
   literals of objects through `self.recorded`. A `GuardedReader` also knows what an ``if`` that
   tests membership says. Whatever is in neither table is walked through.
2. ``NAME/LIBRARY.py``: `declare` (a call → `DeclaredMetric`, or None) and `use` (a call → `Use`, or
   None). `evaluator.skeleton(callee, here)` says whose call it is, `evaluator.text`, `.strings`,
   `.numbers`, `.constants`, `.settle` read its arguments through constants and variables.
3. ``NAME/rules.py``: the `RuleTable` of what expressions say (`r.URL.Path` is a request path), what
   passes values on (`str()`), and what to write instead.
4. ``NAME/__init__.py``: the `Language`; its grammar is imported inside `read`. Enter it in
   `languages.py`.
5. Tests beside ``tests/unit/codescan/test_codescan_go_*.py``: each rule with code that must be
   found and code that must not.
"""

from workbench.codescan.scanning import scan_source
from workbench.codescan.walking import DEFAULT_EXCLUDE

__all__ = ["DEFAULT_EXCLUDE", "scan_source"]
