"""Right-sizing: which requests and limits containers should have."""
