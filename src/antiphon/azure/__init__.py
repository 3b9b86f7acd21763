"""The genuine Azure Quantum clients, connected to an Antiphon server.

For programs that may name where they connect. A program that must stay as it is runs after
`eval "$(antiphon env azure --url … --key …)"` instead.
"""

from antiphon.azure.addresses import connection_string, resource_id
from antiphon.azure.clients import provider, service, workspace

__all__ = ["connection_string", "provider", "resource_id", "service", "workspace"]
