"""Reads the header of a file of prices: which layout it has, from its names, its first rows and what the user chose.

A wide file whose columns are names of fields is never taken for a list of shares: where a name can be both, the user is
asked (`--layout`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from components.errors import ImportFileError
from components.feature_store.arrays import Floats
from components.feature_store.rules import is_usable_name
from components.price_files.bar_shape import MOST_OF_A_BAR, close_together, hidden_bar, is_bar, numbers_in
from components.price_files.column_names import (
    CLOSE_LIKE,
    PRICES,
    Part,
    Role,
    key_of,
    letter_roles,
    parts_of,
    tuple_of,
)
from components.price_files.factors import factors_from_divisors
from components.price_files.header_columns import Columns
from components.price_files.layout import Layout, LayoutChoice, share_of_file
from components.price_files.vendors import vendor_of

_LEAST_JOINED = 3
_VERY_MANY = 20
_SIDES = {"bid", "ask", "mid", "offer"}


def layout_of(
    header: tuple[str, ...],
    path: Path,
    head: Sequence[Sequence[str]] = (),
    choice: LayoutChoice | None = None,
) -> Layout:
    """Finds out what a file's columns mean.

    Args:
        header: The names of the columns; two rows of a header are joined to "('Close', 'AAA')" before.
        path: The file, for messages, and for the name of its only share.
        head: The cells of its first rows as texts.
        choice: What the user says about it.

    Raises:
        ImportFileError: No layout fits, two columns mean the same, or the file can be read in two ways.
    """
    return _Header(header, path, head, choice or LayoutChoice()).layout()


class _Header(Columns):
    """A header on its way to a layout."""

    def layout(self) -> Layout:
        time = self.time()
        rest = [index for index in range(len(self.names)) if index != time and not self.is_row_number(index)]
        letters = letter_roles([self.names[index] for index in rest])
        if letters is not None:
            for index, role in zip(rest, letters, strict=True):
                self.roles[index] = role
        for role_name, at in self.chosen.items():
            if at is not None and role_name not in ("time", "share"):
                self.roles[at] = Role(role_name)
        # A column of dates beside the chosen one, or a share's name that means "date", is no date here.
        others = [index for index in rest if self.roles[index] is not None and self.roles[index].name == "time"]  # type: ignore[union-attr]
        for index in others:
            self.roles[index] = Role("other") if self.dates_or_times(index) else None
        kind = self.choice.kind
        share = None if kind in ("one", "wide", "fields") else self.share(rest, must=kind == "long")
        if share is not None:
            layout = self._long(time, share, rest)
        else:
            kind = kind or self._kind(rest)
            layout = {"one": self._one, "wide": self._wide, "fields": self._by_share}[kind](time, rest)
        return self._for_vendor(layout)

    def _kind(self, rest: Sequence[int]) -> str:
        """Tells whether columns are fields of one share, fields of shares, or shares; never guesses among them."""
        roles = {index: role.name for index in rest if (role := self.roles[index]) is not None}
        prices = [index for index, name in roles.items() if name in PRICES]
        kinds = {roles[index] for index in prices}
        if not rest:
            raise self.unknown("there is no column of closes")
        closes = kinds & set(CLOSE_LIKE)
        unknown = [index for index in rest if index not in roles]
        if closes and len(kinds) > 1 and self._is_bar(roles):
            if not unknown or {"open", "high", "low"} <= kinds or len(unknown) < _VERY_MANY * len(prices):
                return "one"
            raise self._two_ways(sorted(prices), unknown, "one")
        if closes and len(prices) + len([1 for name in roles.values() if name == "other"]) == len(rest):
            return "one"
        if len(roles) == len(rest):
            raise self.unknown("there is no column of closes; choose it with --column close=NAME")
        pieces = self._pieces(rest)
        if pieces:
            loose = [index for index in rest if index not in pieces and index not in roles]
            closed = {part.share for part in pieces.values() if part.role.name in CLOSE_LIKE}
            if closed and {key_of(share) for share in closed} <= _SIDES:
                raise self._sides(pieces)
            if closed and len(pieces) >= len(loose):
                return "fields"
            if closed or 3 * len(pieces) > len(rest):
                raise self._two_ways(sorted(pieces), loose, "fields")
        if not roles:
            levels = [index for index in rest if tuple_of(self.names[index]) is not None]
            if levels:
                raise self.unknown(
                    f"the rows of the header do not say which one has the fields: {self.names[levels[0]]}"
                )
            self._check_no_bar(rest)
            return "wide"
        if not closes and {"high", "low"} <= kinds and self._is_bar(roles):
            raise self.unknown(
                "there is no column of closes; choose it with --column close=NAME, or say --layout wide if each column "
                "is a share"
            )
        if self._are_shares(sorted(roles), rest):
            shown = ", ".join(self.names[index] for index in sorted(roles))
            self.notes.append(
                f"taken as shares, as they stand among others: {shown} (--layout one, if they are fields)"
            )
            return "wide"
        raise self._two_ways(sorted(roles), [index for index in rest if index not in roles], "one")

    def _two_ways(self, fields: Sequence[int], others: Sequence[int], kind: str) -> ImportFileError:
        shown = ", ".join(self.names[index] for index in fields[:4])
        beside = ", ".join(self.names[index] for index in others[:4]) or "nothing else"
        words = next((index for index in (*others, *fields) if self.holds_words(index)), None)
        if words is not None:
            raise self.unknown(
                f"no column names the shares, and {self.names[words]} holds words such as {self.cells[words][0]}: say "
                f"--column share={self.names[words]} if these are the shares, or leave that column out of the file"
            )
        meant = "one for one share's fields" if kind == "one" else "fields for fields of shares"
        return self.unknown(
            f"{shown} {'is a field' if len(fields) == 1 else 'are fields'} by name, {beside} "
            f"{'is' if len(others) == 1 else 'are'} not, so this can be read in two ways: say --layout {meant}, or "
            "--layout wide if each column is a share"
        )

    def _sides(self, pieces: Mapping[int, Part]) -> ImportFileError:
        close = next(self.names[index] for index, part in sorted(pieces.items()) if part.role.name in CLOSE_LIKE)
        return self.unknown(
            f"bid and ask are the two sides of a quote, not shares: say --layout one --column close={close} to take "
            "one of them, or --layout fields if shares are called so"
        )

    def _are_shares(self, named: Sequence[int], rest: Sequence[int]) -> bool:
        """Tells whether columns with names of fields are shares: written as the others are, and nobody's fields."""
        others = [index for index in rest if index not in named]
        upper = 2 * sum(self.names[index].isupper() for index in others) > len(others)
        names = [self.names[index] for index in named]
        if not all(len(name) <= 5 and (name.isupper() if upper else name.islower()) for name in names):
            return False
        numbers = {index: numbers_in(self.cells[index]) for index in rest}
        # Fields of one share stay close together. Among many shares some do, too: there only the named ones count.
        prices = [index for index in named if self.roles[index].name in PRICES - {"volume", "factor", "divisor"}]  # type: ignore[union-attr]
        if {self.roles[index].name for index in named} & {"close", "adj_close", "volume", "factor"}:  # type: ignore[union-attr]
            return False
        if _VERY_MANY * len(named) <= len(others):
            return True
        many = 3 * len(named) <= len(others)
        if not many and len(prices) < len(named):
            return False
        against = prices if many else rest
        return not any(close_together(numbers[one], numbers[two]) for one in prices for two in against if one != two)

    def _is_bar(self, roles: Mapping[int, str]) -> bool:
        return is_bar(
            {("close" if name in CLOSE_LIKE else name): numbers_in(self.cells[index]) for index, name in roles.items()}
        )

    def _check_no_bar(self, rest: Sequence[int]) -> None:
        """Refuses a wide file whose columns, whatever they are called, are one share's open, high, low and close."""
        if len(rest) > MOST_OF_A_BAR:
            return
        bar = hidden_bar({index: numbers_in(self.cells[index]) for index in rest})
        if bar is not None:
            high, low = self.names[bar.high], self.names[bar.low]
            among = ", ".join(self.names[index] for index in bar.columns)
            raise self.unknown(
                f"{high} is the highest and {low} the lowest of {among} in every row, as one share's high and low are: "
                f"name its fields, such as --column high={high} --column close=NAME, or say --layout wide if each is a "
                "share"
            )

    def _pieces(self, rest: Sequence[int]) -> dict[int, Part]:
        """Reads columns as field and share, all in the one way that fits the most of them."""
        by_way: dict[str, dict[int, Part]] = {}
        for index in rest:
            for part in parts_of(self.names[index]):
                by_way.setdefault(part.way, {})[index] = part
        for way in [way for way in by_way if way.startswith("joined")]:  # PLOW is a share: only with several fields
            fields: dict[str, set[str]] = {}
            for part in by_way[way].values():
                fields.setdefault(part.share, set()).add(part.role.name)
            full = {share for share, roles in fields.items() if len(roles) >= _LEAST_JOINED and "close" in roles}
            by_way[way] = {index: part for index, part in by_way[way].items() if part.share in full}
        if not any(by_way.values()):
            return {}
        order = sorted(by_way, key=lambda way: (-len(by_way[way]), -_closes(by_way[way]), way))
        best = by_way[order[0]]
        if len(order) > 1 and len(by_way[order[1]]) == len(best) and self._both_fit(best, by_way[order[1]]):
            first = min(best)
            raise self.unknown(
                f"{self.names[first]} can be read as {best[first].role.name} of {best[first].share} or as "
                f"{by_way[order[1]][first].role.name} of {by_way[order[1]][first].share}; rename the columns"
            )
        return best

    @staticmethod
    def _both_fit(one: Mapping[int, Part], two: Mapping[int, Part]) -> bool:
        return set(one) == set(two) and bool(_closes(one) and _closes(two))

    # --- the four layouts

    def _long(self, time: int, share: int, rest: Sequence[int]) -> Layout:
        columns = [index for index in rest if index != share]
        fields, rivals, rivalry = self._fields(columns)
        if "close" not in fields:
            raise self.unknown("there is no column close")
        what = f"dates in {self.column(time)}, shares in {self.names[share]!r}, {self._shown(fields)}"
        return self._made(Layout("long", time, share, fields, rivals=rivals, rivalry=rivalry), what, {share})

    def _one(self, time: int, rest: Sequence[int]) -> Layout:
        fields, rivals, rivalry = self._fields(rest)
        if "close" not in fields:
            raise self.unknown("there is no column of closes; choose it with --column close=NAME")
        name = self.choice.share or share_of_file(self.path)
        if not is_usable_name(name):
            raise self.wrong("the file holds one share and its name is no name of a share; give it by --share NAME")
        what = f"dates in {self.column(time)}, {self._shown(fields)}"
        by_file = self.choice.share is None
        layout = Layout("one", time, name, fields, named_by_file=by_file, rivals=rivals, rivalry=rivalry)
        return self._made(layout, what)

    def _wide(self, time: int, rest: Sequence[int]) -> Layout:
        shares: dict[str, dict[str, int]] = {}
        for index in rest:
            name = self.names[index]
            if not is_usable_name(name):
                raise self.unknown(f"column {index + 1} has no usable name")
            if name in shares:
                raise self.unknown(f"the column {name} is there twice")
            shares[name] = {"close": index}
        if not shares:
            raise self.unknown("there is no column of closes")
        numbers = [(one, index) for index in rest for one in numbers_in(self.cells[index]) if one is not None]
        below = [(one, index) for one, index in numbers if one < 0]
        if 5 * len(below) > len(numbers):
            number, index = below[0]
            raise self.wrong(
                f"many numbers are below 0, such as {number:g} of {self.names[index]}: these are no closes but, "
                "perhaps, returns; give prices"
            )
        what = f"dates in {self.column(time)}, adjusted closes of {_counted(shares)}, a column each"
        return self._made(Layout("wide", time, None, shares=self._renamed(shares)), what)

    def _by_share(self, time: int, rest: Sequence[int]) -> Layout:
        pieces = self._pieces(rest)
        columns: dict[str, list[int]] = {}
        for index, part in pieces.items():
            self.roles[index] = part.role
            columns.setdefault(part.share, []).append(index)
        shares: dict[str, dict[str, int]] = {}
        without = []
        for share, indices in columns.items():
            fields, rivals, rivalry = self._fields(indices, pieces)
            if rivals:
                raise self.wrong(rivalry)
            if "close" in fields and is_usable_name(share):
                shares[share] = fields
            else:
                without.append(share)
        if not shares:
            raise self.unknown("there is no column of closes")
        if without:
            self.notes.append(f"left out, as they have no close: {', '.join(without)}")
        fields_of = {name: None for fields in shares.values() for name in fields}
        example = self.names[next(iter(next(iter(shares.values())).values()))]
        what = (
            f"{_counted(shares)} ({', '.join(fields_of)}), a column each, such as {example!r}; "
            f"dates in {self.column(time)}"
        )
        return self._made(Layout("fields", time, None, shares=self._renamed(shares)), what)

    def _renamed(self, shares: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
        if self.choice.share is None:
            return shares
        if len(shares) != 1:
            raise self.wrong(
                f"--share is for a file of one share; this one has {len(shares)} ({', '.join(list(shares)[:4])})"
            )
        return {self.choice.share: next(iter(shares.values()))}

    def _made(self, layout: Layout, what: str, used: set[int] | None = None) -> Layout:
        used = {layout.time, *layout.fields.values(), *(used or ())}
        for fields in layout.shares.values():
            used.update(fields.values())
        ignored = tuple(name for index, name in enumerate(self.names) if index not in used and name)
        return replace(layout, ignored=ignored, what=what, notes=tuple(self.notes))

    def _shown(self, fields: Mapping[str, int]) -> str:
        return ", ".join(f"{name} in {self.names[index]!r}" for name, index in fields.items())

    # --- fields

    def _fields(
        self, indices: Sequence[int], parts: Mapping[int, Part] | None = None
    ) -> tuple[dict[str, int], tuple[int, ...], str]:
        """Returns the column of each field, those that could be the close as well, and what to say if they differ.

        Args:
            indices: The columns of one share, or of all.
            parts: How they are read as a field of a share, if they are.
        """
        by_role: dict[str, list[int]] = {}
        for index in indices:
            role = self.roles[index]
            if role is not None:
                by_role.setdefault(role.name, []).append(index)
        fields: dict[str, int] = {}
        for name in ("open", "high", "low", "close", "volume", "factor", "adj_close", "divisor"):
            found = by_role.get(name, [])
            if name in self.chosen:
                found = [index for index in indices if index == self.chosen[name]]
            elif name in self.chosen_fields and parts is not None:
                found = [index for index in indices if key_of(parts[index].field) == self.chosen_fields[name]]
            if len(found) > 1:
                raise self.same(name, found)
            if found:
                fields[name] = found[0]
        rivals: tuple[int, ...] = ()
        rivalry = ""
        if "close" not in fields and "close" not in self.chosen:
            nearly = by_role.get("nearly_close", [])
            if nearly:
                taken, *others = nearly
                fields["close"], rivals = taken, tuple(others)
                called = [self.names[index] if parts is None else parts[index].field for index in nearly]
                self.note(f"close: {called[0]!r}, as no column is called close")
                rivalry = (
                    f"the columns {' and '.join(called)} can each be the close and differ; choose with --column "
                    f"close={called[0]} or close={called[-1]}"
                )
            elif "adj_close" in fields:
                fields["close"] = fields.pop("adj_close")
                called_so = self.names[fields["close"]] if parts is None else parts[fields["close"]].field
                self.note(f"close: {called_so!r}, adjusted; there are no raw closes")
        if "factor" in fields and "adj_close" in fields:
            raise self.wrong(
                "both factor and adj_close are given; keep one of them, or leave one out with --column factor= or "
                "--column adj_close="
            )
        divisor = fields.pop("divisor", None)
        if divisor is not None and not {"factor", "adj_close"} & set(fields):
            fields["factor"] = divisor
        return fields, rivals, rivalry

    # --- vendors

    def _for_vendor(self, layout: Layout) -> Layout:
        """Adds what a vendor's files need and their header does not say."""
        vendor = vendor_of(self.names)
        prepare: dict[str, Callable[[Floats], Floats]] = {}
        factor = layout.fields.get("factor")
        if factor is not None and key_of(self.names[factor]) in ("cfacpr", "dlycumfacpr", "ajexdi"):
            prepare["factor"] = factors_from_divisors
        # Qlib's names of fields begin so, and its factor is adjusted / as traded.
        expects = any(name.lower() == "$close" for name in self.names)
        layout = replace(layout, prepare=prepare, expects_adjusted=expects)
        if vendor is None:
            return layout
        notes = [*layout.notes, f"as {vendor.name} writes it: {vendor.meaning}"]
        if vendor.lot != 1 and "volume" in layout.fields:
            prepare["volume"] = lambda values: values * vendor.lot
            notes.append(f"volume: lots of {vendor.lot}, stored in shares")
        if vendor.signed:
            prepare["close"] = abs
        only = None
        if vendor.only is not None:
            column, cells = vendor.only
            found = next((index for index, name in enumerate(self.names) if key_of(name) == column), None)
            only = None if found is None else (found, frozenset(cells))
        return replace(layout, notes=tuple(notes), only=only, vendor=vendor)


def _closes(parts: Mapping[int, Part]) -> int:
    """Returns how many shares have a close."""
    return len({part.share for part in parts.values() if part.role.name in CLOSE_LIKE})


def _counted(shares: Mapping[str, object]) -> str:
    return f"{len(shares)} share{'s' if len(shares) != 1 else ''}"
