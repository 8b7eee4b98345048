"""The names that a recommendation uses instead of the executor's."""

import re
from typing import Any, Final

_CAMEL_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATORS: Final = re.compile(r"[^a-z0-9]+")
_CAMEL_CASE: Final = re.compile(r"[a-z]+[A-Za-z0-9]*")
_DIGIT_THEN_LETTER: Final = re.compile(r"\d[a-z]")
_JOINT: Final = re.compile(r"(?<=[0-9A-Za-z])_(?=[0-9A-Z])")
_FIRST_CAPITAL: Final = re.compile(r"^_*[A-Z]")


def kebab_case(agent_id: Any) -> str:
    """Return an agent's or node's ID, which may be an enum member, in kebab-case; nothing for None."""
    text = "" if agent_id is None else str(getattr(agent_id, "value", agent_id))
    return _SEPARATORS.sub("-", _CAMEL_HUMP.sub("-", text).lower()).strip("-")


def camel_case(name: str) -> str:
    """Return `agentVersion` for `agent_version`, following the rules of pydantic's `to_camel`."""
    if _CAMEL_CASE.fullmatch(name) and not _DIGIT_THEN_LETTER.search(name):
        return name
    return _FIRST_CAPITAL.sub(lambda match: match.group().lower(), _JOINT.sub("", name.title()))
