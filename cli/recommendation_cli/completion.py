"""Shell completion for bash, zsh and fish, with words that `recs` knows without calling AWS."""

from collections.abc import Iterable
from typing import Final

import click

from recommendation_shared.envelope.vocabulary import KNOWN_AGENT_TYPES

SHELLS: Final = ("bash", "zsh", "fish")
_VARIABLE: Final = "_RECS_COMPLETE"  # the name that click derives from `recs`


def completion_script(command: click.Command, shell: str) -> str:
    """Return the script that a shell must load at startup; `shell` is one of `SHELLS`."""
    from click.shell_completion import get_completion_class

    completion = get_completion_class(shell)
    if completion is None:
        raise LookupError(shell)
    return completion(command, {}, "recs", _VARIABLE).source()


def complete_agents(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the usual agent types that start with what was typed."""
    return beginning(KNOWN_AGENT_TYPES, incomplete)


def beginning(words: Iterable[str], incomplete: str) -> list[str]:
    """Return the words that start with what was typed."""
    return [word for word in words if word.startswith(incomplete)]
