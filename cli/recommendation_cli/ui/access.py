"""Who may look: whoever has the address that `recs ui` printed, in a browser on this machine."""

import hmac
import secrets
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recommendation_cli.ui.links import own_path
from recommendation_cli.ui.rendering import render

TOKEN: Final = "token"  # noqa: S105 - the name of the query parameter
_HOSTS: Final = frozenset({"127.0.0.1", "localhost"})
_OPEN: Final = frozenset({"/static/report.css", "/static/ui.css"})  # what the page for strangers needs
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        *(f"{kind}-src 'self'" for kind in ("style", "script", "img", "connect")),
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
# same-origin, not no-referrer: with that one, browsers send `Origin: null` with the page's own forms.
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass
class Access:
    """The secrets of one run. A ticket admits once: other users of the machine see a browser's command line."""

    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    _tickets: set[str] = field(default_factory=set)
    _used: set[str] = field(default_factory=set)

    def ticket(self) -> str:
        """Return a token that admits once."""
        ticket = secrets.token_urlsafe(32)
        self._tickets.add(ticket)
        return ticket

    def admits(self, given: str) -> bool:
        """Return whether a token is right; a ticket is used up."""
        if given in self._tickets:
            self._tickets.remove(given)
            self._used.add(given)
            return True
        return self.is_token(given)

    def has_admitted(self, given: str) -> bool:
        """Return whether a ticket was used up: if not by this browser, then by another user who was quicker."""
        return given in self._used

    def is_token(self, given: str) -> bool:
        """Return whether a text is the token, in a time that tells nothing about it."""
        return hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode())

    @property
    def form_key(self) -> str:
        """What the page's own forms send along, so that no other page can send them."""
        return hmac.new(self.token.encode(), b"form", "sha256").hexdigest()


class Guard:
    """Middleware that turns away everything but this machine's browser with the token, and sets the headers."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            # No page opens a WebSocket. Returning without an answer would be logged as an error.
            await send({"type": "websocket.close"})
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
            await send(message)

        response = self._response(Request(scope))
        await (self._app if response is None else response)(scope, receive, send_guarded)

    def _response(self, request: Request) -> Response | None:
        """Return what to respond instead of the page; None to show it."""
        host = request.headers.get("host", "")
        if _hostname(host) not in _HOSTS:
            # A name that an attacker's DNS server points at 127.0.0.1 would make the attacker's page our origin.
            return PlainTextResponse("recs ui answers only as 127.0.0.1 or localhost.\n", 421)
        if _is_foreign(request.headers):
            return PlainTextResponse("Another site's page may not read this one.\n", 403)
        if request.method == "POST" and request.headers.get("origin") != f"http://{host}":
            return PlainTextResponse("Only this page's own forms may be sent.\n", 403)
        path, cookie = request.scope["path"], cookie_name(request.scope)
        rest = urlencode([(name, text) for name, text in request.query_params.multi_items() if name != TOKEN])
        address = own_path(request.scope["raw_path"].decode("latin-1")) + (rest and f"?{rest}")
        is_known = self._access.is_token(request.cookies.get(cookie, ""))
        given = request.query_params.get(TOKEN)
        if given is not None and (is_known or self._access.admits(given)):
            response = RedirectResponse(address, 303)
            response.set_cookie(cookie, self._access.token, httponly=True, samesite="strict", path="/")
            return response
        if is_known or path in _OPEN:
            return None
        was_used = given is not None and self._access.has_admitted(given)
        return HTMLResponse(render("denied.html", address=address, was_used=was_used), 403)


def cookie_name(scope: Scope) -> str:
    """Return the name of the cookie that holds the token: cookies know no ports, and there may be several servers."""
    return f"recs-{scope['server'][1]}"


def _is_foreign(headers: Headers) -> bool:
    """Return whether another site's page sends the request, unless it is a link that was clicked."""
    if headers.get("sec-fetch-site", "none") in {"same-origin", "none"}:
        return False
    return (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) != ("navigate", "document")


def _hostname(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:  # half an IPv6 address
        return None
