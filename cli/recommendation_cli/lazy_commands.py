"""Commands that are imported when they are needed, so that one need not wait for the options of all the others."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from functools import cache
from importlib import import_module

import click


class LazyCommands(MutableMapping[str, click.Command]):
    """The commands of a group by name, as `click.Group` takes them. Each is made once, when it is first needed."""

    def __init__(self, commands: Mapping[str, Callable[[], click.Command]]) -> None:
        self._commands = {name: cache(command) for name, command in commands.items()}

    def __getitem__(self, name: str) -> click.Command:
        """Return a command."""
        return self._commands[name]()

    def __setitem__(self, name: str, command: click.Command) -> None:
        """Add or replace a command."""
        self._commands[name] = cache(lambda: command)

    def __delitem__(self, name: str) -> None:
        """Remove a command."""
        del self._commands[name]

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self._commands)

    def __len__(self) -> int:
        """Return how many commands there are."""
        return len(self._commands)


def imported(place: str) -> click.Command:
    """Import and return a command of `recs`; a place is such as `reading.commands:show`."""
    module, _, name = place.partition(":")
    command: click.Command = getattr(import_module(f"recommendation_cli.{module}"), name)
    return command
