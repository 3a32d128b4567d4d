"""What an analysis concludes, as data: findings, and where each figure comes from."""

from workbench.findings.finding import Finding, Severity
from workbench.findings.place import Place
from workbench.findings.provenance import Provenance, Semantics

__all__ = ["Finding", "Place", "Provenance", "Semantics", "Severity"]
