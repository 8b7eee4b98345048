"""Our signatures are botocore's, which AWS's own tools send."""

from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from recommendation_consumer.signature import Signer

TYPE, TARGET = "application/x-amz-json-1.0", "DynamoDB_20120810.BatchWriteItem"
SERVICE, REGION = "dynamodb", "eu-central-1"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
URLS = [
    "https://dynamodb.eu-central-1.amazonaws.com",
    "https://dynamodb.eu-central-1.amazonaws.com/",
    "https://vpce-1.dynamodb.eu-central-1.vpce.amazonaws.com:443",
    "http://127.0.0.1:4566",
    "http://[::1]:8000/",
    "https://Gateway.example/aws/dynamodb",
    "http://gateway.example:80",
    "https://gateway.example:80",
]
credentials = st.builds(
    ReadOnlyCredentials,
    st.just("AKIDEXAMPLE"),
    st.text("abcXYZ019/+", min_size=1, max_size=40),
    st.one_of(st.none(), st.text("abcXYZ019/+=", min_size=1, max_size=400)),
)


def _authorization_by_botocore(url: str, who: ReadOnlyCredentials, now: datetime, body: bytes) -> str:
    """It makes the host, the date and the token's header by itself."""
    request = AWSRequest("POST", url, {"Content-Type": TYPE, "X-Amz-Target": TARGET}, body)
    auth = SigV4Auth(who, SERVICE, REGION)
    request.context["timestamp"] = now.strftime("%Y%m%dT%H%M%SZ")
    auth._modify_request_before_signing(request)
    signature = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    return str(auth._inject_signature_to_request(request, signature).headers["Authorization"])


@given(
    st.sampled_from(URLS),
    credentials,
    st.lists(st.tuples(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.binary()), min_size=1, max_size=4),  # noqa: DTZ001 - Hypothesis adds the zone itself
)
def test_signatures_are_botocores(url: str, who: ReadOnlyCredentials, requests: list[tuple[datetime, bytes]]) -> None:
    """For any endpoint, with and without a session's token, and from one day to the next."""
    signer = Signer(url, SERVICE, REGION)
    for now, body in requests:
        signed = signer.headers(who, now, TYPE, TARGET, body)
        assert signed["authorization"] == _authorization_by_botocore(url, who, now, body)
        assert signed.get("x-amz-security-token") == who.token


@pytest.mark.parametrize("url", URLS)
def test_renewed_credentials_are_used_at_once(url: str) -> None:
    """On the same day."""
    signer = Signer(url, SERVICE, REGION)
    for secret in ("one", "another", "one"):
        who = ReadOnlyCredentials("AKIDEXAMPLE", secret, "token")
        assert signer.headers(who, NOW, TYPE, TARGET, b"{}")["authorization"] == _authorization_by_botocore(
            url, who, NOW, b"{}"
        )
