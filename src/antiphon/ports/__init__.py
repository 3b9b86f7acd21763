"""What the engine needs from outside, as plain protocols; `adapters` holds the implementations."""
