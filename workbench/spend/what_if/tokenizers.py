"""How many tokens another model makes of the same text, as far as is public.

A family of models shares a tokenizer, which has a range of tokens relative to OpenAI's
``o200k_base``; two families are compared through it, so that their range is as wide as both
are uncertain. The ranges are for prose in languages of the Latin script, for code and for JSON:
other scripts differ by far more between old and new tokenizers.

Sources
-------
- Which of OpenAI's models have which encoding: ``tiktoken/model.py``.
- ``cl100k_base``: OpenAI, "Hello GPT-4o" (May 2024): 1.1 times the tokens of the newer one for
  English and the languages of Western Europe, 1.2 to 1.7 for others, up to 4.4 for Gujarati.
- Claude up to 4.6: 16 % more tokens than GPT-4o on English articles, 21 % on mathematics, 30 % on
  Python (VentureBeat, 1 May 2025).
- Claude from Opus 4.7 and Sonnet 5 on: 1 to 1.35 times the tokens of before, Anthropic's migration
  guides say; 1.13 to 1.47 was measured on prose and code (April 2026). The two together make 1.7
  at most on one kind of text.
- Gemini, Llama 3, Mistral: vocabularies of 262,144 (Gemma 3's, which is Gemini 2.0's), 128,256 and
  131,072 (Mistral NeMo's), say their model cards; public comparisons find them within 5 to 15 % of
  ``o200k_base`` for English. Mistral's older models have 32,768 and make more tokens.
"""

from __future__ import annotations

import math
import re
from typing import Final

from workbench.spend.what_if.ranges import Range

__all__ = ["tokenizer_factor", "tokenizer_of"]

_CLAUDE: Final = "Claude up to 4.6"
_CLAUDE_NEW: Final = "Claude from Opus 4.7"

_FAMILIES: Final = (
    (
        "o200k",
        r"gpt-?4o|chatgpt-4o|gpt-4\.[15]|gpt-5(?![.\d])|(?:^|[/.:])o[134](?:$|[-@:])|gpt-oss",
        1.0,
        1.0,
        1.0,
    ),
    ("cl100k", r"gpt-4(?![.\do])|gpt-3\.?5", 1.0, 1.4, 1.0),
    (
        _CLAUDE_NEW,
        r"claude.*(?:opus-4[-.][7-9]|(?:opus|sonnet|haiku|fable|mythos)-[5-9](?![.\d]\d))",
        1.05,
        1.8,
        1.05,
    ),
    (_CLAUDE, r"claude-(?!v?[12]|instant)", 1.05, 1.35, 1.0),
    ("Gemini", r"gemini|gemma", 0.9, 1.2, 1.05),
    ("Llama 3", r"llama-?v?3", 0.95, 1.2, 1.0),
    ("Mistral", r"mistral|mixtral|ministral|magistral|codestral|devstral|pixtral", 0.9, 1.35, 1.2),
)
"""Family, what its models' names contain, tokens relative to ``o200k_base``, and how far two of its
models may differ: 1 where they are known to share one tokenizer. The first fits."""

_UNKNOWN: Final = (0.75, 1.5)
_NEWER: Final = Range.between(1.0, 1.47, "Anthropic's migration guides: 1–1.35; measured to 1.47")


def tokenizer_of(model: str) -> str:
    """Name the family of tokenizers of a model; ``""`` where none is known.

    Examples
    --------
    >>> tokenizer_of("gpt-4o-mini"), tokenizer_of("gpt-4-turbo"), tokenizer_of("in-house-7b")
    ('o200k', 'cl100k', '')
    """
    return _found(model)[0]


def _found(model: str) -> tuple[str, float, float, float]:
    name = model.lower()[:300]
    for family, pattern, *figures in _FAMILIES:
        if re.search(pattern, name):
            return family, figures[0], figures[1], figures[2]
    return "", *_UNKNOWN, math.inf


def tokenizer_factor(old: str, new: str) -> Range:
    """Bound the tokens of the new model for each token of the old.

    Examples
    --------
    >>> tokenizer_factor("gpt-4o", "gpt-4o-mini").is_sure
    True
    >>> tokenizer_factor("gpt-4o", "claude-sonnet-4-5").text()
    '1.05–1.35 ×'
    """
    one, other = _found(old), _found(new)
    if old.lower() == new.lower():
        return Range(1.0, 1.0, 1.0, "the same model")
    if one[0] and one[0] == other[0]:
        apart = one[3]
        if apart == 1:
            return Range(1.0, 1.0, 1.0, f"both have the tokenizer {one[0]}")
        return Range.between(1 / apart, apart, f"two versions of {one[0]}")
    if (one[0], other[0]) == (_CLAUDE, _CLAUDE_NEW):
        return _NEWER
    if (one[0], other[0]) == (_CLAUDE_NEW, _CLAUDE):
        return Range.between(1 / _NEWER.high, 1.0, _NEWER.source)
    names = " to ".join(f[0] or "an unknown tokenizer" for f in (one, other))
    return Range.between(other[1] / one[2], other[2] / one[1], names)
