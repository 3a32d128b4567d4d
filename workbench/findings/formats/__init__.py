"""Findings for other programs: SARIF for code hosts, JUnit for CI, Markdown for a pull request."""

from workbench.findings.formats.junit import to_junit
from workbench.findings.formats.markdown import code_span, plain_markdown, to_markdown
from workbench.findings.formats.sarif import to_sarif

__all__ = ["code_span", "plain_markdown", "to_junit", "to_markdown", "to_sarif"]
