"""How throughput scales with concurrency, and where more makes it worse."""
