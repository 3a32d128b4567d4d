"""The embedded PromQL engine: evaluates PromQL 3.x over columns of samples.

Text is parsed (`promql.parse`), walked (`evaluator`) and evaluated for all steps at once: `selectors`
bring samples, `kernels` look at windows of them, `functions` name what the language offers,
`aggregate`, `choose`, `binary` and `matching` combine series. Whoever implements `Storage` can be
queried.
"""

from workbench.engine.engine import DEFAULT_LOOKBACK_MS, Engine, Evaluation
from workbench.engine.limits import Limits
from workbench.engine.storage import Storage

__all__ = ["DEFAULT_LOOKBACK_MS", "Engine", "Evaluation", "Limits", "Storage"]
