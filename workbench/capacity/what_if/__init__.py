"""What would be under another load: usage follows load, with intervals."""
