"""What caches saved and could have saved, and what was paid for nothing, as ranges."""
