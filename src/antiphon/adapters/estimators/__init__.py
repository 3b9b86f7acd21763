"""Estimators of what programs take on machines that do not exist yet."""
