"""The reasons why a message is not a valid envelope."""

from typing import Final

INVALID_JSON: Final = "InvalidJson"
INVALID_ENVELOPE: Final = "InvalidEnvelope"
ID_MISMATCH: Final = "IdMismatch"
UNKNOWN_SCHEMA_VERSION: Final = "UnknownSchemaVersion"


class EnvelopeError(ValueError):
    """A message that is not a valid envelope.

    `reason` is `InvalidJson`, `InvalidEnvelope`, `IdMismatch` or `UnknownSchemaVersion`. `detail` names fields and
    rules and never quotes the message, so it may be logged and forwarded.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
