"""The client asks where botocore's own client would ask, and signs alike."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import PartialCredentialsError
from botocore.handlers import BUILTIN_HANDLERS
from botocore.httpsession import URLLib3Session
from botocore.loaders import Loader

from recommendation_producer._sending import sqs_client
from recommendation_producer._sending.sqs_client import _WithShortEndpointList, open_client


class NotSent(Exception):  # noqa: N818 - it carries the request, no error
    """Stands in for sending a request."""


# What differs between any two requests, or follows from the settings of our client.
VARYING = {"authorization", "x-amz-date", "amz-sdk-invocation-id", "amz-sdk-request", "user-agent"}


def request_of(client: Any, region: str) -> tuple[Any, ...]:
    """Return a request's URL, headers and body, and its signature's credentials, scope and headers."""

    def stop(request: Any, **_: Any) -> None:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in VARYING}
        raise NotSent(request.url, headers, request.body, request.headers["Authorization"].split(b"Signature=")[0])

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


@pytest.mark.parametrize(
    ("variables", "key"),
    [
        ({"AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}, "AKIDENV"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "secret"}, "AKIDFILE"),
        ({"AWS_PROFILE": "other"}, "AKIDOTHER"),
        ({"AWS_PROFILE": "other", "AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "secret"}, "AKIDENV"),
    ],
)
def test_credentials_are_those_of_a_plain_client(
    variables: dict[str, str], key: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Those of the environment come first, and the other sources are used where it has none."""
    file = tmp_path / "credentials"
    file.write_text(
        "[default]\naws_access_key_id=AKIDFILE\naws_secret_access_key=secret\n"
        "[other]\naws_access_key_id=AKIDOTHER\naws_secret_access_key=secret\n"
    )
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"AWS_SHARED_CREDENTIALS_FILE": str(file), **variables}.items():
        monkeypatch.setenv(name, value)
    ours = request_of(open_client("us-east-1", None), "us-east-1")
    assert ours == request_of(botocore.session.Session().create_client("sqs", region_name="us-east-1"), "us-east-1")
    assert f"Credential={key}/".encode() in ours[-1]


class Content(io.BytesIO):
    """The content of a response, as botocore reads it."""

    def stream(self) -> Iterator[bytes]:
        """Yield everything at once."""
        yield self.getvalue()


CREDENTIALS = (
    "<Credentials><AccessKeyId>AKIDROLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"
    "<SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
)


@pytest.mark.parametrize(
    ("variables", "action"),
    [
        (
            {"AWS_WEB_IDENTITY_TOKEN_FILE": "{folder}/token", "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/r"},
            "AssumeRoleWithWebIdentity",
        ),
        ({"AWS_PROFILE": "role", "AWS_SHARED_CREDENTIALS_FILE": "{folder}/credentials"}, "AssumeRole"),
    ],
    ids=["web identity", "role of a profile"],
)
def test_role_is_assumed_where_the_environment_has_no_keys(
    variables: dict[str, str], action: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As in Kubernetes: botocore asks STS for credentials, with a client that it makes from the same session."""
    asked: list[str] = []

    def send(_: Any, request: Any) -> AWSResponse:
        asked.append(request.url)
        answer = f"<{action}Response><{action}Result>{CREDENTIALS}</{action}Result></{action}Response>"
        return AWSResponse(request.url, 200, {}, Content(answer.encode()))

    monkeypatch.setattr(URLLib3Session, "send", send)
    (tmp_path / "token").write_text("token")
    (tmp_path / "credentials").write_text(
        "[role]\nrole_arn=arn:aws:iam::123456789012:role/role\nsource_profile=base\n"
        "[base]\naws_access_key_id=AKIDBASE\naws_secret_access_key=secret\n"
    )
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(folder=tmp_path))
    ours = request_of(open_client("eu-west-1", None), "eu-west-1")
    plain = request_of(botocore.session.Session().create_client("sqs", region_name="eu-west-1"), "eu-west-1")
    assert ours == plain
    assert b"Credential=AKIDROLE/" in ours[-1]
    assert len(asked) == 2
    assert asked[0] == asked[1]


def test_models_are_found_where_a_host_keeps_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Some hosts remove botocore's own, which are most of its size, and name another folder."""
    (tmp_path / "data").symlink_to(Path(botocore.session.__file__).parent / "data")
    monkeypatch.setattr(Loader, "BUILTIN_DATA_PATH", str(tmp_path / "removed"))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path / "data"))
    ours = request_of(open_client("us-east-1", None), "us-east-1")
    assert ours == request_of(botocore.session.Session().create_client("sqs", region_name="us-east-1"), "us-east-1")


def test_trace_of_the_invocation_is_passed_on_as_by_a_plain_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is how Lambda detects recursive loops, and one of the handlers that our session keeps."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "function")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793")
    _, headers, *_ = request_of(open_client("us-east-1", None), "us-east-1")
    assert headers["X-Amzn-Trace-Id"] == b"Root=1-5759e988-bd862e3fe1be46a994272793"


def test_half_of_a_key_pair_is_refused_as_by_a_plain_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log names the exception, and nothing is sent with other credentials."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDENV")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY", raising=False)
    with pytest.raises(PartialCredentialsError):
        open_client("us-east-1", None)


def test_handlers_for_sqs_of_a_later_botocore_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever they do; those for other services are not."""
    seen: list[str] = []

    def note(event_name: str, **_: Any) -> None:
        seen.append(event_name)

    later = [("before-call.sqs.*", note), ("before-call.*.SendMessageBatch", note), ("before-call.s3", note)]
    monkeypatch.setattr(sqs_client, "BUILTIN_HANDLERS", [*BUILTIN_HANDLERS, *later])
    request_of(open_client("us-east-1", None), "us-east-1")
    assert seen == ["before-call.sqs.SendMessageBatch"] * 2


@pytest.mark.parametrize("spec", [("before-call", print, "last"), (), (None, print), "before-call"])
def test_session_is_a_plain_one_where_the_list_of_handlers_looks_different(
    spec: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later botocore may change it, and the producer must still send."""
    monkeypatch.setattr(sqs_client, "BUILTIN_HANDLERS", [spec])
    ours = request_of(open_client("us-east-1", None), "us-east-1")
    assert ours == request_of(botocore.session.Session().create_client("sqs", region_name="us-east-1"), "us-east-1")


def test_client_works_with_a_botocore_whose_partitions_look_different(monkeypatch: pytest.MonkeyPatch) -> None:
    """It then loads the list of all services' endpoints, as a plain client does."""
    monkeypatch.setattr(Loader, "load_data", lambda _loader, _name: {"partitions": [{"name": "aws"}]})
    document, _ = _WithShortEndpointList().load_data_with_path("endpoints")
    assert len(document["partitions"][0]["services"]) > 100
