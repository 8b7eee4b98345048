"""The incident's lines in the archive's files, which are rewritten without them (docs/archive.md)."""

import json
from collections.abc import Iterator, Sequence
from typing import Final

from recommendation_cli.erasure.archive_files import S3, ArchiveFiles, Bucket, File, UnreadableFileError
from recommendation_cli.erasure.places import Erased, Found
from recommendation_cli.erasure.tombstone import Tombstone
from recommendation_cli.screen.progress import Report
from recommendation_cli.screen.visible import visible
from recommendation_shared.exact_json.printable import json_line
from recommendation_shared.wording import plural

_ATTEMPTS: Final = 5  # at a file that the keeper keeps replacing
_NAMED: Final = 5  # files in a message


class Archive:
    """The lines of an incident in the archive's files. Files that were read and have none are not read again."""

    name: Final = "archived lines"

    def __init__(self, s3: S3, bucket: Bucket, incident_id: str) -> None:
        self._files = ArchiveFiles(s3, bucket)
        self._bucket = bucket
        self._incident_id = incident_id
        self._token = json_line(incident_id).rstrip(b"\n")  # as it is written in a line
        self._clean: set[File] = set()

    def find(self, report: Report) -> Found:
        """Count the lines. Each file of the archive is read, or each in the period."""
        lines = files = unreadable = 0
        days = set[str]()
        for file in self._unread(report):
            try:
                _, removed = self._split(self._files.read(file.key)[0])
            except UnreadableFileError:
                unreadable += 1
                continue
            if removed:
                lines, files = lines + removed, files + 1
                days.add(file.day)
            else:
                self._clean.add(file)
        where = f"in {plural(files, 'file')} of {self._bucket}"
        if unreadable:
            where += f"; {plural(unreadable, 'file')} could not be read"
        return Found(lines, where, frozenset(filter(None, days)))

    def sweep(self, tombstone: Tombstone, report: Report) -> Erased:
        """Rewrite the files that have lines of the incident without them; delete those that have no others."""
        erased = 0
        left: list[str] = []
        for file in self._unread(report):
            try:
                removed = self._clear(file)
            except UnreadableFileError as error:
                left.append(f"{visible(file.key)}: {error}")
                continue
            if removed:
                tombstone.add(self.name, removed)
                erased += removed
        if len(left) > _NAMED:
            left[_NAMED:] = [f"{plural(len(left) - _NAMED, 'more archive file')}."]
        return Erased(erased, left)

    def unreachable(self) -> Sequence[str]:
        """Return that the bucket keeps earlier versions, if it does."""
        keys = self._files.versioned
        if not keys:
            return ()
        names = visible(", ".join(keys[:_NAMED])) + (", …" if len(keys) > _NAMED else "")
        sentence = (
            f"earlier versions of {plural(len(keys), 'file')} that {self._bucket} keeps ({names}): delete those"
            " versions, or let a lifecycle rule do so."
        )
        return [sentence]

    def _unread(self, report: Report) -> Iterator[File]:
        """Yield the files that have not been found clean."""
        for count, file in enumerate(self._files, 1):
            if file not in self._clean:
                yield file
            report(f"looked at {plural(count, 'archive file')}", count, None)

    def _clear(self, file: File) -> int:
        """Remove the incident's lines from a file; return how many they were. Raises `UnreadableFileError`."""
        for _ in range(_ATTEMPTS):
            lines, etag = self._files.read(file.key)
            kept, removed = self._split(lines)
            if not removed:
                self._clean.add(File(file.key, etag))
                return 0
            if self._files.replace(file.key, etag, kept):
                return removed
        raise UnreadableFileError("the keeper replaces it all the time: run this again.")

    def _split(self, lines: Sequence[bytes]) -> tuple[bytes, int]:
        """Return what remains of a file without the incident's lines, byte for byte, and how many those are."""
        kept = [line for line in lines if not self._is_of_incident(line)]
        return b"".join(kept), len(lines) - len(kept)

    def _is_of_incident(self, line: bytes) -> bool:
        if self._token not in line:  # which spares parsing nearly every line
            return False
        try:
            document = json.loads(line)
        except ValueError:
            raise UnreadableFileError("a line that mentions the incident is not JSON: look at it.") from None
        return isinstance(document, dict) and document.get("incidentId") == self._incident_id
