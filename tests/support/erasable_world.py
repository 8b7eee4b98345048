"""An incident in a real table, queue, reviews table and archive on moto, for `recs erase` as a process and in one."""

import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import boto3
from moto.sqs.models import sqs_backends

from recommendation_shared.exact_json.printable import json_line
from recommendation_shared.item.encoding import decode_item
from recommendation_shared.item.marks import Mark, mark_item, mark_key, read_mark
from tests.support.fakes.dead_letter_queue import body, text_attributes
from tests.support.fakes.erasable_account import INCIDENT, OTHER, OTHER_FILE, OWN_FILE, SHARED_FILE, review
from tests.support.fakes.recommendation_table import create_table, item, items, put
from tests.support.servers.queue_proxy import QueueProxy, create_queues, queue_proxy

SETTLED: Final = 3600  # seconds, after which every consumer has known a mark for long


@dataclass
class World:
    """Where everything is. Calls to DynamoDB and SQS pass through `proxy`, which can hold any of them."""

    endpoint: str
    proxy: QueueProxy
    name: str
    queue_url: str
    dlq_url: str

    @property
    def table(self) -> str:
        """The table of recommendations."""
        return f"{self.name}-recommendations"

    @property
    def reviews(self) -> str:
        """The table of reviews."""
        return f"{self.name}-reviews"

    @property
    def bucket(self) -> str:
        """The archive's bucket."""
        return f"{self.name}-archive"

    def client(self, service: str) -> Any:
        """Return a client of moto itself."""
        return boto3.client(service, endpoint_url=self.endpoint)

    def environ(self) -> dict[str, str]:
        """Return the environment in which `recs` finds everything."""
        return {
            **os.environ,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ENDPOINT_URL_DYNAMODB": self.proxy.url,
            "AWS_ENDPOINT_URL_SQS": self.proxy.url,
            "RECOMMENDATIONS_TABLE": self.table,
            "RECOMMENDATIONS_REVIEWS_TABLE": self.reviews,
            "RECOMMENDATIONS_QUEUE_URL": self.queue_url,
            "RECOMMENDATIONS_DLQ_URL": self.dlq_url,
            "RECOMMENDATIONS_ARCHIVE_BUCKET": self.bucket,
        }

    def start(self, *args: str) -> subprocess.Popen[str]:
        """Start `recs`."""
        command = [sys.executable, "-m", "recommendation_cli", *args]
        return subprocess.Popen(command, env=self.environ(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def mark(self) -> Mark | None:
        """Return the incident's mark."""
        key = {"recommendationId": {"S": mark_key(INCIDENT)}}
        stored = self.client("dynamodb").get_item(TableName=self.table, Key=key).get("Item")
        return None if stored is None else read_mark(stored)

    def let_the_mark_settle(self) -> None:
        """Make the mark as old as if every consumer knew it, which spares the wait."""
        mark = self.mark()
        if mark is not None:
            then = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(time.time() - SETTLED))
            history = tuple(entry._replace(at=then) for entry in mark.history)
            put(self.client("dynamodb"), self.table, [mark_item(mark._replace(history=history))])

    def incidents(self) -> Mapping[str, list[str]]:
        """Return the incident of each item, review, dead letter and archived line that there is, sorted."""
        dynamodb, s3 = self.client("dynamodb"), self.client("s3")
        letters = sqs_backends["123456789012"]["us-east-1"].queues[self.dlq_url.rpartition("/")[2]]._messages
        files = s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        lines = [
            line
            for file in files
            for line in gzip.decompress(s3.get_object(Bucket=self.bucket, Key=file["Key"])["Body"].read()).splitlines()
        ]
        return {
            "items": _ids(dynamodb.scan(TableName=self.table)["Items"]),
            "reviews": _ids(dynamodb.scan(TableName=self.reviews)["Items"]),
            "letters": sorted(json.loads(letter.body)["incidentId"] for letter in letters),
            "lines": sorted(json.loads(line)["incidentId"] for line in lines),
        }


def _ids(stored: list[dict[str, Any]]) -> list[str]:
    return sorted(one["incidentId"]["S"] for one in stored if "incidentId" in one)


@contextmanager
def erasable_world(endpoint: str, name: str) -> Iterator[World]:
    """Create what `filled_account` has, and a stream of the table; delete it at the end."""
    dynamodb, sqs, s3 = (boto3.client(service, endpoint_url=endpoint) for service in ("dynamodb", "sqs", "s3"))
    queue_url, dlq_url = create_queues(sqs, name)
    with queue_proxy(endpoint) as proxy:
        world = World(endpoint, proxy, name, queue_url, dlq_url)
        create_table(dynamodb, world.table)
        stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        dynamodb.update_table(TableName=world.table, StreamSpecification=stream)
        dynamodb.create_table(
            TableName=world.reviews,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "incidentId", "KeyType": "HASH"},
                {"AttributeName": "reviewId", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("incidentId", "reviewId")],
        )
        put(dynamodb, world.table, [*items(3), item(incident_id=OTHER)])
        put(dynamodb, world.reviews, [review(INCIDENT, 0), review(INCIDENT, 1), review(OTHER, 0)])
        for number, incident in enumerate((INCIDENT, OTHER, INCIDENT)):
            attributes = text_attributes(failureReason="ItemRejected")
            sqs.send_message(
                QueueUrl=dlq_url, MessageBody=body(number, incident_id=incident), MessageAttributes=attributes
            )
        s3.create_bucket(Bucket=world.bucket)
        archived = items(3, execution_id="execution-0")
        other = item(incident_id=OTHER, execution_id="execution-0")
        for key, documents in (
            (SHARED_FILE, [archived[0], other, archived[1]]),
            (OWN_FILE, archived[2:]),
            (OTHER_FILE, [other]),
        ):
            lines = b"".join(json_line(decode_item(document)) for document in documents)
            s3.put_object(Bucket=world.bucket, Key=key, Body=gzip.compress(lines, mtime=0))
        yield world
        for file in s3.list_objects_v2(Bucket=world.bucket).get("Contents", []):
            s3.delete_object(Bucket=world.bucket, Key=file["Key"])
        s3.delete_bucket(Bucket=world.bucket)
        for table in (world.table, world.reviews):
            dynamodb.delete_table(TableName=table)
        for url in (queue_url, dlq_url):
            sqs.delete_queue(QueueUrl=url)
    for client in (dynamodb, sqs, s3):
        client.close()
