"""`recs completion`: shell completion with words that `recs` knows without calling AWS."""

from collections.abc import Iterable
from typing import Final

import click

from recommendation_shared.envelope.vocabulary import KNOWN_AGENT_TYPES

_SHELLS: Final = ("bash", "zsh", "fish")
_VARIABLE: Final = "_RECS_COMPLETE"  # the name that click derives from `recs`


@click.command(
    epilog="""\b
Examples, each for the startup file of its shell:
  eval "$(recs completion bash)"      # ~/.bashrc
  eval "$(recs completion zsh)"       # ~/.zshrc, after compinit
  recs completion fish | source       # ~/.config/fish/config.fish"""
)
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(ctx: click.Context, /, shell: str) -> None:
    """Print the script that sets up completion in a shell.

    It completes commands, options and agent types. Bash must be 4.4 or newer; macOS ships an older one.
    """
    click.echo(_script(ctx.find_root().command, shell))


def _script(command: click.Command, shell: str) -> str:
    from click.shell_completion import get_completion_class

    shell_class = get_completion_class(shell)
    if shell_class is None:
        raise LookupError(shell)
    return shell_class(command, {}, "recs", _VARIABLE).source()


def complete_agents(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the usual agent types that start with what was typed."""
    return beginning(KNOWN_AGENT_TYPES, incomplete)


def beginning(words: Iterable[str], incomplete: str) -> list[str]:
    """Return the words that start with what was typed."""
    return [word for word in words if word.startswith(incomplete)]
