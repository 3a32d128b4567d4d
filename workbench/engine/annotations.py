"""What a query has to say beside its result: warnings (doubtful) and infos (worth a look)."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Annotations"]


@dataclass(slots=True)
class Annotations:
    """Collects messages in Prometheus' wording, each once, in order of appearance."""

    _warnings: dict[str, None] = field(default_factory=dict)
    _infos: dict[str, None] = field(default_factory=dict)

    def warn(self, message: str) -> None:
        """Say that the result is doubtful."""
        self._warnings[f"PromQL warning: {message}"] = None

    def inform(self, message: str) -> None:
        """Say something that the reader may want to know."""
        self._infos[f"PromQL info: {message}"] = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """All warnings."""
        return tuple(self._warnings)

    @property
    def infos(self) -> tuple[str, ...]:
        """All infos."""
        return tuple(self._infos)
