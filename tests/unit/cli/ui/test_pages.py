import json
import re
import threading
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from recommendation_cli.aws.connection import Target
from recommendation_cli.ui.links import execution_path, incident_path
from recommendation_shared.item.encoding import item_digest
from recommendation_shared.item.holds import hold_attribute
from recommendation_shared.item.marks import mark_item
from tests.support.fakes.recommendation_table import FakeDynamoDb, IndexedDynamoDb, Item, item
from tests.support.marks import held
from tests.support.ui import HeldAtTheEnd, replayed, ui_site, visitor

_ID = "rec-incident-7-consensus-2026-01-31T12:00:00Z"
_TOO_LONG = "x" * 1025


def _refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "x"}}, "Query")


def _page(table: list[Item], path: str) -> str:
    answer = visitor(ui_site(IndexedDynamoDb(table))).get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_first_page_lists_incidents_newest_first() -> None:
    """With what `recs incidents` counts, a link to each, and what reading cost."""
    page = _page([*replayed(), item(incident_id="older", age=timedelta(days=2))], "/")
    assert page.index('href="/incident/incident-7"') < page.index('href="/incident/older"')
    assert "knowledge-rag" in page
    assert "2 incidents; read 5 recommendations: 0.0 read units" in page
    assert "since 2026-01-25 12:00:00 UTC" in page


def test_filters_are_those_of_the_command() -> None:
    """The form shows them again, and a list without any match says what to do."""
    table = [*replayed(), item(incident_id="fine")]
    page = _page(table, "/?failed=1&since=7d&limit=5")
    assert "/incident/fine" not in page
    assert 'name="since" value="7d"' in page
    answer = visitor(ui_site(IndexedDynamoDb(table))).get("/?max-confidence=0.1")
    assert answer.status_code == 404
    assert "2 others left out" in answer.text


def test_a_wrong_filter_is_explained() -> None:
    """With the form to correct it."""
    answer = visitor(ui_site(IndexedDynamoDb([item()]))).get("/?since=tomorrow")
    assert answer.status_code == 400
    assert "2026-01-31T12:00" in answer.text
    assert 'name="since" value="tomorrow"' in answer.text


def test_an_incident_shows_its_newest_executions_side_by_side() -> None:
    """A row for each agent, the consensus last, and a cell for each execution."""
    page = _page(replayed(), "/incident/incident-7")
    rows = page.partition('class="beside')[2]
    assert rows.index('<th scope="row">knowledge-rag') < rows.index('<th scope="row">consensus')
    assert rows.index("✓ success") < rows.index("✗ TIMEOUT")
    assert "replay of execution-1" in page
    assert "/diff?before=execution-1&amp;after=execution-2" in page


def test_the_address_says_which_executions_are_shown() -> None:
    """At most four."""
    table = [item(age=timedelta(minutes=number), execution_id=f"execution-{number}") for number in range(6)]
    rows = _page(table, "/incident/incident-7?execution=execution-5&execution=execution-3").partition('class="beside')[
        2
    ]
    assert "/execution/execution-5" in rows
    assert "/execution/execution-0" not in rows
    every = "&".join(f"execution=execution-{number}" for number in range(6))
    assert _page(table, f"/incident/incident-7?{every}").partition("<tbody>")[2].count('class="which') == 4


def test_a_field_that_the_contract_does_not_know_is_shown() -> None:
    """A newer producer may add fields."""
    stored = {**item(), "blastRadius": {"S": "the whole region"}}
    stored["contentDigest"] = {"S": item_digest(stored)}
    for path in ("/incident/incident-7", "/execution/execution-1", f"/recommendation/{_ID}"):
        page = _page([stored], path)
        assert "blastRadius" in page
        assert "the whole region" in page


def test_a_long_text_is_cut_beside_others_and_whole_on_its_own_page() -> None:
    """An incident's page stays small whatever its agents write."""
    table = [item(reasoning="word " * 20_000, recommendation={"log": "line " * 20_000})]
    page = _page(table, "/incident/incident-7")
    assert len(page) < 100_000
    assert "more characters: not on this page, but on the recommendation&#x27;s own page" in page
    assert len(_page(table, f"/recommendation/{_ID}")) > 200_000


def test_a_recommendation_has_all_of_it_and_says_whether_it_is_intact() -> None:
    """With links up to its execution and its incident."""
    page = _page([item()], f"/recommendation/{_ID}")
    assert "✓ verified" in page
    assert 'href="/incident/incident-7"' in page
    assert 'href="/execution/execution-1"' in page
    tampered = {**item(), "reasoning": {"S": "Something else."}}
    assert "This is not what the consumer wrote" in _page([tampered], f"/recommendation/{_ID}")


@pytest.mark.parametrize("missing", ["incidentId", "executionId", "agentType", "timestamp", "metadata"])
def test_an_item_without_a_field_of_recommendations_has_its_page(missing: str) -> None:
    """Incident marks are such items, and so is what others wrote: it is shown, and is not what the consumer wrote."""
    stored = item()
    del stored[missing]
    page = _page([stored], f"/recommendation/{_ID}")
    assert "This is not what the consumer wrote" in page
    assert ">None<" not in page


def test_a_hold_is_shown_with_who_holds_and_why() -> None:
    """In the list, on the incident's page, and on each recommendation's."""
    mark = held("incident-7", "Lawsuit <42>")
    assert mark.hold is not None
    stored = {name: value for name, value in item().items() if name != "ttl"} | {"hold": hold_attribute(mark.hold)}
    table = [stored, mark_item(mark)]
    for path in ("/", "/incident/incident-7", f"/recommendation/{_ID}"):
        page = _page(table, path)
        assert "held since 2026-02-01 09:00 UTC by assumed-role/RecommendationCuratorRole/ann: Lawsuit &lt;42" in page


def test_two_executions_are_compared_in_words() -> None:
    """A replay named alone is compared with its original."""
    for query in ("before=execution-1&after=execution-2", "before=execution-2"):
        page = _page(replayed(), f"/diff?{query}")
        assert "confidence fell from 0.87 to 0.5" in page
        assert "status changed from SUCCESS to TIMEOUT" in page
    assert 'action="/diff"' in _page([], "/diff")
    answer = visitor(ui_site(IndexedDynamoDb(replayed()))).get("/diff?before=execution-1")
    assert answer.status_code == 404
    assert "not marked as a replay" in answer.text


def test_a_search_marks_what_it_finds() -> None:
    """The text may be anything."""
    page = _page([item("knowledge-rag", reasoning="<b> is bold. Then <i>.")], "/search?text=%3Cb%3E+IS")
    assert "<mark>&lt;b&gt; is</mark> bold." in page
    answer = visitor(ui_site(IndexedDynamoDb([item()]))).get("/search?text=nowhere")
    assert answer.status_code == 404
    assert "Nothing mentions" in answer.text


def test_a_search_ends_at_its_limit() -> None:
    """It says so."""
    table = [item(age=timedelta(minutes=number)) for number in range(5)]
    page = _page(table, "/search?text=deploy&limit=2")
    assert page.count("<mark>") == 2
    assert "and perhaps more" in page


def test_statistics_have_a_row_and_a_course_for_each_agent() -> None:
    """Drawn on the server."""
    page = _page(replayed(), "/stats")
    assert "Median confidence of knowledge-rag over the period" in page
    assert "1 of 2" in page
    assert "<polyline" in page or "<circle" in page


@pytest.mark.parametrize(
    ("pasted", "address"),
    [
        ("incident-7", "/incident/incident-7"),
        ("execution-1", "/execution/execution-1"),
        (_ID, f"/recommendation/{_ID}"),
        ("the deploy", "/search?text=the+deploy"),
        ("/stats", "/stats"),
        ("http://127.0.0.1:1/incident/other", "/incident/other"),
        ("http://evil.example/", "/search?text=http%3A%2F%2Fevil.example%2F"),
        ("/aws/lambda/checkout", "/search?text=%2Faws%2Flambda%2Fcheckout"),
        ("http://127.0.0.1[", "/search?text=http%3A%2F%2F127.0.0.1%5B"),
        ("", "/"),
    ],
)
def test_go_to_finds_whatever_is_pasted(pasted: str, address: str) -> None:
    """An ID of any kind, a link from another person's page, or a text to search for."""
    browser = visitor(ui_site(IndexedDynamoDb([item()])))
    answer = browser.get("/go", params={"q": pasted}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, address)


@pytest.mark.parametrize("identity", ["a/b", "a/../b", "..", "?#&", "<script>alert(1)</script>", "é\u202eü", "x//y"])
def test_any_id_has_its_page(identity: str) -> None:
    """Whatever is in it, it is found by its address."""
    stored = item(incident_id=identity, execution_id=identity)
    for path in (incident_path(identity), execution_path(identity)):
        assert "roll back" in _page([stored], path)


def test_the_forms_of_an_incident_lead_to_it_whatever_its_id_is() -> None:
    """Two dots are in the address's query, which a form replaces by its fields."""
    page = _page([item(incident_id="..")], incident_path(".."))
    assert page.count('<input type="hidden" name="id" value="..">') == page.count('action="/incident/?id=.."') == 2
    assert 'name="id"' not in _page([item()], incident_path("incident-7"))


@pytest.mark.parametrize(
    "path",
    [
        "/incident/",
        "/execution/",
        "/recommendation/",
        "/follow/",
        f"/incident/{_TOO_LONG}",
        f"/search?text=a&incident={_TOO_LONG}",
        f"/diff?before={_TOO_LONG}",
        f"/diff?before=execution-1&after={_TOO_LONG}",
        f"/events?incident={_TOO_LONG}",
    ],
)
def test_an_address_without_a_possible_id_is_explained(path: str) -> None:
    """DynamoDB is not asked."""
    table = IndexedDynamoDb([item()])
    answer = visitor(ui_site(table)).get(path)
    assert answer.status_code == 400
    assert "bytes of UTF-8" in answer.text
    assert table.queries == []


def test_a_text_that_is_too_long_for_an_id_is_searched_for() -> None:
    """Whoever pastes a whole message looks for a text."""
    answer = visitor(ui_site(IndexedDynamoDb([item()]))).get("/go?q=" + "x" * 1025, follow_redirects=False)
    assert answer.headers["location"].startswith("/search?text=xxx")


def test_a_wrong_id_gets_a_suggestion() -> None:
    """The same as from the command."""
    answer = visitor(ui_site(IndexedDynamoDb([item()]))).get("/incident/incident-77")
    assert answer.status_code == 404
    assert "did you mean incident-7?" in answer.text


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (_refusal("AccessDeniedException"), "RecommendationReaderRole"),
        (_refusal("ExpiredTokenException"), "aws sso login"),
        (_refusal("ResourceNotFoundException"), "check --table"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "check --region"),
    ],
)
@pytest.mark.parametrize("path", ["/", "/incident/incident-7", "/stats", "/search?text=a", "/diff?before=a", "/go?q=a"])
def test_an_error_of_aws_is_a_page_with_the_remedy(error: Exception, remedy: str, path: str) -> None:
    """On every page."""
    answer = visitor(ui_site(FakeDynamoDb(error))).get(path)
    assert answer.status_code == 502
    assert remedy in answer.text


def test_after_an_error_the_next_page_connects_again() -> None:
    """Other credentials may be there by then."""
    denied = _refusal("ExpiredTokenException")
    tables = [FakeDynamoDb(denied), IndexedDynamoDb([item()])]
    targets: list[Target] = []

    def connect(target: Target) -> FakeDynamoDb:
        targets.append(target)
        return tables[min(len(targets), len(tables)) - 1]

    browser = visitor(ui_site(tables[0], connect=connect))
    assert browser.get("/incident/incident-7").status_code == 502
    assert browser.get("/incident/incident-7").status_code == 200
    assert browser.get("/stats").status_code == 200
    assert len(targets) == 2


def test_a_slow_page_begins_with_its_progress() -> None:
    """The list follows, and the style hides the progress by then."""
    go_on = threading.Event()

    class Slow(IndexedDynamoDb):
        def query(self, **parameters: Any) -> Mapping[str, Any]:
            go_on.wait(10)
            return super().query(**parameters)

    threading.Timer(0.7, go_on.set).start()
    page = _begun_page(Slow([item()]))
    assert '<div class="progress" role="status"><p>reading …</p>' in page
    assert page.count("reading …") == 1  # half a second later, there is nothing new to say
    assert page.index("</div><") < page.index('href="/incident/incident-7"')
    assert page.rstrip().endswith("</html>")


def _slow_page(table: list[Item], path: str) -> str:
    """Return a page that waits for the last request, so that it shows what was read before."""
    slow = HeldAtTheEnd(table)
    threading.Timer(0.7, slow.go_on.set).start()
    return visitor(slow.site()).get(path).text


def test_a_slow_list_shows_the_newest_incidents_so_far() -> None:
    """Nobody waits for a week to be read who wants to see what is happening."""
    page = _slow_page([item(incident_id=f"incident-{n:02}", age=timedelta(minutes=n)) for n in range(30)], "/")
    so_far, whole = page.split("The newest so far:")[-1].split('<p class="dim scope">')
    assert re.findall(r'href="/incident/(incident-\d\d)"', so_far) == [f"incident-{n:02}" for n in range(20)]
    assert len(re.findall(r'href="/incident/(incident-\d\d)"', whole)) == 30


def test_incidents_so_far_are_not_said_to_lack_a_consensus() -> None:
    """It may be what is read next."""
    so_far, whole = _slow_page([item("knowledge-rag")], "/").split('<p class="dim scope">')
    assert 'href="/incident/incident-7"' in so_far
    assert "no consensus" not in so_far
    assert "no consensus" in whole


def test_a_slow_list_of_nothing_so_far_shows_no_empty_table() -> None:
    """Only how much was read."""
    page = _slow_page([item()], "/?max-confidence=0")
    assert "read 1 recommendation …" in page
    assert "<table" not in page


def test_an_error_after_the_page_has_begun_is_on_the_page() -> None:
    """Its status has been sent by then."""

    class Slow(IndexedDynamoDb):
        def query(self, **_parameters: Any) -> Mapping[str, Any]:
            threading.Event().wait(0.1)
            raise _refusal("AccessDeniedException")

    page = _begun_page(Slow([]))
    assert "RecommendationReaderRole" in page
    assert page.rstrip().endswith("</html>")


def _begun_page(table: FakeDynamoDb) -> str:
    answer = visitor(ui_site(table, quick=0.0)).get("/")
    assert answer.status_code == 200
    return answer.text


ATTACKS = (
    "<script>alert(1)</script>",
    "\" onmouseover='alert(1)' x=\"",
    "</title></style></textarea><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "\u202eevil\u2066\u200b",
)


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_that_an_agent_says_is_markup(attack: str) -> None:
    """Nor what is in an address. Characters that hide or reorder text are shown as escapes."""
    stored = item(
        "consensus",
        incident_id=attack,
        execution_id=attack,
        recommendation={attack: attack, "agreement_level": attack, "minority_opinions": [{attack: attack}]},
        reasoning=f"{attack} find",
        citations=[{"title": attack, "url": "javascript:alert(1)"}, {attack: attack}],
        metadata={"status": attack, "error": {attack: attack}, "model": attack, "agentVersion": attack},
    )
    identity = stored["recommendationId"]["S"]
    browser = visitor(ui_site(IndexedDynamoDb([stored]), may_review=True))
    for path, query in (
        ("/", {"agent": ""}),
        (incident_path(attack), {}),
        (execution_path(attack), {}),
        ("/recommendation/", {"id": identity}),
        ("/diff", {"before": attack, "after": attack}),
        ("/search", {"text": "find", "incident": attack}),
        ("/search", {"text": attack}),
        ("/stats", {}),
        ("/follow/", {"id": attack}),
        ("/no-such-page/" + json.dumps(attack), {}),
    ):
        page = browser.get(path, params=query).text
        for mark in ("<script>alert", "<svg onload", "onmouseover='", 'href="javascript:', "\u202e", "\u200b"):
            assert mark not in page, (path, mark)
        assert ("{{" not in attack) or path in {"/", "/stats"} or "{{ 7 * 7 }}" in page
