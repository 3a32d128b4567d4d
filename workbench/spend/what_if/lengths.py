"""How long the answers of another model are, and whether it thinks before it answers.

Sources
-------
Reasoning models write about eight times the tokens of others on benchmarks (Epoch AI, "LLM
responses to benchmark questions are getting longer over time", April 2025); the tokens of their
reasoning are billed as output. Between models of one kind nothing general is published: those
ranges are wide by choice, and a trial with one's own prompts is worth more than any of them.
"""

from __future__ import annotations

import re
from typing import Final

from workbench.spend.what_if.ranges import Range
from workbench.spend.what_if.tokenizers import tokenizer_of

__all__ = ["may_reason", "output_factor"]

_REASONS: Final = re.compile(
    r"(?:^|[/.:])o[1-9](?:$|[-@:])|gpt-(?:[5-9]|oss)|gemini-(?:2\.5(?!-flash-lite)|[3-9])|deepseek-(?:r\d|reasoner|v4)"
    r"|qwq|magistral|grok-(?:[4-9]|3-mini|code)|kimi-k(?:2\.[5-9]|[3-9])|glm-(?:4\.[5-9]|[5-9])"
    r"|claude-(?:opus|sonnet|haiku|fable|mythos)-[5-9]|thinking|-reasoning"
)
_SAYS_NOT: Final = re.compile(r"non-reasoning|-chat|-instruct|no-?think")

_MORE: Final = 8.0
"""How many times as much a model writes that thinks first."""


def may_reason(model: str) -> bool:
    """Tell whether a model thinks before it answers unless it is told not to.

    Examples
    --------
    >>> may_reason("gemini-2.5-pro"), may_reason("gpt-4o"), may_reason("gpt-5-chat")
    (True, False, False)
    """
    name = model.lower()[:300]
    return bool(_REASONS.search(name)) and not _SAYS_NOT.search(name)


def output_factor(old: str, new: str, *, without_reasoning: bool = False) -> Range:
    """Bound the length of the new model's answers, as multiples of the old one's.

    Parameters
    ----------
    old, new
        The models.
    without_reasoning
        Whether the old one's reasoning was counted and is out of its output.

    Examples
    --------
    >>> output_factor("gpt-4o", "gpt-4o-mini").text()
    '0.9–1.15 ×'
    >>> output_factor("gpt-4o", "o3").text()
    '0.8–8 ×'
    """
    if old.lower() == new.lower():
        return Range(1.0, 1.0, 1.0, "the same model")
    before, after = may_reason(old), may_reason(new)
    if before and after:
        return Range.between(0.5, 2.0, "both may reason, each in its own way")
    if after:
        why = "its reasoning is billed as output: eight times as much on benchmarks (Epoch AI 2025)"
        return Range.between(0.8, _MORE, why)
    if before and not without_reasoning:
        why = "the output now holds reasoning that is not counted apart"
        return Range.between(1 / _MORE, 1.3, why)
    family = tokenizer_of(old)
    if family and family == tokenizer_of(new):
        return Range.between(0.9, 1.15, "models of one family")
    return Range.between(0.8, 1.3, "another model answers at another length")
