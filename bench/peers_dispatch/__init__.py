"""The dispatchers that a team would pick instead, each driven in a process of this folder's own environment."""
