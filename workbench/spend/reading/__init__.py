"""From answers and logs to the canonical table of usage."""
