"""What Antiphon costs beside the tools it replaces, measured side by side: python -m bench."""
