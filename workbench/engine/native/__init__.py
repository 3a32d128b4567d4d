"""Native histograms in the engine: adding them up, measuring them, looking at windows of them."""
