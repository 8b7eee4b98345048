"""How to serve the page."""

from typing import NamedTuple


class UiOptions(NamedTuple):
    """The port (0: any free one), and which part of the page to open first."""

    page: str
    port: int
    no_browser: bool
    review: bool
