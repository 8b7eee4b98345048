"""Completion in bash, zsh and fish: the words that `recs` knows without asking AWS."""

from collections.abc import Iterable
from typing import Final

import click

from recommendation_shared.envelope.vocabulary import KNOWN_AGENT_TYPES

SHELLS: Final = ("bash", "zsh", "fish")
_VARIABLE: Final = "_RECS_COMPLETE"  # click's name for the program `recs`


def completion_script(command: click.Command, shell: str) -> str:
    """Return what a shell has to read at its start; `shell` is one of `SHELLS`."""
    from click.shell_completion import get_completion_class

    known = get_completion_class(shell)
    if known is None:
        raise LookupError(shell)
    return known(command, {}, "recs", _VARIABLE).source()


def complete_agents(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the usual agent types that begin so."""
    return beginning(KNOWN_AGENT_TYPES, incomplete)


def beginning(words: Iterable[str], incomplete: str) -> list[str]:
    """Return the words that begin so."""
    return [word for word in words if word.startswith(incomplete)]
