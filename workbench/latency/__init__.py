"""Latency distributions: the quantile, how sure it is, what changed it and where its tail comes from."""
