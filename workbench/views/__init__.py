"""Results as pictures and tables for people: the only room that draws."""
