"""Where secrets come from: the environment, files, the keyring of the operating system, HashiCorp Vault."""
