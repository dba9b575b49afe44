"""What FeatureExampleGen is told, and how it travels: a Struct in TFX's custom config, so no .proto of one's own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from components.errors import StoreError
from components.feature_example_gen.splits import SplitSettings
from components.feature_store import WINDOW
from components.missing_sessions.limit import DEFAULT_LIMIT
from components.plausibility import Bounds
from components.price_panel.flags import flag_of
from components.records import from_plain, to_plain
from models.labels import UP

if TYPE_CHECKING:
    from components.extractor import ExtractionPlan, HttpSettings
    from components.feature_store import ShareSummary

SHARD_ROWS = 50_000
"""Rows of a shard: some seconds of work, some 30 MB of memory."""


@dataclass(frozen=True)
class Extraction:
    """What the store is brought up to date with before it is read.

    Attributes:
        plan: the source, the shares, the days.
        http: how hosts are asked.
    """

    plan: ExtractionPlan
    http: HttpSettings

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> Extraction:
        """Reads what `records.to_plain` gave, after a way through protobuf."""
        # Not before: a pipeline that reads a database needs nothing of what the extractor needs.
        from components.extractor import ExtractionPlan, HttpSettings

        return cls(from_plain(ExtractionPlan, values["plan"]), from_plain(HttpSettings, values["http"]))


@dataclass(frozen=True)
class ExampleGenConfig:
    """The settings of one FeatureExampleGen.

    Attributes:
        database: path of the feature store, or the folder of a panel.
        shares: the shares to take; empty for all.
        splits: borders, purge, embargo, horizons.
        max_missing_sessions: that a window, or in proportion a label, may reach across (components/missing_sessions).
        shard_rows: rows of a Beam element.
        code: digest of the code, so that TFX's cache sees a change.
        extraction: brings the store up to date first; None reads it as it is.
        bounds: from where on a return is a suspect.
        suspects: what the driver found of the prices, as JSON; it travels to the executor, and the cache sees it.
        label: name of the label (models/labels/).
        columns: the day-wide columns that examples carry (models/day_wide), as the formatter reads them.
        panel: where `database`, then a folder, is a panel: that folder, or the URL that its files come from.
    """

    database: str
    shares: tuple[str, ...] = ()
    splits: SplitSettings = field(default_factory=SplitSettings)
    max_missing_sessions: int = DEFAULT_LIMIT
    shard_rows: int = SHARD_ROWS
    code: str = ""
    extraction: Extraction | None = None
    bounds: Bounds = field(default_factory=Bounds)
    suspects: str = ""
    label: str = UP
    columns: tuple[str, ...] = ()
    panel: str = ""

    def to_proto(self) -> Any:
        """The settings but the database as TFX's CustomConfig message."""
        from google.protobuf import struct_pb2
        from tfx.proto import example_gen_pb2

        values = to_plain(self)
        del values["database"]
        if not self.panel:  # as before there were panels
            del values["panel"]
        struct = struct_pb2.Struct()
        struct.update(values)
        config = example_gen_pb2.CustomConfig()
        config.custom_config.Pack(struct)
        return config

    @classmethod
    def from_exec_properties(cls, exec_properties: Mapping[str, Any]) -> ExampleGenConfig:
        """Reads what `to_proto` wrote and the database from a node's execution properties."""
        from google.protobuf import json_format, struct_pb2
        from tfx.proto import example_gen_pb2
        from tfx.utils import proto_utils

        config = example_gen_pb2.CustomConfig()
        proto_utils.json_to_proto(exec_properties["custom_config"], config)
        struct = struct_pb2.Struct()
        config.custom_config.Unpack(struct)
        values = json_format.MessageToDict(struct)
        extraction = values["extraction"]
        return cls(
            database=str(exec_properties["input_base"]),
            shares=tuple(values["shares"]),
            splits=from_plain(SplitSettings, values["splits"]),
            max_missing_sessions=int(values["max_missing_sessions"]),
            shard_rows=int(values["shard_rows"]),
            code=values["code"],
            extraction=None if extraction is None else Extraction.from_plain(extraction),
            bounds=from_plain(Bounds, values["bounds"]),
            suspects=values["suspects"],
            label=values.get("label", UP),  # a run of an older version says none
            columns=tuple(values.get("columns", ())),  # likewise
            panel=values.get("panel", ""),
        )

    def select(self, summaries: Sequence[ShareSummary], excluded: Collection[str] = frozenset()) -> list[ShareSummary]:
        """Those of the store's shares that were asked for, without those that a person has excluded.

        After an extraction, a share that could not be had, or has too few sessions yet for a window, is left out: one
        delisted name must not keep all others from being trained on.

        Args:
            summaries: what the store holds.
            excluded: shares that are left out, whoever asks for them.

        Raises:
            StoreError: the store is empty, or a share is not in it and was not to be extracted, or all are excluded.
        """
        known = {summary.share_id: summary for summary in summaries}
        return [known[share] for share in self.select_ids(list(known), excluded)]

    def select_ids(self, known: Sequence[str], excluded: Collection[str] = frozenset()) -> list[str]:
        """As `select`, by the names of the shares that the store holds."""
        if not known:
            need = f"import prices (awesome prices import FILE), {WINDOW} sessions or more of a share"
            raise StoreError(f"{self.database} holds no feature row: {need}")
        if not self.shares:
            return self._without(excluded, list(known))
        there = frozenset(known)
        unknown = [share for share in self.shares if share not in there]
        if unknown and (self.extraction is None or len(unknown) == len(self.shares)):
            raise StoreError(
                f"{self.database} has no share {', '.join(unknown)}; it has {', '.join(known[:10])}"
                + (f" and {len(known) - 10} more" if len(known) > 10 else "")
            )
        return self._without(excluded, [share for share in dict.fromkeys(self.shares) if share in there])

    def _without(self, excluded: Collection[str], chosen: list[str]) -> list[str]:
        left = [share for share in chosen if share not in excluded]
        if not left:
            names = ", ".join(chosen[:10])
            raise StoreError(
                f"{self.database}: all shares that were asked for are excluded ({names}), or never members of the "
                "universe (awesome members list); take one back with "
                f"`awesome prices suspects --forget {chosen[0]} {flag_of(self.database)}`"
            )
        return left
