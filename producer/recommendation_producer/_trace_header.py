"""The X-Ray trace header of the current invocation, which goes with its recommendations to the consumer."""

import re
from collections.abc import Mapping
from typing import Final

VARIABLE: Final = "_X_AMZN_TRACE_ID"  # Lambda's runtime sets it for each invocation
# SQS refuses a message whose header is malformed, so nothing else is sent (AWS X-Ray Developer Guide, "Tracing
# header"; `Lineage` is Lambda's own addition).
_FORMAT: Final = r"Root=1-[0-9a-fA-F]{8}-[0-9a-fA-F]{24}(?:;[A-Za-z]{1,32}=[0-9A-Za-z:|.-]{1,128}){0,8};?"


class TraceHeader:
    """Reads the header from the environment. Safe in any thread."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._last: tuple[str | None, str | None] = (None, None)

    def current(self) -> str | None:
        """Return the header, or None if there is none or it is malformed."""
        last, header = self._last
        text = self._environ.get(VARIABLE)
        if text != last:  # once per invocation, and its envelopes then share one string
            header = text if text is not None and re.fullmatch(_FORMAT, text) else None
            self._last = (text, header)
        return header
