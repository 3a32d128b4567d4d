"""Why spend changed: price, volume, mix and cache; days out of the ordinary and who made them."""
