import pytest

from recommendation_cli.ui.links import execution_path, follow_path, incident_path, own_address, recommendation_path


@pytest.mark.parametrize(
    ("identity", "path"),
    [
        ("incident-7", "/incident/incident-7"),
        ("a/b?c#d", "/incident/a%2Fb%3Fc%23d"),
        ("é ü", "/incident/%C3%A9%20%C3%BC"),
        ("..", "/incident/?id=.."),
        ("<script>", "/incident/%3Cscript%3E"),
        ("\ud800", "/incident/%3F"),
    ],
)
def test_an_incident_is_found_by_its_id(identity: str, path: str) -> None:
    """Whatever the ID holds. Browsers resolve two dots, however they are written."""
    assert incident_path(identity) == path


def test_every_kind_has_its_path() -> None:
    """A recommendation's ID keeps its colons."""
    assert execution_path("exec-1") == "/execution/exec-1"
    assert follow_path("incident-7") == "/follow/incident-7"
    identity = "rec-incident-7-consensus-2026-01-31T12:00:00Z"
    assert recommendation_path(identity) == f"/recommendation/{identity}"


@pytest.mark.parametrize(
    ("pasted", "address"),
    [
        ("/incident/incident-7", "/incident/incident-7"),
        (" /diff?before=a&after=b ", "/diff?before=a&after=b"),
        ("http://127.0.0.1:4711/incident/a%2Fb?token=secret&since=7d", "/incident/a%2Fb?since=7d"),
        ("http://localhost:1/stats", "/stats"),
        ("incident-7", "/go?q=incident-7"),
        ("http://evil.example/", "/go?q=http%3A%2F%2Fevil.example%2F"),
        ("//evil.example", "/go?q=%2F%2Fevil.example"),
        ("/execution/a%2F..%2Fb", "/execution/a%2F..%2Fb"),
        ("/\\evil.example", "/go?q=%2F%5Cevil.example"),
        ("/\tevil.example/stats", "/go?q=%2F%09evil.example%2Fstats"),
        ("http://127.0.0.1@evil.example/stats", "/stats"),
        ("http://127.0.0.1[", "/go?q=http%3A%2F%2F127.0.0.1%5B"),
        ("http://127.0.0.1:8080/healthz", "/go?q=http%3A%2F%2F127.0.0.1%3A8080%2Fhealthz"),
        ("/aws/lambda/checkout", "/go?q=%2Faws%2Flambda%2Fcheckout"),
        ("/incidents", "/go?q=%2Fincidents"),
        ("/follow", "/follow"),
        ("/incident/?id=..", "/incident/?id=.."),
        ("/", "/"),
        ("", "/"),
    ],
)
def test_what_is_pasted_becomes_an_address_of_ones_own_page(pasted: str, address: str) -> None:
    """A link from another person's page loses its port, and its token if it had one; none leads to another server."""
    assert own_address(pasted) == address
