"""Invoices held against what was seen and priced: every difference with its cause."""
