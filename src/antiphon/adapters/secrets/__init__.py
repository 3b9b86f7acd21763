"""Where secrets come from: environment, files, the system's keyring, HashiCorp Vault; one after the other."""

from antiphon.adapters.secrets.chain import SecretChain
from antiphon.adapters.secrets.environment import EnvironmentSecrets
from antiphon.adapters.secrets.files import FileSecrets
from antiphon.adapters.secrets.keyring import KeyringSecrets
from antiphon.adapters.secrets.vault import VaultSecrets

__all__ = ["EnvironmentSecrets", "FileSecrets", "KeyringSecrets", "SecretChain", "VaultSecrets"]
