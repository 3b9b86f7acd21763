"""Where each setting comes from: flag, environment, a file that the environment names, TOML, default; in this order."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource, TomlConfigSettingsSource
from pydantic_settings.exceptions import SettingsError as SourceError

from antiphon.composition import default_home
from antiphon.errors import SettingsError
from antiphon.server.settings import ServerSettings

PREFIX = "ANTIPHON_"
CONFIG_VARIABLE = PREFIX + "CONFIG"
CONFIG_FILE = "antiphon.toml"


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings, and for each where its value came from.

    Attributes:
        origins: By name of the setting, for people: "flag --port", "ANTIPHON_PORT", "antiphon.toml", "default".
        config: The TOML file that was read, if any.
    """

    settings: ServerSettings
    origins: Mapping[str, str] = field(default_factory=dict)
    config: Path | None = None


def load_settings(flags: Mapping[str, Any] | None = None, *, config: Path | None = None) -> LoadedSettings:
    """Read every source.

    Args:
        flags: What the command line gave, by the setting's name; None and an empty list count as not given.
        config: The TOML file; default is ANTIPHON_CONFIG, else `antiphon.toml` in the home folder if there is one.

    Raises:
        SettingsError: A source cannot be read, or a value does not fit; names the setting and the source.
    """
    given = {name: value for name, value in (flags or {}).items() if value is not None and value != []}
    if "oidc" in given:
        given["oidc"] = [_issuer(text) for text in given["oidc"]]
    if "life" in given:
        given["life"] = [_life(text) for text in given["life"]]
    from_environment = _environment()
    from_files = _files()
    home = given.get("home") or from_environment.get("home") or from_files.get("home") or default_home()
    path = _config_path(config, Path(home))
    from_toml = _toml(path) if path is not None else {}
    sources: list[tuple[dict[str, Any], Any]] = [
        (given, lambda name: f"flag {flag_of(name)}"),
        (from_environment, variable_of),
        (from_files, lambda name: f"{variable_of(name)}_FILE"),
        (from_toml, lambda _: str(path)),
    ]
    values: dict[str, Any] = {}
    origins = dict.fromkeys(ServerSettings.model_fields, "default")
    for source, origin in sources:
        for name, value in source.items():
            if name not in values:
                values[name] = value
                origins[name] = origin(name)
    try:
        settings = ServerSettings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        raise SettingsError(
            f"The setting {name} cannot be what {origins.get(name, 'it')} says."
            if name
            else "The settings do not fit together.",
            cause=first["msg"],
            next_step="See `antiphon serve --help`, and where values come from with `antiphon doctor`.",
            details={"setting": name, "origin": origins.get(name, "")},
        ) from None
    return LoadedSettings(settings, origins, path)


def flag_of(name: str) -> str:
    """The command line's option for a setting."""
    return "--" + name.replace("_", "-")


def variable_of(name: str) -> str:
    """The environment variable for a setting."""
    return PREFIX + name.upper()


def _environment() -> dict[str, Any]:
    try:
        return dict(EnvSettingsSource(ServerSettings)())
    except SourceError as error:
        # The value itself is not told: it may be a secret.
        raise SettingsError(
            "An environment variable of Antiphon cannot be read.",
            cause=str(error).partition(" from source")[0],
            next_step='Lists are JSON, e.g. ANTIPHON_OIDC=\'[{"issuer": "https://…", "audience": "…"}]\'.',
        ) from None


def _files() -> dict[str, Any]:
    """ANTIPHON_DATABASE_FILE=/run/secrets/database and the like: how container platforms hand over secrets."""
    found: dict[str, Any] = {}
    for name, info in ServerSettings.model_fields.items():
        variable = variable_of(name) + "_FILE"
        path = os.environ.get(variable)
        if path:
            try:
                text = Path(path).read_text().strip()
                # As in a variable, a list is JSON.
                found[name] = json.loads(text) if info.default_factory is list else text
            except (OSError, ValueError) as error:
                raise _unreadable(f"The file that {variable} names", path, error) from None
    return found


def _config_path(config: Path | None, home: Path) -> Path | None:
    named = config or (Path(os.environ[CONFIG_VARIABLE]) if os.environ.get(CONFIG_VARIABLE) else None)
    if named is not None:
        if not named.is_file():
            raise _unreadable("The configuration file", str(named), FileNotFoundError(2, "no such file"))
        return named
    default = home / CONFIG_FILE
    return default if default.is_file() else None


def _toml(path: Path) -> dict[str, Any]:
    try:
        found = TomlConfigSettingsSource(ServerSettings, toml_file=path).toml_data
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _unreadable("The configuration file", str(path), error) from None
    unknown = sorted(set(found) - set(ServerSettings.model_fields))
    if unknown:
        raise SettingsError(
            f"The configuration file {path} has a key that is no setting: {', '.join(unknown)}.",
            next_step=f"The settings are {', '.join(ServerSettings.model_fields)}.",
            details={"unknown": unknown},
        )
    return found


def _issuer(text: str) -> dict[str, Any]:
    pair = text.removesuffix(",emails")
    issuer, comma, audience = pair.rpartition(",")
    if not (comma and issuer and audience):
        raise SettingsError(
            "An OpenID provider is given as its issuer and the audience, with a comma between.",
            cause=f"found {text!r}",
            next_step="For example --oidc https://login.example.org,antiphon; with ,emails behind it, memberships may "
            "be under the e-mails that this provider has verified, too.",
        )
    return {"issuer": issuer.strip(), "audience": audience.strip(), "emails": pair != text}


def _life(text: str) -> dict[str, Any]:
    target, equals, life = text.partition("=")
    life, colon, seed = life.partition(":")
    if not (equals and target and life) or (colon and not seed.isdigit()):
        raise SettingsError(
            "A device that lives is given as its target and its life, and a seed behind a colon if you like.",
            cause=f"found {text!r}",
            next_step="For example --life emu.heron=busy, or --life emu.heron=busy:7.",
        )
    return {"target": target.strip(), "life": life.strip(), "seed": int(seed or 0)}


def _unreadable(what: str, path: str, error: Exception) -> SettingsError:
    # Of anything but the file system only the kind is told, and where for TOML: the text may be a secret.
    kind = type(error).__name__
    told = error.strerror if isinstance(error, OSError) else str(error) if kind == "TOMLDecodeError" else ""
    return SettingsError(
        f"{what} cannot be read: {path}.",
        cause=f"{kind}: {told}" if told else kind,
        next_step="Check the path, its permissions, and that it is what is expected.",
    )
