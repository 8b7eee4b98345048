"""The page's addresses: each thing is found by its ID, so that a link works on everyone's own `recs ui`."""

from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

_PAGES: Final = frozenset({"/", "/diff", "/search", "/stats", "/follow"})
_BY_ID: Final = ("/incident/", "/execution/", "/recommendation/", "/follow/")
_DOTS: Final = frozenset({".", ".."})  # which browsers resolve, even if they are escaped


def incident_path(incident_id: str) -> str:
    """Return the address of an incident."""
    return _by_id("incident", incident_id)


def execution_path(execution_id: str) -> str:
    """Return the address of an execution."""
    return _by_id("execution", execution_id)


def recommendation_path(recommendation_id: str) -> str:
    """Return the address of a recommendation."""
    return _by_id("recommendation", recommendation_id)


def follow_path(incident_id: str) -> str:
    """Return the address at which an incident is followed."""
    return _by_id("follow", incident_id)


def query_path(path: str, **query: str) -> str:
    """Return an address with a query; a trailing underscore of a name is dropped."""
    return f"{path}?{urlencode({name.rstrip('_'): text for name, text in query.items()}, errors='replace')}"


def query_fields(address: str) -> list[tuple[str, str]]:
    """Return the query of an address as fields: a form that is sent to it replaces the query by its own fields."""
    return parse_qsl(urlsplit(address).query)


def own_path(path: str) -> str:
    """Return a path, whose escapes stay, as one of this server: never what a browser takes for another's address."""
    return "/" + quote(path.lstrip("/\\"), safe="/:%", errors="replace")


def own_address(text: str) -> str:
    """Return the address for what a person pasted: a link from anyone's page, its path, or an ID or a text to find."""
    text = text.strip()
    return (_page_address(text) or query_path("/go", q=text)) if text else "/"


def _page_address(text: str) -> str | None:
    """Return the address of a page that a text links to; None if it does not: IDs may begin with a slash too."""
    is_address = text.startswith(("http://127.0.0.1", "http://localhost"))
    if not is_address and not text.startswith("/"):
        return None
    try:
        parts = urlsplit(text if is_address else f"http://127.0.0.1{text}")
    except ValueError:  # brackets without an IPv6 address
        return None
    path = parts.path or "/"
    if path not in _PAGES and not path.startswith(_BY_ID):
        return None
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != "token"]
    return own_path(path) + (f"?{urlencode(query)}" if query else "")


def _by_id(kind: str, identity: str) -> str:
    if identity in _DOTS:
        return query_path(f"/{kind}/", id=identity)
    return f"/{kind}/{quote(identity, safe=':', errors='replace')}"
