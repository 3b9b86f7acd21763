"""What the product does: one action a file. Knows the domain and the ports, never an adapter or an SDK."""
