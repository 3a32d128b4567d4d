"""The embedded PromQL engine: evaluates PromQL 3.x over columns of samples."""
