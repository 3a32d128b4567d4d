"""Kernels: what a function does with the samples of each window, for all windows at once."""
