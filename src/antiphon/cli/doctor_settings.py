"""What `antiphon doctor` says about the server's settings: each value, and where it came from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from antiphon.cli.doctor_checks import Check
from antiphon.errors import AntiphonError

HIDDEN = "(hidden)"


@dataclass(frozen=True, slots=True)
class SettingLine:
    """One setting as it counts now.

    Attributes:
        value: As text; a password in it is hidden.
        origin: "flag --home", "ANTIPHON_PORT", the path of a TOML file, or "default".
        names: How to set it: flag, variable, TOML key.
    """

    name: str
    value: str
    origin: str
    meaning: str
    names: tuple[str, str, str]

    def to_json(self) -> dict[str, Any]:
        """The line as JSON values."""
        return asdict(self)


def explain_settings(home: Path | None, config: Path | None = None) -> tuple[Check, list[SettingLine]]:
    """A finding about all of them together, and a line for each; no line if they cannot be read."""
    try:
        from antiphon.server.settings import ServerSettings
        from antiphon.server.settings_sources import flag_of, load_settings, variable_of
    except ModuleNotFoundError as error:
        missing = f"not installed: {error.name}"
        return Check("server settings", "warn", missing, 'pip install "antiphon[server]"'), []
    try:
        loaded = load_settings({"home": home}, config=config)
    except AntiphonError as error:
        return Check("server settings", "fail", f"{error.message} {error.cause}".strip(), error.next_step), []
    lines = [
        SettingLine(
            name,
            _shown(name, getattr(loaded.settings, name)),
            loaded.origins[name],
            field.description or "",
            (flag_of(name), variable_of(name), name),
        )
        for name, field in ServerSettings.model_fields.items()
    ]
    given = sum(line.origin != "default" for line in lines)
    read = f"; {loaded.config} was read" if loaded.config else "; no configuration file, none is needed"
    return Check("server settings", "ok", f"{given} of {len(lines)} are set{read}"), lines


def _shown(name: str, value: Any) -> str:
    if value is None or value == "":
        return "-"
    if name == "database":
        return _without_password(str(value))
    if name == "oidc":
        emails = {True: ", with e-mails", False: ""}
        return "; ".join(f"{each.issuer} for {each.audience}{emails[each.emails]}" for each in value) or "-"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _without_password(url: str) -> str:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except ArgumentError:
        return HIDDEN
    # A password may also be among the parameters behind the question mark.
    return parsed.set(query={}).render_as_string(hide_password=True)
