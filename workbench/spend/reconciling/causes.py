"""Names the cause of each part of a difference, with the figures that speak for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from workbench.spend.prices.quoting import Cause
from workbench.spend.reconciling.cells import CLASSES, Bills, Seen
from workbench.spend.reconciling.days import Cut
from workbench.spend.reconciling.gaps import GapKind, Tolerances
from workbench.spend.reconciling.parts import Parts

__all__ = ["Found", "find_causes"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_SURCHARGES: Final = (1.1, 1 / 1.1)
"""What processing in one region costs to processing anywhere, and the other way round: OpenAI,
Anthropic, Bedrock and Azure ask a tenth more."""
_STEADY: Final = 0.8
"""On how many of the days a ratio must hold to be a region's and no new price."""
_NEAR: Final = 0.01
_OUR_DOUBTS: Final = (
    Cause.TIER, Cause.HOUR, Cause.LIFETIME, Cause.PROVIDER, Cause.SERVICE_TIER, Cause.BOOK,
)  # fmt: skip
"""Why our own price may be off; a region has its own kind of gap."""
_SEEN_LEAST: Final = 1.0


@dataclass(frozen=True, slots=True)
class Found:
    """A part of the difference with its cause: `cells` in nano-units, shape (days, classes)."""

    kind: GapKind
    provider: str
    model: str
    token_class: str
    cells: Floats
    tokens: float
    evidence: str
    numbers: Mapping[str, float | str] = field(default_factory=dict)


def find_causes(  # noqa: PLR0917 - each of its own type
    seen: Seen,
    bills: Bills,
    parts: Parts,
    cut: Cut,
    unknown: frozenset[int],
    limits: tuple[Tolerances, float],
) -> Iterator[Found]:
    """Give all causes, and what is too small for one as `GapKind.TOLERANCE`.

    Parameters
    ----------
    unknown
        Models that neither the price data nor our table has.
    limits
        Tolerances, and nano-units below which no cause is looked for.
    """
    tolerances, least = limits
    judge = _Judge(seen, bills, parts, cut, tolerances, least)
    for m in range(len(seen.models)):
        yield from judge.days(m)
        if m in unknown:
            yield judge.unknown(m)
        else:
            yield from judge.model(m)


@dataclass(frozen=True, slots=True)
class _Judge:
    seen: Seen
    bills: Bills
    parts: Parts
    cut: Cut
    tolerances: Tolerances
    least: float

    def found(  # noqa: PLR0917 - the fields of `Found`
        self, kind: GapKind, m: int, cells: Floats, evidence: str, c: int = -1, tokens: float = 0.0,
        numbers: Mapping[str, float | str] | None = None,
    ) -> Found:  # fmt: skip
        provider, model = self.seen.models[m]
        name = CLASSES[c] if c >= 0 else ""
        return Found(kind, provider, model, name, cells, tokens, evidence, numbers or {})

    def days(self, m: int) -> Iterator[Found]:
        """Days cut elsewhere, not billed yet, or not measured."""
        parts = self.parts
        if parts.moved[m].any():
            told, hours = self.cut.exact, self.cut.hours
            how = "from hourly lines" if told else "by the pattern of days"
            text = (f"the invoice's days begin {'' if told else 'about '}{abs(hours):.3g} h "
                    f"{'later' if hours > 0 else 'earlier'} than ours ({how}): the days then differ by "
                    f"{self.cut.after:.1%} instead of {self.cut.before:.1%}")  # fmt: skip
            numbers = {"hours": hours, "before": self.cut.before, "after": self.cut.after}
            yield self.found(GapKind.TIME_ZONE, m, parts.moved[m], text, numbers=numbers)
        if parts.late[m].any():
            tokens = float(
                (parts.billed[m] - parts.seen[m])[~parts.use[m] & self.seen.measured].sum()
            )
            first = self.seen.days[np.flatnonzero(parts.late[m].any(axis=1))[0]]
            text = f"days from {first} on are not, or not all, billed yet"
            yield self.found(GapKind.DELAY, m, parts.late[m], text, tokens=tokens)
        if parts.unmeasured[m].any():
            text = "our table has no such days"
            tokens = float(parts.billed[m][~self.seen.measured].sum())
            yield self.found(GapKind.UNMEASURED, m, parts.unmeasured[m], text, tokens=tokens)

    def unknown(self, m: int) -> Found:
        cells = self.parts.price[:, m].sum(axis=0) + self.parts.volume[m] + self.parts.split[m]
        text = "neither the price data nor our table has a model of this name: map it in the mapping's values.model"
        return self.found(
            GapKind.UNKNOWN_MODEL, m, cells, text, tokens=float(self.parts.billed[m].sum())
        )

    def model(self, m: int) -> Iterator[Found]:
        """Prices, then volumes and splits."""
        if not self.parts.seen[m].any():
            cells = self.parts.price[:, m].sum(axis=0) + self.parts.volume[m] + self.parts.split[m]
            tokens = float(self.parts.billed[m].sum())
            text = "a model that we never saw"
            yield self.found(GapKind.BYPASS, m, cells, text, tokens=tokens)
        elif self.parts.use[m].any():
            yield from self.prices(m)
            yield from self.volume(m)
            yield from self.split(m)

    # Prices

    def prices(self, m: int) -> Iterator[Found]:
        seen, parts = self.seen, self.parts
        unpriced = seen.unpriced[m] & (parts.unit[m].sum(axis=0) == 0)
        whole = parts.price[:, m].copy()  # regions, days, classes
        for c in np.flatnonzero(unpriced).tolist():
            cells = np.zeros_like(parts.volume[m])
            cells[:, c] = whole[:, :, c].sum(axis=0)
            whole[:, :, c] = 0.0
            tokens = float(parts.seen[m, :, c].sum())
            yield self.found(GapKind.UNPRICED, m, cells, f"{tokens:,.0f} tokens have no price here",
                             c, tokens)  # fmt: skip
        for r in range(len(self.bills.regions)):
            cells, factor, text = self.region(m, r)
            if factor:
                whole[r] -= cells
                yield self.found(GapKind.REGION, m, cells, text, numbers={
                    "factor": factor, "region": self.bills.regions[r]})  # fmt: skip
        left = whole.sum(axis=0)
        doubt = self.doubt(m, float(left.sum()))
        for c in range(len(CLASSES)):
            if left[:, c].any():
                yield self.price(m, c, left[:, c], doubt)

    def price(self, m: int, c: int, left: Floats, doubt: Cause | None) -> Found:
        cells = np.zeros_like(self.parts.volume[m])
        cells[:, c] = left
        use = self.parts.use[m]
        usual = float((self.parts.billed[m, use, c] * self.parts.unit[m, use, c]).sum())
        ratio = 1 + float(left[use].sum()) / usual if usual > 0 else np.inf
        if abs(ratio - 1) <= self.tolerances.price or abs(left.sum()) < self.least:
            return self.found(GapKind.TOLERANCE, m, cells, "", c)
        if usual <= 0:
            return self.found(GapKind.PRICE, m, cells, "billed without a token being billed", c)
        numbers: dict[str, float | str] = {"ratio": ratio}
        if doubt is not None:
            text = f"billed at {_times(ratio)} times our price, which is itself uncertain: {doubt.value}"
            return self.found(GapKind.BAR, m, cells, text, c, numbers=numbers)
        with np.errstate(invalid="ignore", divide="ignore"):
            daily = left / (self.parts.billed[m, :, c] * self.parts.unit[m, :, c])
        off = np.flatnonzero(np.abs(np.nan_to_num(daily)) > self.tolerances.price)
        known = np.flatnonzero(use & (self.parts.billed[m, :, c] > 0))
        text = f"billed at {_times(ratio)} times our price, tokens apart"
        if len(off) and off[0] > known[0]:
            numbers["since"] = str(self.seen.days[off[0]])
            text = f"{text}: since {self.seen.days[off[0]]} at {_times(1 + float(np.median(daily[off])))} times"
        if abs(ratio - 0.5) < _NEAR:
            text += "; half is what batch and flex cost"
        return self.found(GapKind.PRICE, m, cells, text, c, numbers=numbers)

    def region(self, m: int, r: int) -> tuple[Floats, float, str]:
        """Say what a region's price makes: cells, the factor (0 for none), and why."""
        billed, money = self.parts.billed_by_region[r, m], self.parts.money_by_region[r, m]
        usual = billed * self.parts.unit[m]
        use = self.parts.use[m]
        none = (np.zeros_like(billed), 0.0, "")
        sums = usual[use].sum(axis=0)
        asked = [c for c in range(len(CLASSES)) if sums[c] > self.least and billed[use, c].any()]
        if not asked:
            return none
        ratios = {c: float(money[use, c].sum() / sums[c]) for c in asked}
        name = self.bills.regions[r]
        other = bool(name) and name not in self.seen.regions[m]
        tolerance = max(self.tolerances.price, 1e-9)
        for factor in _SURCHARGES:
            like = [c for c in asked if abs(ratios[c] / factor - 1) <= tolerance and self.steady(
                money[use, c], usual[use, c] * factor)]  # fmt: skip
            if (other and like) or (len(asked) > 1 and len(like) == len(asked)):
                where = (
                    f"in {name!r}, which we did not see" if other else "though no region is told"
                )
                text = f"{len(like)} of {len(asked)} token classes billed at {_times(factor)} times our price {where}: the price of processing in one region"
                return self.scaled(usual, m, factor), factor, text
        spread = max(ratios.values()) - min(ratios.values())
        mean = float(money[use][:, asked].sum() / sums[asked].sum())
        steady = all(self.steady(money[use, c], usual[use, c] * mean) for c in asked)
        if (
            other
            and len(asked) > 1
            and spread <= 2 * tolerance
            and steady
            and abs(mean - 1) > tolerance
        ):
            text = f"all token classes billed at {_times(mean)} times our price in {name!r}, which we did not see"
            return self.scaled(usual, m, mean), mean, text
        return none

    def scaled(self, usual: Floats, m: int, factor: float) -> Floats:
        cells: Floats = np.where(self.parts.use[m][:, None], usual * (factor - 1), 0.0)
        return cells

    @staticmethod
    def steady(money: Floats, expected: Floats) -> bool:
        known = expected > 0
        near = np.abs(money[known] - expected[known]) <= _NEAR * expected[known]
        return bool(near.mean() >= _STEADY) if known.any() else False

    def doubt(self, m: int, amount: float) -> Cause | None:
        """Name the doubt of our own that is wide enough for a price, the widest first."""
        down = sum(self.seen.causes[c][0][m] for c in _OUR_DOUBTS if c in self.seen.causes)
        up = sum(self.seen.causes[c][1][m] for c in _OUR_DOUBTS if c in self.seen.causes)
        if not (0 < amount <= up or -down <= amount < 0):
            return None
        side = int(amount > 0)
        return max(
            (c for c in _OUR_DOUBTS if c in self.seen.causes),
            key=lambda c: float(self.seen.causes[c][side][m]),
        )

    # Volumes

    def volume(self, m: int) -> Iterator[Found]:
        parts, use = self.parts, self.parts.use[m]
        cells = parts.volume[m]
        if not cells.any():
            return
        inner = use.copy()
        if self.cut.part:
            inner[[0, -1]] = False
        billed, seen = parts.billed[m, inner], parts.seen[m, inner]
        groups = [(billed[:, g].sum(), seen[:, g].sum()) for g in (slice(0, 3), slice(3, 4))]
        rough = self.cut.part != 0 and not self.cut.exact
        limit = self.tolerances.shifted if rough else self.tolerances.tokens
        apart = [abs(b - s) > limit * max(s, _SEEN_LEAST) for b, s in groups]
        if not any(apart) or abs(cells.sum()) < self.least:
            yield self.found(GapKind.TOLERANCE, m, cells, "")
            return
        tokens = sum(b - s for b, s in groups)
        yield from self.named_volume(m, cells, float(tokens), groups)

    def named_volume(
        self, m: int, cells: Floats, tokens: float, groups: list[tuple[float, float]]
    ) -> Iterator[Found]:
        saw = sum(s for _, s in groups)
        more = [f"{b / s - 1:+.2%} {what}" for (b, s), what in
                zip(groups, ("input", "output"), strict=True) if s > 0]  # fmt: skip
        numbers: dict[str, float | str] = {"tokens": tokens, "seen": float(saw)}
        text = f"tokens billed against seen: {', '.join(more)}"
        if self.bills.implied[m].any():
            text += "; the invoice has no quantities, so that another price would look the same"
        if cells.sum() < 0:
            text = "the invoice has none of it" if not any(b for b, _ in groups) else text
            yield self.found(GapKind.UNBILLED, m, cells, text, tokens=tokens, numbers=numbers)
            return
        lost = float(self.seen.lost[m])
        covered = min(1.0, lost / tokens) if tokens > 0 else 0.0
        if covered > 0:
            said = f"{text}; {lost:,.0f} tokens are estimated as lost between scrapes"
            yield self.found(GapKind.MISSED, m, cells * covered, said, tokens=tokens * covered,
                             numbers=numbers)  # fmt: skip
        if covered < 1:
            said = f"{text}, at our price"
            part = 1 - covered
            yield self.found(GapKind.BYPASS, m, cells * part, said, tokens=tokens * part,
                             numbers=numbers)  # fmt: skip

    def split(self, m: int) -> Iterator[Found]:
        cells = self.parts.split[m]
        if not cells.any():
            return
        use = self.parts.use[m]
        billed, seen = (x[m, use, :3].sum(axis=0) for x in (self.parts.billed, self.parts.seen))
        if not billed.sum() or not seen.sum():
            yield self.found(GapKind.TOLERANCE, m, cells, "")
            return
        shares = (billed / billed.sum(), seen / seen.sum())
        apart = np.abs(shares[0] - shares[1]).max()
        if apart <= self.tolerances.split or abs(cells.sum()) < self.least:
            yield self.found(GapKind.TOLERANCE, m, cells, "")
            return
        told = [f"{name} {b:.1%} against {s:.1%}" for name, b, s in
                zip(CLASSES, *shares, strict=False)]  # fmt: skip
        text = f"the input is split otherwise, billed against seen: {', '.join(told)}"
        numbers = {f"billed_{n}": float(b) for n, b in zip(CLASSES, shares[0], strict=False)}
        yield self.found(GapKind.CACHE, m, cells, text, numbers=numbers)


def _times(ratio: float) -> str:
    """A ratio in plain digits."""
    return f"{ratio:.4g}" if abs(ratio) < 1000 else f"{ratio:,.0f}"
