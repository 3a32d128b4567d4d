"""Budgets as code, how they stand, and where spend is going."""
