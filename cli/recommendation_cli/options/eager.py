"""Options of every command that act before the others are read: `--context`, `--color`, `--no-pager` and `--bom`."""

from dataclasses import replace
from typing import Any, Final

import click

from recommendation_cli.options.declaring import Declaration
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.pager import NO_PAGER

_CONTEXT: Final = "recommendation_cli.context"  # in click's `meta`, which the contexts of group and command share
_BOM: Final = "recommendation_cli.bom"
CSV_WITH_BOM: Final = "csv-bom"  # an output format that no option names


def _apply_context(ctx: click.Context, _param: click.Parameter, name: str | None) -> None:
    """Let the context's settings be the defaults of a command's other options."""
    if ctx.parent is None:  # given before the command, whose options it concerns
        ctx.meta[_CONTEXT] = name
        return
    from recommendation_cli.configuration import read_config

    environ = ctx.ensure_object(Runtime).environ
    chosen = name or ctx.meta.get(_CONTEXT) or environ.get("RECS_CONTEXT") or None
    settings = read_config(environ).settings(chosen, environ)
    defaults: dict[str, Any] = {key.replace("-", "_"): value for key, value in settings.items()}
    ctx.default_map = {**defaults, **(ctx.default_map or {})}


def _apply_color(ctx: click.Context, _param: click.Parameter, when: str | None) -> None:
    """Do what the environment variables of the same purpose do, so that there is one rule for both."""
    if when is None:
        return
    runtime = ctx.ensure_object(Runtime)
    others = {name: value for name, value in runtime.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
    chosen = {"always": {"FORCE_COLOR": "1"}, "never": {"NO_COLOR": "1"}}.get(when, {})
    ctx.obj = replace(runtime, environ={**others, **chosen})


def _noted_flag(name: str, key: str, text: str) -> Declaration:
    """Return a flag that sets a key of click's `meta`."""

    def note(ctx: click.Context, _param: click.Parameter, given: bool) -> None:  # noqa: FBT001 - click's signature
        if given:
            ctx.meta[key] = True

    return click.option(name, is_flag=True, is_eager=True, expose_value=False, callback=note, help=text)


def with_bom(ctx: click.Context, _param: click.Parameter, output: str) -> str:
    """Return the output format, which `--bom` makes another kind of CSV; raise a usage error for another format."""
    if not ctx.meta.get(_BOM) or ctx.parent is None:
        return output
    if output != "csv":
        raise click.UsageError("--bom is for CSV: add -o csv.")
    return CSV_WITH_BOM


context_option: Final = click.option(
    "--context",
    metavar="NAME",
    is_eager=True,
    expose_value=False,
    callback=_apply_context,
    help="Options from the configuration file [default: $RECS_CONTEXT; see recs config].",
)
color_option: Final = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    is_eager=True,
    expose_value=False,
    callback=_apply_color,
    help="When to use colours [default: auto; NO_COLOR and FORCE_COLOR].",
)
no_pager_option: Final = _noted_flag("--no-pager", NO_PAGER, "Print long output directly.")
bom_option: Final = _noted_flag("--bom", _BOM, "Start CSV with a byte order mark, so that Excel reads umlauts.")
