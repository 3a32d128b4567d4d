"""How near usage comes to rate limits: what is left of them, what they allow, what they refused."""
