"""Counters of usage by calendar day: resets, gaps and births, and what was lost."""
