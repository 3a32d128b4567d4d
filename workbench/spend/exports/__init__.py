"""Spend as files for others: FOCUS, showback, JSON."""
