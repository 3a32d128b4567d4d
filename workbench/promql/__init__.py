"""PromQL as text: build, quote, inspect, split. Nothing here evaluates anything."""

from workbench.promql.build import selector
from workbench.promql.condition import (
    Condition,
    is_not,
    matches,
    matches_not,
    none_of,
    one_of,
    starts_with,
)
from workbench.promql.counter import Counter
from workbench.promql.expression import Expression, RangeExpression, call
from workbench.promql.gauge import Gauge
from workbench.promql.histogram import Histogram, NativeHistogram
from workbench.promql.inspection import Inspection, Read, inspect
from workbench.promql.matcher import Matcher
from workbench.promql.parsing import parse
from workbench.promql.question import Question
from workbench.promql.quote import quote_label, quote_regex, quote_string
from workbench.promql.split import split_range
from workbench.promql.summary import Summary

__all__ = [
    "Condition",
    "Counter",
    "Expression",
    "Gauge",
    "Histogram",
    "Inspection",
    "Matcher",
    "NativeHistogram",
    "Question",
    "RangeExpression",
    "Read",
    "Summary",
    "call",
    "inspect",
    "is_not",
    "matches",
    "matches_not",
    "none_of",
    "one_of",
    "parse",
    "quote_label",
    "quote_regex",
    "quote_string",
    "selector",
    "split_range",
    "starts_with",
]
