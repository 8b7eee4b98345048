"""The configuration file: contexts, each a set of options by name, and the one to use where none is named."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import click

from recommendation_cli.screen.visible import visible

# Settings by option, and the environment variables that take precedence over the default context.
SETTINGS: Final = {
    "table": ("RECOMMENDATIONS_TABLE",),
    # The reviews of one table are never shown with the recommendations of another.
    "reviews-table": ("RECOMMENDATIONS_REVIEWS_TABLE", "RECOMMENDATIONS_TABLE"),
    "archive-bucket": ("RECOMMENDATIONS_ARCHIVE_BUCKET", "RECOMMENDATIONS_TABLE"),
    "queue-url": ("RECOMMENDATIONS_QUEUE_URL",),
    "dlq-url": ("RECOMMENDATIONS_DLQ_URL",),
    "region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
    "profile": ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"),
    "endpoint-url": ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS"),
    "output": (),
}
Settings = Mapping[str, str]


@dataclass(frozen=True)
class Config:
    """The contexts by name, and the default one; empty where there is no file."""

    contexts: Mapping[str, Settings] = field(default_factory=dict)
    default: str | None = None

    def settings(self, name: str | None, environ: Mapping[str, str]) -> Settings:
        """Return a context's settings; those of the default one (None) give way to environment variables.

        Raises a usage error when there is no such context.
        """
        chosen = name or self.default
        if chosen is None:
            return {}
        if chosen not in self.contexts:
            known = ", ".join(map(visible, self.contexts)) or "none"
            raise click.UsageError(f"There is no context {visible(chosen)} in {path_of(environ)}; it has: {known}.")
        settings = self.contexts[chosen]
        if name is not None:
            return settings
        return {key: value for key, value in settings.items() if not any(map(environ.get, SETTINGS[key]))}


def path_of(environ: Mapping[str, str]) -> Path:
    """Return where the file is: `RECS_CONFIG`, else recs/config.toml in `XDG_CONFIG_HOME` or ~/.config."""
    if environ.get("RECS_CONFIG"):
        return Path(environ["RECS_CONFIG"])
    home = environ.get("HOME") or environ.get("USERPROFILE") or "~"
    return Path(environ.get("XDG_CONFIG_HOME") or Path(home, ".config"), "recs", "config.toml")


def read_config(environ: Mapping[str, str]) -> Config:
    """Return the content of the file; raise a usage error that names what is wrong with it."""
    path = path_of(environ)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Config()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise click.UsageError(f"{path} cannot be read: {reason}.") from None
    import tomllib

    try:
        return _parsed(tomllib.loads(text))
    except ValueError as error:
        raise click.UsageError(f"{path} is not a configuration of recs: {visible(str(error))}.") from None


def _parsed(document: dict[str, Any]) -> Config:
    contexts, default = document.pop("contexts", {}), document.pop("context", None)
    if document:
        raise ValueError(f"{', '.join(document)} is not a setting (context and [contexts.NAME] are)")
    if not isinstance(contexts, dict) or not isinstance(default, str | None):
        raise ValueError("context must be a name, and contexts must be tables")  # noqa: TRY004 - as other mistakes
    for name, settings in contexts.items():
        if not isinstance(settings, dict):
            raise ValueError(f"contexts.{name} must be a table")  # noqa: TRY004 - as other mistakes
        for key, value in settings.items():
            if key not in SETTINGS:
                raise ValueError(f"contexts.{name}.{key} is not a setting ({', '.join(SETTINGS)} are)")
            if not isinstance(value, str) or not value:
                raise ValueError(f"contexts.{name}.{key} must be a text")
    return Config(contexts, default)


def write_config(config: Config, environ: Mapping[str, str]) -> Path:
    """Replace the file; return its path. Raises a usage error when it cannot be written."""
    from recommendation_cli.durable_file import durable_file

    path = path_of(environ)
    lines = [] if config.default is None else [f"context = {_quoted(config.default)}"]
    for name, settings in config.contexts.items():
        lines += ["", f"[contexts.{_quoted(name)}]", *(f"{key} = {_quoted(value)}" for key, value in settings.items())]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with durable_file(path) as stream:
            stream.write(("\n".join(lines).lstrip("\n") + "\n").encode())
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}.") from None
    return path


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
