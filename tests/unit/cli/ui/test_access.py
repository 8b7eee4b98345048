import pytest
from starlette.websockets import WebSocketDisconnect

from recommendation_cli.ui.access import TOKEN, Access
from recommendation_cli.ui.app import application
from recommendation_cli.ui.site import Site
from tests.support.fakes.recommendation_table import IndexedDynamoDb, item
from tests.support.ui import stranger, ui_site, visitor


def _site() -> Site:
    return ui_site(IndexedDynamoDb([item()]))


def test_whoever_has_no_token_sees_nothing() -> None:
    """Not with a wrong token, nor with a wrong cookie."""
    browser = stranger(application(_site()))
    for path in ("/", "/incident/incident-7", "/events", f"/?{TOKEN}=wrong", "/no-such-page"):
        answer = browser.get(path)
        assert answer.status_code == 403
        assert "incident-7" not in answer.text.replace(path, "")
    assert browser.get("/", headers={"cookie": "recs-80=wrong"}).status_code == 403


def test_the_token_becomes_a_cookie_and_leaves_the_address() -> None:
    """The address that remains can be shared, and no script can read the cookie."""
    site = _site()
    answer = stranger(application(site)).get(
        f"/search?{TOKEN}={site.access.token}&text=roll+back", follow_redirects=False
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/search?text=roll+back")
    cookie = answer.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "samesite=strict", "path=/"))


def test_no_page_contains_the_token() -> None:
    """It would be copied with the page."""
    site = _site()
    browser = visitor(site)
    for path in ("/", "/incident/incident-7", "/search?text=roll", "/stats", "/follow", "/diff", "/no-such-page"):
        answer = browser.get(path)
        assert site.access.token not in answer.text + str(answer.headers)


def test_a_ticket_admits_once() -> None:
    """Other users of the machine see the command line of the browser that is opened with it."""
    access = Access()
    ticket = access.ticket()
    assert access.admits(ticket)
    assert not access.admits(ticket)
    assert access.admits(access.token)
    assert access.admits(access.token)


def test_whoever_comes_second_with_a_ticket_learns_that_it_was_used() -> None:
    """Another user may have been quicker; the browser that used it first may come again."""
    site = _site()
    address = f"/?{TOKEN}={site.access.ticket()}"
    first, second = stranger(application(site)), stranger(application(site))
    assert first.get(address).status_code == first.get(address).status_code == 200
    refused = second.get(address)
    assert refused.status_code == 403
    assert "another user of this machine may have" in refused.text
    assert "has been used" not in second.get(f"/?{TOKEN}=wrong").text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "[::1", "", "10.0.0.7"])
def test_another_name_for_this_machine_is_refused(host: str) -> None:
    """An attacker's DNS server can point any name at 127.0.0.1, which makes the attacker's page the same origin."""
    site = _site()
    answer = visitor(site).get("/", headers={"host": host})
    assert answer.status_code == 421
    assert "incident" not in answer.text


def test_the_local_names_are_served_at_any_port() -> None:
    """A forwarded port has another number."""
    site = _site()
    for host in ("127.0.0.1:8080", "localhost", "localhost:9999"):
        assert visitor(site).get("/stats", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["cross-site", "same-site"])
def test_another_pages_requests_are_refused_although_they_have_the_cookie(origin: str) -> None:
    """To a browser, a page on another port of 127.0.0.1 is the same site. A link that is clicked there works."""
    browser = visitor(_site())
    frame = {"sec-fetch-site": origin, "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}
    assert browser.get("/", headers=frame).status_code == 403
    assert browser.get("/", headers={"sec-fetch-site": origin, "sec-fetch-mode": "no-cors"}).status_code == 403
    clicked = {"sec-fetch-site": origin, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert browser.get("/", headers=clicked).status_code == 200


@pytest.mark.parametrize("path", ["/", "/incident/none", "/no-such-page", "/static/ui.css", "/search?limit=x&text=a"])
def test_every_response_has_the_headers(path: str) -> None:
    """Errors and static files too."""
    site = _site()
    for answer in (visitor(site).get(path), stranger(application(site)).get(path)):
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_a_bug_is_a_page_with_the_headers_too() -> None:
    """The page says where to look; the traceback is in the terminal."""

    class Broken(IndexedDynamoDb):
        def query(self, **_parameters: object) -> dict[str, object]:
            raise ZeroDivisionError

    answer = visitor(ui_site(Broken([]))).get("/")
    assert answer.status_code == 500
    assert "bug of recs" in answer.text
    assert "ZeroDivisionError" not in answer.text
    assert "content-security-policy" in answer.headers


@pytest.mark.parametrize("address", ["//evil.example/", "/%5Cevil.example/", "/%2F%2Fevil.example"])
def test_no_address_leads_elsewhere_after_the_token(address: str) -> None:
    """A browser takes an address that begins with two slashes, or a backslash, for another server's."""
    site = _site()
    answer = stranger(application(site)).get(
        f"http://127.0.0.1{address}?{TOKEN}={site.access.token}", follow_redirects=False
    )
    assert answer.status_code == 303
    assert answer.headers["location"][:2] in {"/e", "/%"}


def test_a_web_socket_is_refused() -> None:
    """No page opens one: with the cookie or without, and without a traceback in the terminal."""
    site = _site()
    for browser in (visitor(site), stranger(application(site))):
        with pytest.raises(WebSocketDisconnect), browser.websocket_connect("/events"):
            pass


def test_only_the_pages_own_forms_may_be_sent() -> None:
    """The browser says which page sends a form."""
    browser = visitor(ui_site(IndexedDynamoDb([item()]), may_review=True))
    for origin in ({}, {"origin": "null"}, {"origin": "http://evil.example"}, {"origin": "http://127.0.0.1:81"}):
        assert browser.post("/review", headers=origin, content=b"").status_code == 403
