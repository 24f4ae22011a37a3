"""The canonical tables of one generation, as an engine shows them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

from fleetdesk.model.tables import TABLES


class Views(Mapping[str, Any]):
    """Canonical tables by name, as Ibis tables; each is looked up when it is asked for."""

    @abstractmethod
    def look_up(self, name: str) -> Any:
        """The Ibis table of a canonical table's name."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the engine."""

    def __getitem__(self, name: str) -> Any:
        """The table of this name."""
        if name not in TABLES:
            raise KeyError(name)
        return self.look_up(name)

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(TABLES)

    def __len__(self) -> int:
        """How many there are."""
        return len(TABLES)
