"""Source code → the metrics it declares, their labels, and the values that its calls can give them."""
