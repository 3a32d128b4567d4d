"""What the same work would have cost with another model, as a range."""
