"""Who calls, and whether they may: keys, tokens, roles, rate limits."""
