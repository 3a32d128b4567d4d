"""Service level objectives: what is promised, what is left of the error budget, and until when."""
