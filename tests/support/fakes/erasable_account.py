"""An account in memory with everything that `recs erase` deletes, whose calls can be cut off at any point."""

import gzip
import io
from collections.abc import Callable, Iterable, Mapping
from hashlib import md5
from pathlib import Path
from typing import Any, Final

from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from recommendation_cli.reviews.review import Review, ReviewKey, Verdict
from recommendation_cli.runtime import Runtime
from recommendation_shared.exact_json.printable import json_line
from recommendation_shared.item.encoding import PARTITION_KEY, decode_item
from tests.support.fakes.aws import client_error
from tests.support.fakes.clock import Clock
from tests.support.fakes.conditional_table import ConditionalTable
from tests.support.fakes.dead_letter_queue import URLS, FakeSqs, body, text_attributes
from tests.support.fakes.recommendation_table import TABLE, FakeDynamoDb, Item, item, items
from tests.support.fakes.reviews_table import FakeReviewsTable
from tests.support.marks import Sts

INCIDENT: Final = "incident-7"
OTHER: Final = "incident-8"
BUCKET: Final = "my-archive"
SHARED_FILE: Final = "incidents/dt=2026-01-30/1-shared.jsonl.gz"
OWN_FILE: Final = "incidents/dt=2026-01-31/2-own.jsonl.gz"
OTHER_FILE: Final = "incidents/dt=2026-01-31/3-other.jsonl.gz"
ARN: Final = "arn:aws:sts::123456789012:assumed-role/RecommendationEraserRole/alice"


class Killed(BaseException):
    """The process was killed. No code may catch it, and every later call raises it again."""


class Tables:
    """The two tables. `recommendations` has its items by ID; without `reviews`, there is no such table.

    `before_announcement` and `before_delete` are called with the ID of an item that is about to be announced or
    deleted, and `denies_deletion` makes DynamoDB answer as if IAM did not allow that.
    """

    def __init__(self) -> None:
        self.recommendations: dict[str, Item] = {}
        self.reviews: FakeReviewsTable | None = FakeReviewsTable()
        self.before_announcement: Callable[[str], None] = lambda _key: None
        self.before_delete: Callable[[str], None] = lambda _key: None
        self.denies_deletion = False
        self._table = ConditionalTable(self.recommendations)

    def put(self, stored: Iterable[Item]) -> None:
        """Store or replace recommendations and marks."""
        for one in stored:
            self._table.put_item(Item=one)

    def changes(self) -> list[tuple[Item, Item | None]]:
        """Return each change of what was in the table of recommendations: the item before and after."""
        return [(old, new) for old, new in self._table.changes if old is not None]

    def query(self, **parameters: Any) -> Mapping[str, Any]:
        """Return a page of keys."""
        return self._of(parameters).query(**parameters)

    def get_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Return an item, if it exists."""
        return self._table.get_item(**parameters)

    def batch_get_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the items that exist."""
        return self._table.batch_get_item(**parameters)

    def put_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Store an item, if its condition is met."""
        return self._table.put_item(**parameters)

    def update_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Set an attribute, if the condition is met."""
        self.before_announcement(parameters["Key"][PARTITION_KEY]["S"])
        return self._table.update_item(**parameters)

    def delete_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Delete an item, if the condition is met."""
        if parameters["TableName"] == TABLE:
            self.before_delete(parameters["Key"][PARTITION_KEY]["S"])
            if self.denies_deletion:
                raise client_error("AccessDeniedException")
        return self._of(parameters).delete_item(**parameters)

    def _of(self, parameters: Mapping[str, Any]) -> ConditionalTable | FakeReviewsTable:
        if parameters["TableName"] == TABLE:
            return self._table
        if self.reviews is None:
            raise client_error("ResourceNotFoundException")
        return self.reviews


class Bucket:
    """S3 with the calls that an erasure uses.

    With `keeps_versions`, each write has a version. Files in `frozen` are in a storage class that cannot be read, and
    `before_write` is called with the key of a file that is about to be replaced or deleted.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.keeps_versions = False
        self.frozen: set[str] = set()
        self.before_write: Callable[[str], None] = lambda _key: None  # what the keeper does meanwhile

    def put_lines(self, key: str, stored: Iterable[Item]) -> None:
        """Write a file as the keeper does."""
        self.files[key] = gzip.compress(b"".join(json_line(decode_item(one)) for one in stored), mtime=0)

    def list_objects_v2(self, **parameters: Any) -> Mapping[str, Any]:
        """Return two objects, and whether there are more."""
        after = parameters.get("ContinuationToken") or parameters.get("StartAfter", "")
        keys = sorted(key for key in self.files if key.startswith(parameters["Prefix"]) and key > after)
        page = keys[:2]
        contents = [{"Key": key, "ETag": self._etag(key)} for key in page]
        more = {"IsTruncated": True, "NextContinuationToken": page[-1]} if keys[2:] else {"IsTruncated": False}
        return {"Contents": contents, **more} if page else more

    def get_object(self, **parameters: Any) -> Mapping[str, Any]:
        """Return an object."""
        key = parameters["Key"]
        if key not in self.files:
            raise client_error("NoSuchKey")
        if key in self.frozen:
            raise client_error("InvalidObjectState")
        return {"Body": io.BytesIO(self.files[key]), "ETag": self._etag(key)}

    def put_object(self, **parameters: Any) -> Mapping[str, Any]:
        """Replace an object, if it has not changed."""
        self._check(parameters)
        self.files[parameters["Key"]] = parameters["Body"]
        return self._written()

    def delete_object(self, **parameters: Any) -> Mapping[str, Any]:
        """Delete an object, if it has not changed."""
        self._check(parameters)
        del self.files[parameters["Key"]]
        return self._written()

    def _check(self, parameters: Mapping[str, Any]) -> None:
        self.before_write(parameters["Key"])
        if parameters["Key"] not in self.files:
            raise client_error("NoSuchKey")
        if parameters["IfMatch"] != self._etag(parameters["Key"]):
            raise client_error("PreconditionFailed")

    def _written(self) -> Mapping[str, Any]:
        return {"VersionId": "3sL4kqtJlcpXroDTDmJ"} if self.keeps_versions else {}

    def _etag(self, key: str) -> str:
        return f'"{md5(self.files[key], usedforsecurity=False).hexdigest()}"'


class Account:
    """All of it. The call with the number `kill_at` never returns: it had its effect only if `kill_after` is set."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.tables, self.bucket, self.sqs, self.sts = Tables(), Bucket(), FakeSqs(self.clock), Sts(ARN)
        self.calls: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None  # called during each wait
        self.kill_at: int | None = None
        self.kill_after = False

    def run(self, folder: Path, *args: str) -> Result:
        """Run a command of `recs`."""
        clients = {"dynamodb": self.tables, "s3": self.bucket, "sts": self.sts}
        runtime = Runtime(
            now=self.clock.now,
            environ={"XDG_STATE_HOME": str(folder)},
            connect=lambda _target: FakeDynamoDb(()),
            connect_queues=lambda _target: self._cut(self.sqs),
            create_client=lambda service, _location: self._cut(clients[service]),
            monotonic=self.clock.monotonic,
            sleep=self._sleep,
        )
        return CliRunner().invoke(recs, [*args, *URLS, "--table", TABLE], obj=runtime)

    def _sleep(self, seconds: float) -> None:
        self.clock.sleep(seconds)
        self.meanwhile()

    def review_incidents(self) -> list[str]:
        """Return the incident of each review."""
        reviews = self.tables.reviews
        return [] if reviews is None else [incident for incident, _ in reviews.items]

    def _cut(self, client: Any) -> Any:
        return _Cut(self, client)

    def call(self, name: str, act: Callable[..., Any], parameters: Mapping[str, Any]) -> Any:
        """Make a call, unless the process is or gets killed."""
        number = len(self.calls)
        self.calls.append(name)
        if self.kill_at is not None and number >= self.kill_at:
            if number == self.kill_at and self.kill_after:
                act(**parameters)
            raise Killed
        return act(**parameters)


class _Cut:
    def __init__(self, account: Account, client: Any) -> None:
        self._account = account
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., Any]:
        act = getattr(self._client, name)
        return lambda **parameters: self._account.call(name, act, parameters)


def review(incident_id: str, number: int) -> Item:
    """Return the item of a review."""
    key = ReviewKey(incident_id, f"2026-02-01T12:00:00.{number:06d}Z/ab")
    by = "arn:aws:iam::123456789012:user/bob"
    return Review(key, f"rec-{incident_id}", Verdict.HELPFUL, "a-secret-note", None, None, by).item()


def filled_account() -> Account:
    """Return an account with something of `INCIDENT` in every place, beside something of `OTHER`.

    Of `INCIDENT`: three items, two dead letters, two reviews, and three archived lines in two files.
    """
    account = Account()
    account.tables.put([*items(3), item(incident_id=OTHER)])
    account.tables.reviews = FakeReviewsTable(review(INCIDENT, 0), review(INCIDENT, 1), review(OTHER, 0))
    account.sqs.put(body(1), text_attributes(failureReason="ItemRejected"))
    account.sqs.put(body(2, incident_id=OTHER))
    account.sqs.put(body(3))
    archived = items(3, execution_id="execution-0")
    others = [item(incident_id=OTHER, execution_id=f"execution-{number}") for number in range(2)]
    account.bucket.put_lines(SHARED_FILE, [archived[0], others[0], archived[1]])
    account.bucket.put_lines(OWN_FILE, archived[2:])
    account.bucket.put_lines(OTHER_FILE, others[1:])
    return account
