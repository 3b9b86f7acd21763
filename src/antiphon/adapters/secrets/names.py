"""How a secret may be called: words between dots, so that no name becomes another path or another variable."""

from __future__ import annotations

import re

from antiphon.errors import SecretError

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)+")


def check_secret_name(key: str) -> None:
    """Refuse a name that is not like "provider.ionq.token".

    Raises:
        SecretError: Code "secret-name-invalid".
    """
    if len(key) > 200 or not _NAME.fullmatch(key):
        raise SecretError(
            f"{key[:80]!r} cannot be the name of a secret.",
            code="secret-name-invalid",
            next_step='Use words of a-z, 0-9 and "-" with dots between them, as in provider.ionq.token.',
        )
