"""Names, labels, help and types against the habits that Prometheus' tools and people rely on."""

from workbench.cardinality.lint.linting import lint
from workbench.cardinality.lint.rule import SEVERITIES, LintProblem, LintRule, chosen_rules

__all__ = ["SEVERITIES", "LintProblem", "LintRule", "chosen_rules", "lint"]
