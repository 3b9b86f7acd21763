"""How each target's queue is run: policies, allotments, reservations, shares, and what the rules look at."""
