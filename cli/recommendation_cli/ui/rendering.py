"""Templates. Every value is escaped, and characters that hide or reorder text are shown as escapes."""

from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from recommendation_cli.report.markup import Html
from recommendation_cli.screen.visible import visible_lines
from recommendation_cli.ui import links
from recommendation_shared.envelope.vocabulary import KNOWN_AGENT_TYPES
from recommendation_shared.wording import plural

_TEMPLATES: Final = Path(__file__).with_name("templates")


def render(template: str, **values: Any) -> Html:
    """Return what a template makes of values."""
    return Html(_environment().get_template(template).render(**values))


def compile_templates() -> None:
    """Compile all templates, which the first page would otherwise wait for."""
    for name in _environment().list_templates():
        _environment().get_template(name)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        {name: function for name, function in vars(links).items() if name.endswith("_path")},
        plural=plural,
        query_fields=links.query_fields,
        known_agents=KNOWN_AGENT_TYPES,
    )
    return environment


def _shown(value: Any) -> Any:
    """Return a value as the page shows it; the engine escapes what is not markup afterwards."""
    return value if hasattr(value, "__html__") else visible_lines("" if value is None else str(value))
