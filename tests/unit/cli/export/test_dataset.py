import json
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator

from infra.paths import ROOT
from recommendation_cli.reviews.review import Review, ReviewKey, Verdict
from recommendation_shared.envelope.identity import sort_key
from tests.support.fakes.exports import outage, run_export
from tests.support.fakes.recommendation_table import (
    COMPLETED,
    FakeDynamoDb,
    IndexedDynamoDb,
    Item,
    item,
    recommendation_id,
)
from tests.support.fakes.reviews_table import FakeReviewsTable, refusal

SCHEMA: Final = json.loads((ROOT / "docs" / "dataset.schema.json").read_text())
ALICE: Final = "arn:aws:sts::1:assumed-role/RecommendationReviewerRole/alice"
METADATA: Final = {
    "status": "SUCCESS",
    "agentVersion": "1.2",
    "cost": {"model": "large"},
    "sessionId": "session-1",
    "checkpointId": "checkpoint-9",
    "replayMetadata": {"replay_of": "execution-0"},
}
RAG: Final = item(
    "knowledge-rag",
    metadata=METADATA,
    recommendation={"customer": "ACME", "hosts": [{"name": "db-1", "owner.mail": "bob@example.com"}]},
    citations=[{"title": "Runbook", "url": "https://wiki.example/1"}],
)
CONSENSUS: Final = item(age=timedelta(seconds=-1))
OTHER: Final = item(incident_id="incident-8", age=timedelta(seconds=-2))


def _review(about: Item | None, hours: float = 1, incident: str = "incident-7", **said: Any) -> Item:
    """Return a review of a recommendation or, without one, of an incident."""
    identity = None if about is None else recommendation_id(about)
    key = ReviewKey(incident, f"{sort_key(COMPLETED + timedelta(hours=hours))}/00ff")
    nothing = {"verdict": None, "note": None, "root_cause": None, "resolved_by": None}
    return Review(key, identity, **{**nothing, **said}, by=ALICE).item()


HELPFUL: Final = _review(RAG, verdict=Verdict.HELPFUL, note="It named the host.")
CAUSE: Final = _review(None, hours=1.2, root_cause="A bad deploy", resolved_by="Rolling it back")


def _client(*reviews: Item) -> IndexedDynamoDb:
    return IndexedDynamoDb([RAG, CONSENSUS, OTHER], reviews=FakeReviewsTable(*reviews))


def _export(client: FakeDynamoDb, *args: str) -> list[dict[str, Any]]:
    """Return the examples of the incident, or of what the arguments name, each of which the schema allows."""
    command = args if args[:1] == ("period",) else ("incident", "incident-7", "-", *args)
    result = run_export(client, *command, "--dataset")
    assert result.exit_code == 0, result.output
    examples = [json.loads(line) for line in result.stdout.splitlines()]
    for example in examples:
        Draft202012Validator(SCHEMA).validate(example)
    return examples


def test_an_example_has_what_was_said_and_how_people_judged_it() -> None:
    """Who judged is left out; where the input is, what made the output, and the digest of the item are there."""
    Draft202012Validator.check_schema(SCHEMA)
    example, _ = _export(_client(HELPFUL, CAUSE))
    assert example == {
        "datasetVersion": 1,
        "recommendationId": recommendation_id(RAG),
        "input": {
            "incidentId": "incident-7",
            "executionId": "execution-1",
            "agentType": "knowledge-rag",
            "timestamp": "2026-01-31T12:00:00.000000Z",
            "sessionId": "session-1",
            "checkpointId": "checkpoint-9",
            "replayOf": "execution-0",
        },
        "output": {
            "recommendation": {"customer": "ACME", "hosts": [{"name": "db-1", "owner.mail": "bob@example.com"}]},
            "confidence": 0.87,
            "reasoning": "The deploy came first.\nThen the errors.",
            "citations": [{"title": "Runbook", "url": "https://wiki.example/1"}],
        },
        "verdict": "helpful",
        "outcome": 1,
        "note": "It named the host.",
        "rootCause": "A bad deploy",
        "resolvedBy": "Rolling it back",
        "incidentNote": None,
        "provenance": {
            "agentVersion": "1.2",
            "model": "large",
            "status": "SUCCESS",
            "contentDigest": RAG["contentDigest"]["S"],
            "schemaVersion": 1,
            "cut": [],
            "reviewId": HELPFUL["reviewId"]["S"],
            "reviewedBy": None,
            "incidentReviewId": CAUSE["reviewId"]["S"],
            "incidentReviewedBy": None,
        },
        "redacted": ["provenance.incidentReviewedBy", "provenance.reviewedBy"],
    }


@pytest.mark.parametrize(
    ("verdict", "outcome"), [(Verdict.PARTLY, 0.5), (Verdict.HARMFUL, 0), (Verdict.NOT_FOLLOWED, None)]
)
def test_a_verdict_comes_with_its_outcome(verdict: Verdict, outcome: float | None) -> None:
    """The same as in recs stats."""
    example = _export(_client(_review(RAG, verdict=verdict)))[0]
    assert (example["verdict"], example["outcome"]) == (verdict, outcome)


def test_a_superseded_review_leaves_no_trace() -> None:
    """Unless the dataset is to be as of an earlier time."""
    client = _client(HELPFUL, _review(RAG, hours=2, verdict=Verdict.WRONG))
    assert [(example["verdict"], example["note"]) for example in _export(client)] == [("wrong", None)]
    assert [example["verdict"] for example in _export(client, "--reviews-until", "2026-01-31T13:30Z")] == ["helpful"]


def test_what_nobody_reviewed_is_left_out_unless_asked_for(tmp_path: Path) -> None:
    """A review of the incident counts for all of its recommendations; what is left out is counted."""
    assert [example["verdict"] for example in _export(_client(HELPFUL))] == ["helpful"]
    assert [example["rootCause"] for example in _export(_client(CAUSE))] == ["A bad deploy"] * 2
    assert [example["verdict"] for example in _export(_client(HELPFUL), "--with-unreviewed")] == ["helpful", None]
    nothing = run_export(_client(), "incident", "incident-7", "-", "--dataset")
    assert nothing.exit_code == 1
    assert "Nobody reviewed what was found (2 recommendations)" in nothing.stderr
    saved = run_export(_client(HELPFUL), "period", tmp_path / "x.jsonl", "--dataset")
    assert saved.stderr.startswith("1 example, ")
    assert "2 recommendations without a review left out" in saved.stderr
    assert "recs export verify" not in saved.stderr


def test_a_root_cause_that_was_taken_back_is_none() -> None:
    """The latest review of the incident says nothing, so nobody reviewed it any more."""
    client = _client(CAUSE, _review(None, hours=2))
    assert run_export(client, "incident", "incident-7", "-", "--dataset").exit_code == 1


def test_redacted_fields_are_null_and_named() -> None:
    """Also in each entry of a list, and where an agent's own name has a dot in it."""
    fields = ("note", "output.reasoning", "output.recommendation.customer", "output.recommendation.hosts.owner.mail")
    arguments = [argument for name in (*fields, "output.citations.url") for argument in ("--redact", name)]
    example = _export(_client(HELPFUL, CAUSE), *arguments, "--with-reviewers")[0]
    assert example["note"] is None
    assert example["output"] == {
        "recommendation": {"customer": None, "hosts": [{"name": "db-1", "owner.mail": None}]},
        "confidence": 0.87,
        "reasoning": None,
        "citations": [{"title": "Runbook", "url": None}],
    }
    assert example["redacted"] == sorted([*fields, "output.citations.url"])
    assert example["provenance"]["reviewedBy"] == example["provenance"]["incidentReviewedBy"] == ALICE


def test_what_was_cut_to_fit_the_table_is_left_out_whole() -> None:
    """A field within it cannot be found any more: it is text."""
    large = item("knowledge-rag", recommendation={f"customer{number}": number for number in range(40_000)})
    client = IndexedDynamoDb([large], reviews=FakeReviewsTable(_review(large, verdict=Verdict.HELPFUL)))
    (whole,) = _export(client)
    assert "customer1" in json.dumps(whole["output"]["recommendation"])
    assert whole["provenance"]["cut"] == ["/recommendation"]
    (example,) = _export(client, "--redact", "output.recommendation.customer1")
    assert "customer1" not in json.dumps(example["output"])


def _only(stored: Item, *args: str) -> dict[str, Any]:
    """Return the example of a recommendation that was found helpful."""
    client = IndexedDynamoDb([stored], reviews=FakeReviewsTable(_review(stored, verdict=Verdict.HELPFUL)))
    return _export(client, *args)[0]


def _nested(levels: int, inner: dict[str, Any]) -> dict[str, Any]:
    return inner if levels == 0 else {"in": _nested(levels - 1, inner)}


@pytest.mark.parametrize(
    ("said", "path"),
    [
        (_nested(40, {"mail": "bob@example.com"}), "in." * 40 + "mail"),
        ({"": {"mail": "bob@example.com"}}, ".mail"),
        ({"x" * 70_000: {"mail": "bob@example.com"}}, "x" * 70_000 + ".mail"),
        ({"ticket": '{"mail":"bob@example.com"}'}, "ticket.mail"),
        ({"tickets": ["bob@example.com", {"mail": "bob@example.com"}]}, "tickets.mail"),
    ],
    ids=["too deep", "no name", "long name", "JSON text", "list"],
)
def test_a_redacted_field_within_text_takes_the_text_with_it(said: dict[str, Any], path: str) -> None:
    """The table stores what is nested too deep, or under a name that DynamoDB rejects, as JSON text."""
    stored = item(recommendation={**said, "kept": 1})
    assert "bob@example.com" in json.dumps(_only(stored))
    output = _only(stored, "--redact", f"output.recommendation.{path}")["output"]
    assert "bob@example.com" not in json.dumps(output)
    assert output["recommendation"]["kept"] == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("incidentId", "incident-7"), ("agentType", "knowledge-rag"), ("executionId", "run-of-incident-7")],
)
def test_every_id_that_contains_a_redacted_part_of_the_input_goes_with_it(name: str, value: str) -> None:
    """Executors name executions, sessions and checkpoints after the incident or the agent."""
    metadata = {
        "sessionId": "session-incident-7",
        "checkpointId": "run-of-incident-7/knowledge-rag",
        "replayMetadata": {"replay_of": "run-of-incident-7-first"},
    }
    stored = item("knowledge-rag", execution_id="run-of-incident-7", metadata=metadata)
    example = _only(stored, "--redact", f"input.{name}")
    assert value not in json.dumps(example)
    gone = {f"input.{field}" for field, left in example["input"].items() if left is None}
    assert gone < set(example["redacted"])


def test_the_outcome_goes_with_the_verdict() -> None:
    """It would tell the verdict."""
    example = _only(RAG, "--redact", "verdict")
    assert (example["verdict"], example["outcome"]) == (None, None)
    assert {"verdict", "outcome"} < set(example["redacted"])


@pytest.mark.parametrize(
    ("field", "written"),
    [
        ("confidence", {"S": "high"}),
        ("confidence", {"N": "5"}),
        ("recommendation", {"S": "roll back"}),
        ("citations", {"L": [{"S": "a wiki"}]}),
        ("reasoning", {"N": "5"}),
        ("executionId", {"N": "5"}),
        ("schemaVersion", {"S": "1"}),
        ("schemaVersion", {"BOOL": True}),
        ("contentDigest", {"L": []}),
    ],
)
def test_what_somebody_wrote_by_hand_with_another_type_is_null(field: str, written: Item) -> None:
    """The schema holds of every line, or whoever reads the dataset fails in the middle of it."""
    example = _only({**RAG, field: written})
    parts = (example["input"], example["output"], example["provenance"])
    assert [part[field] for part in parts if field in part] == [None]


def test_a_session_that_is_a_number_is_text() -> None:
    """Metadata is whatever the executor has."""
    stored = item(metadata={"sessionId": 7})
    client = IndexedDynamoDb([stored], reviews=FakeReviewsTable(_review(stored, verdict=Verdict.HELPFUL)))
    assert _export(client)[0]["input"]["sessionId"] == "7"


def test_a_redacted_field_that_no_example_has_is_named(tmp_path: Path) -> None:
    """The fields of agents are not known before; a misspelt one would stay in the file unnoticed."""
    fields = ("--redact", "output.recommendation.customer", "--redact", "output.recommendation.customers")
    for target in ("-", tmp_path / "x.jsonl"):
        result = run_export(
            _client(HELPFUL), "incident", "incident-7", target, "--dataset", *fields, "--redact", "note"
        )
        assert result.exit_code == 0
        assert result.stderr.count("check the spelling of --redact") == 1
        assert "No example has a value at output.recommendation.customers: " in result.stderr


@pytest.mark.parametrize("name", ["input.incidentId", "input.agentType", "input.timestamp"])
def test_an_id_goes_with_what_it_contains(name: str) -> None:
    """Otherwise the redacted value could be read from it."""
    example = _export(_client(HELPFUL), "--redact", name)[0]
    assert example["recommendationId"] is None
    assert {name, "recommendationId"} <= set(example["redacted"])


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("--dataset", "--redact", "reasoning"), "reasoning is not a field of an example; those are incidentNote, "),
        (("--dataset", "--redact", "output"), "output is not a field of an example"),
        (("--dataset", "--redact", "datasetVersion"), "datasetVersion is not a field"),
        (("--redact", "note"), "--redact is for datasets: add --dataset"),
        (("--with-reviewers",), "--with-reviewers is for datasets"),
        (("--dataset", "--format", "csv"), "A dataset is JSON Lines"),
    ],
)
def test_an_option_without_effect_is_a_usage_error(args: tuple[str, ...], sentence: str) -> None:
    """A misspelt field would otherwise stay in the file."""
    client = _client(HELPFUL)
    result = run_export(client, "incident", "incident-7", "-", *args)
    assert (result.exit_code, result.stdout, client.queries) == (2, "", [])
    assert sentence in result.stderr


def test_the_same_table_gives_the_same_bytes_whatever_was_asked_first(tmp_path: Path) -> None:
    """In order of agents and time; items come back in the order of the index, not of the reviews."""
    reviews = [HELPFUL, CAUSE, _review(OTHER, incident="incident-8", verdict=Verdict.WRONG)]
    files = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    for file, stored in zip(files, (reviews, reviews[::-1]), strict=True):
        assert run_export(_client(*stored), "period", file, "--dataset").exit_code == 0
    assert files[0].read_bytes() == files[1].read_bytes()
    assert len(files[0].read_bytes().splitlines()) == 3


def test_the_order_of_writing_does_not_show_in_recommendations_of_one_time() -> None:
    """An index promises no order among them."""
    table = [item(agent) for agent in ("knowledge-rag", "consensus", "data-collector")]
    reviews = FakeReviewsTable(CAUSE)
    first, second = (
        run_export(IndexedDynamoDb(stored, reviews=reviews), "incident", "incident-7", "-", "--dataset").stdout
        for stored in (table, table[::-1])
    )
    assert first == second
    assert len(first.splitlines()) == 3


@pytest.mark.parametrize("target", ["-", "x.jsonl"])
def test_a_review_of_a_clock_that_is_ahead_is_missing_but_not_unseen(target: str, tmp_path: Path) -> None:
    """It cannot be told from one that was written while the export ran."""
    path = target if target == "-" else tmp_path / target
    client = _client(_review(RAG, hours=25, verdict=Verdict.WRONG))
    nothing = run_export(client, "incident", "incident-7", path, "--dataset")
    assert nothing.exit_code == 1
    assert "1 review left out: dated after 2026-02-01 12:00 UTC." in nothing.stderr
    client = _client(HELPFUL, _review(CONSENSUS, hours=25, verdict=Verdict.WRONG))
    some = run_export(client, "incident", "incident-7", path, "--dataset")
    assert some.exit_code == 0
    assert "1 review left out: dated after 2026-02-01 12:00 UTC." in some.stderr


def test_an_interrupted_dataset_is_resumed_with_the_reviews_of_its_start(tmp_path: Path) -> None:
    """A verdict given meanwhile would make the second half another dataset than the first."""
    file, reviews = tmp_path / "x.jsonl", FakeReviewsTable(HELPFUL, CAUSE)
    first = run_export(
        FakeDynamoDb([RAG], outage(), reviews=reviews), "agent", "any", file, "--dataset", "--redact", "note"
    )
    assert first.exit_code == 3
    assert "1 example, " in first.stderr
    reviews.items |= FakeReviewsTable(_review(CONSENSUS, hours=30, verdict=Verdict.WRONG)).items
    assert run_export(FakeDynamoDb([RAG], [CONSENSUS], reviews=reviews), "resume", file).exit_code == 0
    examples = [json.loads(line) for line in file.read_bytes().splitlines()]
    assert [(example["verdict"], example["note"]) for example in examples] == [("helpful", None), (None, None)]


def test_an_incident_reviewed_before_its_replay_lends_it_the_root_cause() -> None:
    """The replay is in the period, the review is before it."""
    replay = item(execution_id="again", age=timedelta(hours=-5))
    client = IndexedDynamoDb([CONSENSUS, replay], reviews=FakeReviewsTable(CAUSE))
    examples = _export(client, "period", "-", "--since", "2026-01-31T16:00Z")
    assert [(example["input"]["executionId"], example["rootCause"]) for example in examples] == [
        ("again", "A bad deploy")
    ]


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException"])
def test_a_dataset_without_its_reviews_fails(code: str, tmp_path: Path) -> None:
    """It would look as if nobody had reviewed anything; no file is left."""
    client = IndexedDynamoDb([RAG], reviews=FakeReviewsTable(error=refusal(code)))
    result = run_export(client, "incident", "incident-7", tmp_path / "x.jsonl", "--dataset", "--with-unreviewed")
    assert result.exit_code == 3
    assert "A dataset needs them." in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_dataset_is_not_taken_for_a_damaged_export(tmp_path: Path) -> None:
    """It cannot be verified, since it does not hold whole documents."""
    file = tmp_path / "x.jsonl"
    assert run_export(_client(HELPFUL), "incident", "incident-7", file, "--dataset").exit_code == 0
    result = run_export(_client(), "verify", file)
    assert result.exit_code == 2
    assert "This is a dataset" in result.stderr
