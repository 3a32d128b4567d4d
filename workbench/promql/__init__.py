"""PromQL as text: build, quote, inspect, split. Nothing here evaluates anything."""
