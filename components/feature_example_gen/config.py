"""What FeatureExampleGen is told, and how it travels: a Struct in TFX's custom config, so no .proto of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from components.errors import StoreError
from components.feature_example_gen.splits import SplitSettings

if TYPE_CHECKING:
    from components.feature_store import ShareSummary

SHARD_ROWS = 50_000
"""Rows of a shard: some seconds of work, some 30 MB of memory."""


@dataclass(frozen=True)
class ExampleGenConfig:
    """The settings of one FeatureExampleGen.

    Attributes:
        database: path of the feature store.
        shares: the shares to take; empty for all.
        splits: borders, purge, embargo, horizons.
        shard_rows: rows of a Beam element.
        code: digest of the code, so that TFX's cache sees a change.
    """

    database: str
    shares: tuple[str, ...] = ()
    splits: SplitSettings = field(default_factory=SplitSettings)
    shard_rows: int = SHARD_ROWS
    code: str = ""

    def to_proto(self) -> Any:
        """The settings but the database as TFX's CustomConfig message."""
        from google.protobuf import struct_pb2
        from tfx.proto import example_gen_pb2

        values = asdict(self)
        del values["database"]
        struct = struct_pb2.Struct()
        struct.update(_plain(values))
        config = example_gen_pb2.CustomConfig()
        config.custom_config.Pack(struct)
        return config

    @classmethod
    def from_exec_properties(cls, exec_properties: Mapping[str, Any]) -> ExampleGenConfig:
        """Reads what `to_proto` wrote and the database from a node's execution properties."""
        from google.protobuf import struct_pb2
        from tfx.proto import example_gen_pb2
        from tfx.utils import proto_utils

        config = example_gen_pb2.CustomConfig()
        proto_utils.json_to_proto(exec_properties["custom_config"], config)
        struct = struct_pb2.Struct()
        config.custom_config.Unpack(struct)
        splits = struct["splits"]
        dates = splits["dates"]
        return cls(
            database=str(exec_properties["input_base"]),
            shares=tuple(struct["shares"]),
            splits=SplitSettings(
                fractions=(splits["fractions"][0], splits["fractions"][1], splits["fractions"][2]),
                dates=None if dates is None else (dates[0], dates[1]),
                embargo=int(splits["embargo"]),
                horizons=tuple(int(horizon) for horizon in splits["horizons"]),
                horizon=int(splits["horizon"]),
            ),
            shard_rows=int(struct["shard_rows"]),
            code=struct["code"],
        )

    def select(self, summaries: Sequence[ShareSummary]) -> list[ShareSummary]:
        """Those of the store's shares that were asked for.

        Args:
            summaries: what the store holds.

        Raises:
            StoreError: the store is empty, or a share is not in it.
        """
        if not summaries:
            raise StoreError(f"{self.database} holds no feature row; import prices first: awesome prices import FILE")
        if not self.shares:
            return list(summaries)
        known = {summary.share_id: summary for summary in summaries}
        unknown = [share for share in self.shares if share not in known]
        if unknown:
            raise StoreError(
                f"{self.database} has no share {', '.join(unknown)}; it has {', '.join(list(known)[:10])}"
                + (f" and {len(known) - 10} more" if len(known) > 10 else "")
            )
        return [known[share] for share in dict.fromkeys(self.shares)]


def _plain(value: Any) -> Any:
    """Tuples as lists, since a Struct knows no tuple."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
