"""What the routes of the Azure protocol share: one for each app."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from antiphon.engine.context import EngineContext
from antiphon.ports.azure_store import AzureBlob
from antiphon.server.azure.outputs_stored import stored_output
from antiphon.server.azure.sas import SasSigner
from antiphon.server.azure.storage import BlobStorage
from antiphon.server.azure.targets import AzureTargets
from antiphon.server.services import Services


@dataclass(frozen=True, slots=True)
class AzurePlane:
    """The targets under their names on the wire, the storage, and who signs its URLs."""

    services: Services
    targets: AzureTargets
    storage: BlobStorage
    signer: SasSigner

    @property
    def engine(self) -> EngineContext:
        """What the engine's actions take as their first argument."""
        return self.services.engine

    def find_blob(self, container: str, name: str) -> AzureBlob | None:
        """The blob, or None; the result of a job is written when it is first asked for."""
        return self.storage.find(container, name) or stored_output(self.engine, self.storage, container, name)


def plane_of(connection: HTTPConnection) -> AzurePlane:
    """The plane of the app that a request came to."""
    plane: AzurePlane = connection.app.state.azure
    return plane
