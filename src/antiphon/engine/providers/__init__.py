"""Jobs of targets that are elsewhere: sent once, followed until they end, and asked after when an answer was lost."""
