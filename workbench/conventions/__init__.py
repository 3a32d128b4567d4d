"""Conventions as data: which metrics, labels and units a kind of system is expected to have."""
