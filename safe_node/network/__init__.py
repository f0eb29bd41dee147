"""How a safe reaches the other safes of its roster."""
