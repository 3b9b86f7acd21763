"""The genuine Azure Quantum clients, connected to an Antiphon server."""
