"""Latency distributions: the quantile, how sure it is, what changed it and where its tail comes from."""

from workbench.latency.advice import Advice, NativeOption
from workbench.latency.adviser import advise
from workbench.latency.analysis import DEFAULT_QUANTILES, analyse
from workbench.latency.changes import Against, Changes, parse_compare
from workbench.latency.comparing import Change, Comparison, Span, Subject, Verdict, compare
from workbench.latency.deploys import Deploy, deploys_at, deploys_from_frame, load_deploys
from workbench.latency.exemplars import Exemplar, read_exemplars, trace_template
from workbench.latency.instrument import Discovery, Instrument, Kind, discover
from workbench.latency.layouts import Layout
from workbench.latency.planning import default_by, questions, tail_labels
from workbench.latency.result import (
    Distribution,
    LatencyResult,
    OverTime,
    Quantile,
    Share,
    TailPart,
)

__all__ = [
    "DEFAULT_QUANTILES",
    "Advice",
    "Against",
    "Change",
    "Changes",
    "Comparison",
    "Deploy",
    "Discovery",
    "Distribution",
    "Exemplar",
    "Instrument",
    "Kind",
    "LatencyResult",
    "Layout",
    "NativeOption",
    "OverTime",
    "Quantile",
    "Share",
    "Span",
    "Subject",
    "TailPart",
    "Verdict",
    "advise",
    "analyse",
    "compare",
    "default_by",
    "deploys_at",
    "deploys_from_frame",
    "discover",
    "load_deploys",
    "parse_compare",
    "questions",
    "read_exemplars",
    "tail_labels",
    "trace_template",
]
