"""Declaring parameters in groups, and passing each group to a command as one frozen value."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")


class Declaration(Protocol):
    """A decorator that declares one parameter: what `click.option` and `click.argument` return."""

    def __call__(self, command: F, /) -> F:
        """Add the parameter to a command."""


def declaring(*declarations: Declaration) -> Declaration:
    """Return a decorator that declares several parameters, in the order in which help lists them."""

    def declare(command: F, /) -> F:
        for declaration in reversed(declarations):
            command = declaration(command)
        return command

    return declare


def options_as(
    group: Callable[..., T], *declarations: Declaration
) -> Callable[[Callable[Concatenate[T, P], R]], Callable[P, R]]:
    """Return a decorator that declares parameters and passes `group(**their values)` as the next positional argument.

    `group` is a named tuple or a frozen dataclass, which takes eight times as long to define, whose fields have the
    parameters' names, or a function that returns one (which may import it first, to keep help fast, and may raise a
    usage error).
    """

    def decorate(command: Callable[Concatenate[T, P], R]) -> Callable[P, R]:
        @wraps(command)
        def pass_group(*args: P.args, **kwargs: P.kwargs) -> R:
            # Determined only now, as help needs the names of no group.
            values = {name: kwargs.pop(name) for name in _declared_names(declarations)}
            return command(group(**values), *args, **kwargs)

        return declaring(*declarations)(pass_group)

    return decorate


def _declared_names(declarations: tuple[Declaration, ...]) -> list[str]:
    def probe() -> None:
        """Stand in for a command, which is how click keeps what was declared."""

    parameters = click.command(declaring(*declarations)(probe)).params
    return [parameter.name for parameter in parameters if parameter.name is not None and parameter.expose_value]
