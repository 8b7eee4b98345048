"""AWS prices: the dated ones that ship with the package, changed by those in a file of the same shape."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Self

_LABELS: Final = ("region", "date")


class PricesError(ValueError):
    """A price file that cannot be used; the message names the key and what it may be."""


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars by service and unit, such as `usd("dynamodb", "write_unit_million")`."""

    region: str
    date: str
    values: Mapping[tuple[str, str], float]

    def usd(self, service: str, unit: str) -> float:
        """Return a price."""
        return self.values[service, unit]

    @classmethod
    def shipped(cls) -> Self:
        """Return the prices that ship with the package, for us-east-1."""
        text = files("recommendation_cli.cost").joinpath("prices.toml").read_text(encoding="utf-8")
        document = tomllib.loads(text)
        return cls(document["region"], document["date"], _flat(document))

    def changed_by(self, path: Path) -> "Prices":
        """Return these prices, changed by those in a file.

        Raises `PricesError` if the file is not TOML, has an unknown key, or a price that is not a number of zero or
        more. Raises `OSError`.
        """
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise PricesError(f"it is not valid TOML: {error}") from None
        for label in _LABELS:
            if not isinstance(document.get(label, ""), str):
                raise PricesError(f"{label} must be text")
        changes = _flat(document)
        for (service, unit), value in changes.items():
            if (service, unit) not in self.values:
                known = ", ".join(".".join(key) for key in self.values)
                raise PricesError(f"{service}{'.' * bool(unit)}{unit} is not a known price: those are {known}")
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
                raise PricesError(f"{service}.{unit} must be a number of zero or more, not {value!r}")
        return Prices(document.get("region", self.region), document.get("date", self.date), {**self.values, **changes})


def _flat(document: Mapping[str, Any]) -> dict[tuple[str, str], Any]:
    prices: dict[tuple[str, str], Any] = {}
    for service, units in document.items():
        if service in _LABELS:
            continue
        if isinstance(units, dict):
            prices |= {(service, unit): value for unit, value in units.items()}
        else:
            prices[service, ""] = units  # not a table, so it is reported as unknown
    return prices
