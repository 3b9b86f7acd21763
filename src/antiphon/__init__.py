"""Antiphon: a hybrid quantum-classical workspace that a team hosts itself."""
