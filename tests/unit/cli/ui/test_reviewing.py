import re

import pytest
from starlette.testclient import TestClient

from tests.support.fakes.recommendation_table import item
from tests.support.fakes.reviewer import ALICE, ReviewersAccount
from tests.support.fakes.reviews_table import FakeReviewsTable, refusal
from tests.support.ui import ui_site, visitor

_ID = "rec-incident-7-consensus-2026-01-31T12:00:00Z"
_ORIGIN = {"origin": "http://127.0.0.1", "content-type": "application/x-www-form-urlencoded"}


def _account() -> ReviewersAccount:
    return ReviewersAccount([item()])


def _visitor(account: ReviewersAccount, *, may_review: bool = True) -> TestClient:
    return visitor(ui_site(account, may_review=may_review, create_client=account.runtime().create_client))


def _key(browser: TestClient) -> str:
    found = re.search(r'name="key" value="([0-9a-f]{64})"', browser.get(f"/recommendation/{_ID}").text)
    assert found is not None
    return found[1]


def _send(browser: TestClient, **fields: str) -> int:
    sent = {"key": _key(browser), **{name.replace("_", "-"): text for name, text in fields.items()}}
    return browser.post("/review", data=sent, headers=_ORIGIN, follow_redirects=False).status_code


def test_a_review_is_stored_in_the_callers_name_and_shown() -> None:
    """On the recommendation's page, and beside what the agent said."""
    account = _account()
    browser = _visitor(account)
    assert _send(browser, recommendation=_ID, verdict="wrong", note="The cache.\r\n<b>Not</b> the deploy.") == 303
    (stored,) = account.reviews.items.values()
    assert (stored["by"]["S"], stored["verdict"]["S"]) == (ALICE, "wrong")
    assert stored["note"]["S"] == "The cache.\n<b>Not</b> the deploy."
    page = browser.get(f"/recommendation/{_ID}").text
    assert "&lt;b&gt;Not&lt;/b&gt; the deploy." in page
    assert "RecommendationReviewerRole/alice" in page
    assert "reviewed: <b>wrong</b>" in browser.get("/incident/incident-7").text


def test_a_later_review_supersedes_and_keeps_the_earlier_one() -> None:
    """Both are shown."""
    account = _account()
    browser = _visitor(account)
    _send(browser, recommendation=_ID, verdict="wrong")
    _send(browser, recommendation=_ID, verdict="partly")
    assert len(account.reviews.items) == 2
    page = browser.get(f"/recommendation/{_ID}").text
    assert page.index("partly</span>") < page.index("wrong</span>") < page.index("superseded</p>")


def test_an_incident_gets_a_root_cause() -> None:
    """Its form holds what was said last."""
    account = _account()
    browser = _visitor(account)
    assert _send(browser, incident="incident-7", root_cause="A full disk", resolved_by="Moving the logs") == 303
    page = browser.get("/incident/incident-7").text
    assert '<textarea name="root-cause">A full disk</textarea>' in page
    assert page.index("What was found out afterwards") < page.index("Moving the logs")


def test_without_the_option_nothing_is_written_and_no_form_is_shown() -> None:
    """The page only reads."""
    account = _account()
    browser = _visitor(account, may_review=False)
    assert "<textarea" not in browser.get(f"/recommendation/{_ID}").text
    answer = browser.post("/review", data={"recommendation": _ID, "verdict": "wrong"}, headers=_ORIGIN)
    assert answer.status_code == 403
    assert "--review" in answer.text
    assert account.reviews.items == {}


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"key": "0" * 64, "recommendation": _ID, "verdict": "wrong"}, 403),
        ({"key": "", "recommendation": _ID, "verdict": "wrong"}, 403),
        ({"recommendation": _ID, "verdict": "odd"}, 400),
        ({"recommendation": _ID}, 400),
        ({"verdict": "wrong"}, 404),
        ({"recommendation": "rec-none-consensus-2026-01-31T12:00:00Z", "verdict": "wrong"}, 404),
        ({"incident": "incident-8", "root_cause": "x"}, 404),
        ({"recommendation": _ID, "verdict": "wrong", "note": "x" * 9_000}, 400),
        ({"recommendation": _ID, "verdict": "wrong", "note": "x" * 200_000}, 403),
    ],
)
def test_what_cannot_be_stored_is_explained(fields: dict[str, str], status: int) -> None:
    """Nothing is written then."""
    account = _account()
    assert _send(_visitor(account), **fields) == status
    assert account.reviews.items == {}


def test_without_the_table_or_its_permission_pages_go_on() -> None:
    """They say so once; storing a review is an error of AWS."""
    account = ReviewersAccount([item()], reviews=FakeReviewsTable(error=refusal("AccessDeniedException")))
    browser = _visitor(account)
    page = browser.get(f"/recommendation/{_ID}")
    assert page.status_code == 200
    assert "Reviews are not shown" in page.text
    assert _send(browser, recommendation=_ID, verdict="wrong") == 502
