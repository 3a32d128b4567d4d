"""What each gateway, client and server calls the things that are counted."""
