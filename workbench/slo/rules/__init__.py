"""The rules that objectives become: recording and alerting rules of Prometheus, and their tests."""

from workbench.slo.rules.document import Rules, make_rules
from workbench.slo.rules.testing import RuleTests, make_tests

__all__ = ["RuleTests", "Rules", "make_rules", "make_tests"]
