"""The Azure Quantum REST protocol, as its genuine clients speak it."""
