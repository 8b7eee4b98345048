"""Load botocore's models with orjson, and without looking through those of all 400 services first.

Creating a client is otherwise a fifth of what `recs show` costs.
"""

import gzip
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import orjson
from botocore.loaders import JSONFileLoader, Loader
from botocore.session import Session

_READ: Final[Mapping[str, Callable[[Path], bytes]]] = {
    ".json": Path.read_bytes,
    ".json.gz": lambda path: gzip.decompress(path.read_bytes()),
}


class _QuickFiles(JSONFileLoader):  # type: ignore[misc]  # botocore ships no types
    def load_file(self, file_path: str) -> Any:
        """Return the content of a file, whose path lacks the extension, or None if there is no such file."""
        for extension, read in _READ.items():
            path = Path(file_path + extension)
            if path.is_file():
                return orjson.loads(read(path))
        return None


class _QuickModels(Loader):  # type: ignore[misc]  # botocore ships no types
    FILE_LOADER_CLASS = _QuickFiles

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - botocore's signature
        """Return the services that have a folder.

        botocore only checks that a service is among them. Whether its folder has a model of this type turns out when
        the model is loaded.
        """
        folders = filter(Path.is_dir, map(Path, self.search_paths))
        return sorted({service.name for folder in folders for service in folder.iterdir()})


def load_quickly(session: Session) -> None:
    """Make a session load models quickly, from the same folders: users may have added some."""
    folders = session.get_component("data_loader").search_paths
    session.register_component("data_loader", _QuickModels(folders, include_default_search_paths=False))
