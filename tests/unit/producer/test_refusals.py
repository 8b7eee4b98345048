"""What is refused at once with its reason, and what is tried again although it looks like a refusal."""

import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, HTTPClientError, ReadTimeoutError
from urllib3.exceptions import ProtocolError

from recommendation_producer import Balance, RecommendationProducer
from recommendation_producer._configuration import Options, problem_with, region_of
from tests.support.fakes.queue import NOTHING_HANGS, QUEUE_URL, FakeQueue, recommendation, running_producer
from tests.support.no_account import NO_ACCOUNT

PROMPT = 5.0  # seconds; a flush that waits for retries takes longer
MISMATCH = "The request signature we calculated does not match the signature you provided."
EXPIRED = "Signature expired: 20260131T115000Z is now earlier than 20260131T120000Z"


def refused(code: str, message: str, status: int = 403) -> ClientError:
    """Return the error that botocore raises for this response."""
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "SendMessageBatch")


@pytest.mark.parametrize(
    ("code", "message", "times"),
    [
        ("InvalidSignatureException", EXPIRED, 20),
        ("InvalidSignatureException", "Signature not yet current: 20260131T120000Z", 20),
        ("SignatureDoesNotMatch", EXPIRED, 20),
        ("RequestTimeTooSkewed", "The difference is too large.", 20),
        ("RequestExpired", "Request has expired.", 20),
        ("InvalidSignatureException", MISMATCH, 2),
        ("SignatureDoesNotMatch", MISMATCH, 2),
    ],
)
def test_signature_that_is_refused_for_a_clock_that_stood_still_is_made_again(
    code: str, message: str, times: int
) -> None:
    """A sandbox is frozen for hours. Where only the secret may be wrong, two more attempts have to do."""
    queue = FakeQueue(*[refused(code, message)] * times)
    with running_producer(queue) as producer:
        producer.enqueue(**recommendation())
        assert producer.flush(NOTHING_HANGS) == Balance(1, 1, {}, 0)


@pytest.mark.parametrize("code", ["InvalidSignatureException", "SignatureDoesNotMatch"])
def test_signature_with_a_wrong_secret_does_not_delay_every_flush(code: str) -> None:
    """It is dropped and counted after three attempts; the next envelope is tried again."""
    queue = FakeQueue(*[refused(code, MISMATCH)] * 3)
    with running_producer(queue) as producer:
        producer.enqueue(**recommendation(0))
        assert producer.flush(NOTHING_HANGS) == Balance(1, 0, {"send_failed": 1}, 0)
        producer.enqueue(**recommendation(1))
        assert producer.flush(NOTHING_HANGS).sent == 1


class SegmentNotFoundException(Exception):  # noqa: N818 - the X-Ray SDK's name
    """Raised by its patch of botocore on a thread without a segment, if its context is set to raise."""


@pytest.mark.parametrize("error", [SegmentNotFoundException(), KeyError("span"), AssertionError()])
def test_error_of_the_hosts_instrumentation_does_not_delay_every_flush(error: Exception) -> None:
    """Whatever wraps the host's clients may fail on our threads; three attempts have to do."""
    queue = FakeQueue(*[error] * 3)
    with running_producer(queue) as producer:
        producer.enqueue(**recommendation(0))
        assert producer.flush(NOTHING_HANGS) == Balance(1, 0, {"send_failed": 1}, 0)
        producer.enqueue(**recommendation(1))
        assert producer.flush(NOTHING_HANGS).sent == 1


@pytest.mark.parametrize(
    "error",
    [
        OSError(),
        RuntimeError("Credentials were refreshed, but the refreshed credentials are still expired."),
        EndpointConnectionError(endpoint_url="https://sqs.us-east-1.amazonaws.com"),
        HTTPClientError(error=ProtocolError("broken")),
        ReadTimeoutError(endpoint_url="https://sqs.us-east-1.amazonaws.com"),
    ],
)
def test_error_of_the_network_is_retried_like_an_outage(error: Exception) -> None:
    """The limit of three attempts is for errors that have another cause."""
    queue = FakeQueue(*[error] * 20)
    with running_producer(queue) as producer:
        producer.enqueue(**recommendation())
        assert producer.flush(NOTHING_HANGS) == Balance(1, 1, {}, 0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_DEFAULTS_MODE", "bogus"),
        ("AWS_PROFILE", "bogus"),
        ("AWS_REQUEST_CHECKSUM_CALCULATION", "bogus"),
        ("AWS_STS_REGIONAL_ENDPOINTS", "bogus"),
        ("AWS_ACCOUNT_ID_ENDPOINT_MODE", "bogus"),
    ],
)
def test_setting_that_botocore_rejects_does_not_delay_every_flush(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No retry corrects it; the log has botocore's own message, which names the setting."""
    for variable, setting in {**NO_ACCOUNT, name: value}.items():
        monkeypatch.setenv(variable, setting)
    producer = RecommendationProducer(QUEUE_URL, "us-east-1", "http://127.0.0.1:9")
    producer.enqueue(**recommendation())
    balance = producer.flush(NOTHING_HANGS)
    producer.close(timeout=0)
    assert balance == Balance(1, 0, {"send_failed": 1}, 0)
    assert "SendMessageBatch failed: " in caplog.text


@pytest.mark.parametrize(
    "queue_url",
    [
        "",
        f"{QUEUE_URL}\n",
        f" {QUEUE_URL}",
        QUEUE_URL.replace("opx", "opx "),
        QUEUE_URL.replace("opx", "opx\t"),
        f"{QUEUE_URL}\u00a0",
        f'"{QUEUE_URL}"',
        f"'{QUEUE_URL}'",
        QUEUE_URL.removeprefix("https://"),
        "opx-recommendations",
        "arn:aws:sqs:us-east-1:123456789012:opx-recommendations",
        "https://sqs.us-east-1.amazonaws.com",
        "${RECOMMENDATIONS_QUEUE_URL}",
        b"https://sqs.us-east-1.amazonaws.com/123456789012/q",
        17,
    ],
)
def test_queue_url_that_cannot_work_is_refused_at_construction(
    queue_url: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing waits for it, and neither the log nor the outcome quotes it: it may be anything."""
    producer = RecommendationProducer(queue_url, "us-east-1")
    outcome = producer.enqueue(**recommendation())
    assert (outcome.accepted, outcome.reason) == (False, "not_configured")
    assert producer.close() == Balance(1, 0, {"not_configured": 1}, 0)
    (line,) = caplog.messages
    assert "RECOMMENDATIONS_QUEUE_URL" in line
    assert not queue_url or str(queue_url) not in line


@pytest.mark.parametrize(
    ("queue_url", "region"),
    [
        ("https://sqs.eu-central-1.amazonaws.com/123456789012/q", "eu-central-1"),
        ("https://sqs-fips.us-gov-west-1.amazonaws.com/123456789012/q", "us-gov-west-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q", "cn-north-1"),
        ("https://sqs.ap-southeast-2.api.aws/123456789012/q", "ap-southeast-2"),
        ("https://us-west-2.queue.amazonaws.com/123456789012/q", "us-west-2"),
        ("https://vpce-0a1b-2c3d.sqs.eu-west-1.vpce.amazonaws.com/123456789012/q", "eu-west-1"),
        ("https://sqs.us-iso-east-1.c2s.ic.gov/123456789012/q", "us-iso-east-1"),
        ("https://sqs.eu-isoe-west-1.cloud.adc-e.uk/123456789012/q", "eu-isoe-west-1"),
        ("https://sqs.eusc-de-east-1.amazonaws.eu/123456789012/q", "eusc-de-east-1"),
        ("https://sqs.cn-north-1.api.amazonwebservices.com.cn/123456789012/q", "cn-north-1"),
        ("https://sqs.eu-west-1.amazonaws.com:443/123456789012/q", "eu-west-1"),
        ("https://queue.eu-west-1.amazonaws.com/123456789012/q", None),
        ("https://sqs.eu-west-1.amazonaws.com.example.com/123456789012/q", None),
        ("https://queue.amazonaws.com/123456789012/q", None),
        ("http://sqs.us-east-1.localhost.localstack.cloud:4566/000000000000/q", None),
        ("http://127.0.0.1:4566/000000000000/q", None),
        ("https://sqs.example.com/eu-central-1.amazonaws.com/q", None),
    ],
)
def test_region_is_that_of_the_queue_url(queue_url: str, region: str | None) -> None:
    """A client of another region signs requests that SQS refuses; without a region, this one is used."""
    assert region_of(queue_url) == region
    assert problem_with(queue_url, region, None, {}) is None
    other = problem_with(queue_url, "mars-north-1", None, {})
    assert other == (None if region is None else f"the queue is in {region}, but the client's region is mars-north-1")


@pytest.mark.parametrize(
    ("endpoint_url", "environ", "named"),
    [
        ("localhost:4566", {}, "the endpoint URL"),
        ("http://", {}, "the endpoint URL"),
        ('"http://localhost:4566"', {}, "the endpoint URL"),
        (None, {"AWS_ENDPOINT_URL": "localhost:4566"}, "AWS_ENDPOINT_URL"),
        (None, {"AWS_ENDPOINT_URL_SQS": "localhost:4566", "AWS_ENDPOINT_URL": "http://x"}, "AWS_ENDPOINT_URL_SQS"),
    ],
)
def test_endpoint_without_a_scheme_is_refused_at_construction(
    endpoint_url: str | None, environ: dict[str, str], named: str
) -> None:
    """The reason names where it was set."""
    problem = problem_with(QUEUE_URL, "us-east-1", endpoint_url, environ)
    assert problem == f"{named} must start with http:// or https://"


@pytest.mark.parametrize(
    ("endpoint_url", "environ"),
    [
        ("http://localhost:4566", {"AWS_ENDPOINT_URL": "localhost:4566"}),
        (None, {"AWS_ENDPOINT_URL_SQS": "http://x", "AWS_ENDPOINT_URL": "localhost:4566"}),
        (None, {"AWS_ENDPOINT_URL": "localhost:4566", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}),
        (None, {"AWS_ENDPOINT_URL": ""}),
        (None, {"AWS_ENDPOINT_URL_DYNAMODB": "localhost:4566"}),
    ],
)
def test_endpoint_that_is_not_used_does_not_matter(endpoint_url: str | None, environ: dict[str, str]) -> None:
    """It belongs to other clients of the host."""
    assert problem_with(QUEUE_URL, "us-east-1", endpoint_url, environ) is None


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"AWS_CONFIG_FILE": "[default]\nendpoint_url = host:80\n"}, "ValueError: Invalid endpoint: host:80"),
        ({"AWS_CONFIG_FILE": "[default\n"}, "ConfigParseError: Unable to parse config file"),
        ({"AWS_PROFILE": "missing"}, "ProfileNotFound: The config profile (missing) could not be found"),
        ({"AWS_SECRET_ACCESS_KEY": ""}, "PartialCredentialsError: Partial credentials found in env"),
        ({"AWS_DEFAULT_REGION": "us east"}, "InvalidRegionError: Provided region_name 'us east'"),
    ],
)
def test_configuration_that_botocore_rejects_is_named_in_the_log_and_not_retried(
    environ: dict[str, str],
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Otherwise every flush would wait until its deadline, for nothing. The configuration file is given as text."""
    config = tmp_path / "config"
    config.write_text(environ.get("AWS_CONFIG_FILE", ""))
    for name, value in {**NO_ACCOUNT, **environ, "AWS_CONFIG_FILE": str(config)}.items():
        monkeypatch.setenv(name, value)
    producer = RecommendationProducer("https://queue.amazonaws.com/123456789012/q")
    started = time.monotonic()
    for number in range(2):
        producer.enqueue(**recommendation(number))
        balance = producer.flush(NOTHING_HANGS)
    assert time.monotonic() - started < PROMPT
    assert balance == Balance(2, 0, {"send_failed": 2}, 0)
    assert named in caplog.messages[0]
    producer.close()


def test_options_of_from_env_are_those_of_the_constructor() -> None:
    """Type checkers read the one list, and people the other."""
    annotations = dict(RecommendationProducer.__init__.__annotations__)
    del annotations["return"]
    assert Options.__annotations__.keys() == annotations.keys()


def test_unknown_drain_is_named_in_the_log_and_the_handler_drains_before_its_response(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A mistake in an option must not end the host."""
    drain: Any = "later"
    producer = RecommendationProducer(QUEUE_URL, drain=drain)
    assert producer.lambda_handler(lambda event, _context: event)("done", None) == "done"
    assert caplog.messages == ["drain must be one of before_response, after_response, so before_response is used"]
    producer.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [("max_items", "100"), ("max_items", None), ("max_bytes", "1"), ("max_age", "x"), ("max_age", float("nan"))],
)
def test_bound_that_is_not_a_number_is_logged_and_replaced_by_the_default(
    name: str, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Text from a host's environment, for instance; `enqueue` and the sender would raise when they compare with it."""
    queue = FakeQueue()
    with running_producer(queue, **{name: value}) as producer:
        assert producer.enqueue(**recommendation()).accepted
        assert producer.flush(NOTHING_HANGS) == Balance(1, 1, {}, 0)
    (line,) = caplog.messages
    assert f"{name} must be a number from 0" in line
