"""Findings of an audit: one module a subject, each a function from what is known to findings."""
