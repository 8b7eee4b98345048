"""The names that a recommendation uses instead of the executor's."""

import re
from typing import Any, Final

# Compiled at their first use: a host that never calls `enqueue_state` does not pay for them.
_CAMEL_HUMP: Final = r"(?<=[a-z0-9])(?=[A-Z])"
_SEPARATORS: Final = r"[^a-z0-9]+"
_CAMEL_CASE: Final = r"[a-z]+[A-Za-z0-9]*"
_DIGIT_THEN_LETTER: Final = r"\d[a-z]"
_JOINT: Final = r"(?<=[0-9A-Za-z])_(?=[0-9A-Z])"
_FIRST_CAPITAL: Final = r"^_*[A-Z]"


def kebab_case(agent_id: Any) -> str:
    """Return an agent's or node's ID, which may be an enum member, in kebab-case; nothing for None."""
    text = "" if agent_id is None else str(getattr(agent_id, "value", agent_id))
    return re.sub(_SEPARATORS, "-", re.sub(_CAMEL_HUMP, "-", text).lower()).strip("-")


def camel_case(name: str) -> str:
    """Return `agentVersion` for `agent_version`, following the rules of pydantic's `to_camel`."""
    if re.fullmatch(_CAMEL_CASE, name) and not re.search(_DIGIT_THEN_LETTER, name):
        return name
    return re.sub(_FIRST_CAPITAL, lambda match: match.group().lower(), re.sub(_JOINT, "", name.title()))
