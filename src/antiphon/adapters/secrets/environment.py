"""Secrets from environment variables: ANTIPHON_SECRET_PROVIDER_IONQ_TOKEN, or a file that …_TOKEN_FILE names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from antiphon.adapters.secrets.files import read_secret
from antiphon.adapters.secrets.names import check_secret_name
from antiphon.ports.secrets import Secret

PREFIX = "ANTIPHON_SECRET_"


class EnvironmentSecrets:
    """Reads the variables each time, so that what a program sets later is seen."""

    name = "environment"

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ

    def get(self, key: str) -> Secret | None:
        """The value of the secret's variable, or of the file that its variable with _FILE names.

        Raises:
            SecretError: The file cannot be read.
        """
        check_secret_name(key)
        variable = variable_of(key)
        value = self._environ.get(variable)
        if value:
            return Secret(value)
        path = self._environ.get(f"{variable}_FILE")
        return read_secret(Path(path), f"the file that {variable}_FILE names") if path else None


def variable_of(key: str) -> str:
    """The variable of a secret: "provider.ionq.token" is in ANTIPHON_SECRET_PROVIDER_IONQ_TOKEN."""
    return PREFIX + key.upper().replace(".", "_").replace("-", "_")
