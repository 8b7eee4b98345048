"""`recs help`: the help of a command, or of all of them on one page."""

from collections.abc import Iterator
from typing import Final

import click

from recommendation_cli.options.eager import no_pager_option

_RULE: Final = "─"


@click.command(
    name="help",
    epilog="""\b
Examples:
  recs help dlq redrive
  recs help --all""",
)
@click.argument("names", nargs=-1, metavar="[COMMAND]...")
@click.option("--all", "everything", is_flag=True, help="The help of every command, one after another.")
@no_pager_option
@click.pass_context
def help_pages(ctx: click.Context, /, names: tuple[str, ...], everything: bool) -> None:  # noqa: FBT001 - click's flag
    """Show the help of a command, or of all commands."""
    root = ctx.find_root()
    if names and everything:
        raise click.UsageError("Name a command, or pass --all, not both.")
    if not everything:
        click.echo(_named(root, names).get_help())
        return
    pages = [page for page in _pages(root) if page.command is not ctx.command]
    for number, page in enumerate(pages):
        click.echo(f"{chr(10) if number else ''}{page.command_path} {_RULE * max(2, 79 - len(page.command_path))}\n")
        click.echo(page.get_help())


def _named(root: click.Context, names: tuple[str, ...]) -> click.Context:
    page = root
    for name in names:
        command = page.command.get_command(page, name) if isinstance(page.command, click.Group) else None
        if command is None:
            raise click.UsageError(f"There is no command {page.command_path} {name}: recs help lists them.")
        page = click.Context(command, parent=page, info_name=name)
    return page


def _pages(page: click.Context) -> Iterator[click.Context]:
    yield page
    if isinstance(page.command, click.Group):
        for name, command in page.command.commands.items():
            yield from _pages(click.Context(command, parent=page, info_name=name))
