"""Prometheus' relabelling over label sets: what a configuration keeps, drops and merges."""
