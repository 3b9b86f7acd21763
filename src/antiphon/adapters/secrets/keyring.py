"""Secrets from the system's keyring: Keychain, Credential Manager, Secret Service."""

from __future__ import annotations

from antiphon.adapters.secrets.names import check_secret_name
from antiphon.errors import MissingExtraError, SecretError
from antiphon.ports.secrets import Secret

SERVICE = "antiphon"


class KeyringSecrets:
    """Entries of the service "antiphon", by the secret's name; a machine without a keyring has none.

    Raises:
        MissingExtraError: The package keyring is not installed.
    """

    name = "keyring"

    def __init__(self, service: str = SERVICE) -> None:
        try:
            import keyring
        except ModuleNotFoundError:
            raise MissingExtraError.of("keyring", "server", "Reading secrets from the system's keyring") from None
        self._keyring = keyring
        self._service = service

    def get(self, key: str) -> Secret | None:
        """The keyring's entry, or None.

        Raises:
            SecretError: The keyring is locked or cannot be asked.
        """
        check_secret_name(key)
        from keyring.errors import KeyringError, NoKeyringError

        try:
            found = self._keyring.get_password(self._service, key)
        except NoKeyringError:
            return None
        except KeyringError as error:
            # Only the kind of error: a backend's own text could hold anything.
            raise SecretError(
                f"The system's keyring cannot be asked for {key}.",
                cause=type(error).__name__,
                next_step="Unlock the keyring, or give the secret in the environment or a file.",
            ) from None
        return Secret(found) if found else None
