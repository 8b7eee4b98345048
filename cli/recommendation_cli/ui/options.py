"""How to serve the page."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UiOptions:
    """The port (0: any free one), and which part of the page to open first."""

    page: str
    port: int
    no_browser: bool
    review: bool
