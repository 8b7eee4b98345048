"""The register of agent types beyond the usual ones, so that readers find every agent without scanning the table.

For each such type the consumer stores one small item. It appears only in the index by agent type, under a key that no
agent can have, sorted by the type's name.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from recommendation_shared.item.encoding import PARTITION_KEY, EncodedItem

REGISTER: Final = "_agent-types"  # as `agentType`: not kebab-case, so no recommendation has it
_KEY_PREFIX: Final = "agent-type/"  # recommendation IDs start with "rec-"


def registration(agent_type: str) -> EncodedItem:
    """Return the item that registers an agent type; it is the same each time, and never expires."""
    key = _KEY_PREFIX + agent_type
    attributes = {PARTITION_KEY: key, "agentType": REGISTER, "timestamp": agent_type}
    body = json.dumps({name: {"S": text} for name, text in attributes.items()}, separators=(",", ":")).encode()
    return EncodedItem(key, body, sha256(body).hexdigest(), None)


def registered_type(item: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the agent type that an item of the register is for."""
    name: str = item["timestamp"]["S"]
    return name
