"""Secrets from HashiCorp Vault (or OpenBao): its key-value engine, version 2."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from antiphon.adapters.secrets.files import read_secret
from antiphon.adapters.secrets.names import check_secret_name
from antiphon.errors import MissingExtraError, SecretError
from antiphon.ports.secrets import Secret

MOUNT = "secret"
FOLDER = "antiphon"
TIMEOUT_S = 5


class VaultSecrets:
    """The secret "provider.ionq.token" is the field `token` of `antiphon/provider/ionq` in the engine `secret`.

    Args:
        address: The server's URL.
        token: What it knows us by; needs to read below the folder, nothing more.
        namespace: Of Vault Enterprise or OpenBao.

    Raises:
        MissingExtraError: The package hvac is not installed.
    """

    name = "vault"

    def __init__(
        self, address: str, token: Secret, *, namespace: str | None = None, mount: str = MOUNT, folder: str = FOLDER
    ) -> None:
        try:
            import hvac
        except ModuleNotFoundError:
            raise MissingExtraError.of("hvac", "vault", "Reading secrets from Vault") from None
        self._client = hvac.Client(
            url=address, token=token.reveal(), namespace=namespace, timeout=TIMEOUT_S, allow_redirects=False
        )
        self._address = address
        self._mount = mount
        self._folder = folder.strip("/")

    def get(self, key: str) -> Secret | None:
        """The field of the newest version, or None when there is none or it was deleted.

        Raises:
            SecretError: Vault is sealed, cannot be reached, or does not permit it.
        """
        check_secret_name(key)
        from hvac.exceptions import Forbidden, InvalidPath, VaultError
        from requests.exceptions import RequestException

        *folders, field = key.split(".")
        path = "/".join([self._folder, *folders])
        try:
            answer = self._client.secrets.kv.v2.read_secret_version(
                path=path, mount_point=self._mount, raise_on_deleted_version=True
            )
            found = answer["data"]["data"].get(field)
        except InvalidPath:
            return None
        except Forbidden:
            raise self._refused(key, "its token may not read that, or has ended") from None
        except (VaultError, RequestException, KeyError, TypeError, AttributeError, ValueError) as error:
            # Only the kind of error: the text of one could hold a part of the answer.
            raise self._refused(key, type(error).__name__) from None
        if found is None:
            return None
        if not isinstance(found, str):
            raise self._refused(key, f"the field {field} of {path} is no text")
        return Secret(found)

    def _refused(self, key: str, cause: str) -> SecretError:
        return SecretError(
            f"Vault at {self._address} does not give the secret {key}.",
            cause=cause,
            next_step="Check VAULT_ADDR, VAULT_TOKEN and the token's policy.",
        )


def vault_token(environ: Mapping[str, str]) -> Secret:
    """The token of VAULT_TOKEN, or of the file that VAULT_TOKEN_FILE names.

    Raises:
        SecretError: There is none, or the file cannot be read.
    """
    if environ.get("VAULT_TOKEN"):
        return Secret(environ["VAULT_TOKEN"])
    path = environ.get("VAULT_TOKEN_FILE")
    if path:
        return read_secret(Path(path), "the file that VAULT_TOKEN_FILE names")
    raise SecretError(
        "VAULT_ADDR is set, and there is no token for Vault.",
        next_step="Set VAULT_TOKEN, or VAULT_TOKEN_FILE to the path of a file with the token.",
    )
