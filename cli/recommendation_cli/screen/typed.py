"""Confirming by typing a name, before something that cannot be undone."""

import sys

import click

from recommendation_cli.screen.visible import visible


def require_typed(name: str, given: str | None, *, what: str, warning: str) -> None:
    """Raise a usage error unless the name is `given` by --confirm, or is typed below a warning.

    `what` says whose name it is, such as `the dead-letter queue's name`.
    """
    if given is None:
        if not sys.stdin.isatty():
            raise click.UsageError(f"Without a terminal, confirm with --confirm {visible(name)}.")
        click.echo(warning, err=True)
        try:
            given = click.prompt(f"Type {what} to continue", err=True, default="", show_default=False)
        except click.Abort:
            click.echo("\nInterrupted: nothing was deleted.", err=True)
            raise
    if given != name:
        raise click.UsageError(f"That is not {what}: nothing was deleted.")
