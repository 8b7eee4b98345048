"""Print the regions in which our client's request differs from that of botocore's own: `python -I … LAYER`."""

import json
import sys
from typing import Any

REGIONS = (
    "us-east-1",
    "eu-central-1",
    "us-gov-west-1",
    "cn-north-1",
    "us-iso-east-1",
    "fips-us-west-2",
    "mars-north-1",
)

# What differs between any two requests, or follows from the settings of our client.
VARYING = ("authorization", "x-amz-date", "amz-sdk-invocation-id", "amz-sdk-request", "user-agent")


class NotSent(Exception):  # noqa: N818 - it carries the request, no error
    """Stands in for sending a request."""


def request_of(client: Any) -> list[Any]:
    """Return where a request would go, the scope of its signature, its headers and its body."""

    def stop(request: Any, **_: Any) -> None:
        scope = bytes(request.headers["Authorization"]).split(b", ")[0]
        headers = {name: str(value) for name, value in request.headers.items() if name.lower() not in VARYING}
        raise NotSent(
            request.url, scope.decode(), client.meta.partition, client.meta.region_name, headers, str(request.body)
        )

    client.meta.events.register("before-send.sqs.SendMessageBatch", stop)
    try:
        client.send_message_batch(QueueUrl="https://q/1/q", Entries=[{"Id": "0", "MessageBody": "text"}])
    except NotSent as stopped:
        return list(stopped.args)
    raise AssertionError("the request was sent")


def main() -> None:
    """Compare every region."""
    sys.path.append(sys.argv[1])
    import botocore.session  # noqa: PLC0415 - the layer is on the path only now

    from recommendation_producer._sending.sqs_client import open_client  # noqa: PLC0415 - as above

    session = botocore.session.Session()
    regions = {*REGIONS, *session.get_available_regions("sqs")}
    pairs = {
        region: (request_of(open_client(region, None)), request_of(session.create_client("sqs", region_name=region)))
        for region in regions
    }
    differing = {region: pair for region, pair in pairs.items() if pair[0] != pair[1]}
    sys.stdout.write(json.dumps({"compared": len(pairs), "differing": differing}))


if __name__ == "__main__":
    main()
