"""The commands of `recs config`."""

import sys
from dataclasses import replace
from typing import Any, Final

import click

from recommendation_cli.configuration import SETTINGS, Config, path_of, read_config, write_config
from recommendation_cli.options.declaring import declaring
from recommendation_cli.options.table import OUTPUT_FORMATS
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.visible import visible

_HELP: Final = {
    "table": ("NAME", "Table."),
    "reviews-table": ("NAME", "Table of reviews."),
    "archive-bucket": ("NAME", "Bucket of the archive."),
    "queue-url": ("URL", "Queue."),
    "dlq-url": ("URL", "Dead-letter queue."),
    "region": ("NAME", "AWS region."),
    "profile": ("NAME", "Profile from the AWS configuration."),
    "endpoint-url": ("URL", "Another endpoint, such as a local stack's."),
    "output": ("FORMAT", f"Output format: {', '.join(OUTPUT_FORMATS)}."),
}


@click.group(
    invoke_without_command=True,
    epilog="""\b
Examples:
  recs config
  recs config set prod --profile ops --region eu-west-1
  recs config use prod
  recs --context dev incident incident-7

\b
The file is $RECS_CONFIG, else recs/config.toml in $XDG_CONFIG_HOME or ~/.config:
  context = "prod"
  [contexts.prod]
  profile = "ops"
  region = "eu-west-1"
  dlq-url = "https://sqs.eu-west-1.amazonaws.com/123456789012/opx-recommendations-dlq\"""",
)
@click.pass_context
def config(ctx: click.Context, /) -> None:
    """Show or change contexts: named sets of options.

    --context NAME (or $RECS_CONTEXT) chooses one, which then takes precedence over environment variables. The default
    context gives way to them. Options on the command line always win.
    """
    if ctx.invoked_subcommand is None:
        _show(ctx.ensure_object(Runtime))


def _show(runtime: Runtime) -> None:
    known = read_config(runtime.environ)
    if not known.contexts:
        click.echo(f"No contexts yet in {path_of(runtime.environ)}: see recs config set --help.", err=True)
    for name, settings in known.contexts.items():
        click.echo(f"{visible(name)}{' (default)' if name == known.default else ''}")
        for key, value in settings.items():
            click.echo(f"  {key:<13} {visible(value)}")
    sys.stdout.flush()
    if known.contexts:
        click.echo(f"\nFrom {path_of(runtime.environ)}.", err=True)


@config.command(
    name="set",
    epilog="""\b
Examples:
  recs config set prod --profile ops --region eu-west-1 --table opx-agent-recommendations
  recs config set prod --endpoint-url ""     # forget one setting""",
)
@click.argument("name")
@declaring(*(click.option(f"--{key}", metavar=metavar, help=text) for key, (metavar, text) in _HELP.items()))
@click.pass_obj
def set_context(runtime: Runtime, /, name: str, **options: Any) -> None:
    """Create or change a context.

    Settings that you do not name stay as they are; an empty value removes one. Comments in the file are not kept.
    """
    given = {key: options[key.replace("-", "_")] for key in SETTINGS}
    if given["output"] and given["output"] not in OUTPUT_FORMATS:
        raise click.BadParameter(f"must be one of {', '.join(OUTPUT_FORMATS)}", param_hint="--output")
    if any(visible(text) != text for text in (name, *filter(None, given.values()))) or not name:
        raise click.UsageError("Names and values must be text without control characters.")
    known = read_config(runtime.environ)
    changed = {**known.contexts.get(name, {}), **{key: value for key, value in given.items() if value is not None}}
    contexts = {**known.contexts, name: {key: value for key, value in changed.items() if value}}
    path = write_config(replace(known, contexts=contexts), runtime.environ)
    click.echo(f"Saved context {name} in {path}.", err=True)


@config.command(epilog="\b\nExample:\n  recs config use prod")
@click.argument("name")
@click.pass_obj
def use(runtime: Runtime, /, name: str) -> None:
    """Choose the default context."""
    known = _with(runtime, name)
    write_config(replace(known, default=name), runtime.environ)
    click.echo(f"Context {visible(name)} is now the default.", err=True)


@config.command(epilog="\b\nExample:\n  recs config remove old")
@click.argument("name")
@click.pass_obj
def remove(runtime: Runtime, /, name: str) -> None:
    """Remove a context."""
    known = _with(runtime, name)
    contexts = {other: settings for other, settings in known.contexts.items() if other != name}
    default = None if known.default == name else known.default
    write_config(Config(contexts, default), runtime.environ)
    click.echo(f"Removed context {visible(name)}.", err=True)


def _with(runtime: Runtime, name: str) -> Config:
    """Return the configuration; raise a usage error unless it has the context."""
    known = read_config(runtime.environ)
    known.settings(name, runtime.environ)
    return known
