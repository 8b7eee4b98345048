"""Serve the page until Ctrl-C."""

import os
import socket
import sys
import webbrowser
from collections.abc import Mapping
from importlib.util import find_spec
from threading import Thread
from typing import TYPE_CHECKING, Final

import click

from recommendation_cli.aws.errors import explained
from recommendation_cli.options.table import TableOptions
from recommendation_cli.runtime import Runtime
from recommendation_cli.ui.options import UiOptions

if TYPE_CHECKING:
    from recommendation_cli.ui.site import Site

_HOST: Final = "127.0.0.1"  # and no other: the page must not be reachable from elsewhere
_REQUIRED: Final = ("jinja2", "starlette", "uvicorn")  # top-level modules of the extra `ui`
_DISPLAYS: Final = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


def serve(runtime: Runtime, table: TableOptions, options: UiOptions) -> None:
    """Print the address, open a browser and serve until Ctrl-C; raise a usage error if that cannot begin."""
    missing = [name for name in _REQUIRED if find_spec(name) is None]
    if missing:
        raise click.UsageError(f"recs ui needs {', '.join(missing)}: install the wheel or the checkout with [cli,ui].")
    target = table.target(runtime)
    with _listen(options.port) as listener:
        from recommendation_cli.ui.access import TOKEN, Access
        from recommendation_cli.ui.app import application
        from recommendation_cli.ui.links import own_address
        from recommendation_cli.ui.server import UiServer
        from recommendation_cli.ui.site import site_of

        access = Access()
        address = f"http://{_HOST}:{listener.getsockname()[1]}{own_address(options.page)}"
        link = f"{address}{'&' if '?' in address else '?'}{TOKEN}="
        site = site_of(runtime, table, access, may_review=options.review)
        # While the browser starts: templates, botocore and anyio take half a second.
        Thread(target=_warm_up, args=(site,), daemon=True).start()
        click.echo(f"{link}{access.token}")
        sys.stdout.flush()
        click.echo(f"Showing {target} to whoever has that address, until Ctrl-C.", err=True)
        if not options.no_browser and _has_screen(runtime.environ):
            Thread(target=webbrowser.open, args=(link + access.ticket(),), daemon=True).start()
        UiServer(application(site), site.closing).run(sockets=[listener])


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # where a server that has just ended still holds the port; Windows shares ports instead
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise click.UsageError(
            f"Port {port} of {_HOST} cannot be used ({error.strerror}): choose another --port, or none for a free one."
        ) from None
    return listener


def _warm_up(site: "Site") -> None:
    import anyio

    from recommendation_cli.ui.rendering import compile_templates

    compile_templates()
    anyio.run(anyio.sleep, 0)  # loads what Starlette would load while it begins the first page that takes longer
    try:
        with explained(site.target):
            site.client()
    except click.ClickException:  # which the first page meets again, and explains
        return


def _has_screen(environ: Mapping[str, str]) -> bool:
    """Return whether a browser can open: on Linux without a display, one for terminals would take this one over."""
    return sys.platform != "linux" or any(map(environ.get, _DISPLAYS))
