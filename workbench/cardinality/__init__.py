"""How many series there are and will be, whose label makes them, and what to change: pure."""
