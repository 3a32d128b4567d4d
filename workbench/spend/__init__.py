"""LLM spend: what it cost, who spent it, where it is going, how sure that is."""
