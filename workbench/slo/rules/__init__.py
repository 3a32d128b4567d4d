"""The rules that objectives become: recording and alerting rules of Prometheus, and their tests."""

from workbench.slo.rules.document import Rules, make_rules

__all__ = ["Rules", "make_rules"]
