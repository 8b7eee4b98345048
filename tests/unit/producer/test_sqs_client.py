"""The client asks where botocore's own client would ask, and signs alike."""

from typing import Any

import botocore.session
import pytest
from botocore.loaders import Loader

from recommendation_producer._sending.sqs_client import _WithShortEndpointList, open_client


class NotSent(Exception):  # noqa: N818 - it carries the request, no error
    """Stands in for sending a request."""


def request_of(client: Any, region: str) -> tuple[str, str]:
    """Return the URL of a request, and the scope and headers of its signature."""

    def stop(request: Any, **_: Any) -> None:
        raise NotSent(request.url, request.headers["Authorization"].split(b"Signature=")[0].split(b"/", 2)[2])

    client.meta.events.register("before-send.sqs.SendMessageBatch", stop)
    queue_url = f"https://sqs.{region}.amazonaws.com/123456789012/q"
    with pytest.raises(NotSent) as stopped:
        client.send_message_batch(QueueUrl=queue_url, Entries=[{"Id": "0", "MessageBody": "text"}])
    return stopped.value.args


@pytest.mark.parametrize("endpoint_url", [None, "http://127.0.0.1:9"])
@pytest.mark.parametrize(
    "region", ["us-east-1", "eu-central-1", "us-gov-west-1", "cn-north-1", "us-iso-east-1", "mars-north-1"]
)
@pytest.mark.parametrize(
    ("fips", "dual_stack"), [("false", "false"), ("true", "false"), ("false", "true"), ("true", "true")]
)
def test_request_is_that_of_a_plain_client(
    region: str, endpoint_url: str | None, fips: str, dual_stack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every partition, also in a region that is not known yet."""
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", fips)
    monkeypatch.setenv("AWS_USE_DUALSTACK_ENDPOINT", dual_stack)
    ours = open_client(region, endpoint_url)
    plain = botocore.session.Session().create_client("sqs", region_name=region, endpoint_url=endpoint_url)
    assert request_of(ours, region) == request_of(plain, region)
    assert ours.meta.partition == plain.meta.partition


def test_client_works_with_a_botocore_whose_partitions_look_different(monkeypatch: pytest.MonkeyPatch) -> None:
    """It then loads the list of all services' endpoints, as a plain client does."""
    monkeypatch.setattr(Loader, "load_data", lambda _loader, _name: {"partitions": [{"name": "aws"}]})
    document, _ = _WithShortEndpointList().load_data_with_path("endpoints")
    assert len(document["partitions"][0]["services"]) > 100
