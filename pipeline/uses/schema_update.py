"""Infers a schema from the data, for a person to review against the curated one."""

from __future__ import annotations

import difflib
from pathlib import Path

from components.day_wide.reading import read_rows
from components.errors import UserError
from components.feature_example_gen.day_levels import make_levels
from components.feature_example_gen.examples import label_rows
from components.feature_example_gen.splits import SPLITS, plan_splits
from components.price_panel.opening import open_prices
from components.universe.universe import universe_of
from components.whole_files import PARTIAL, write_whole
from pipeline.job.quiet import import_tensorflow
from pipeline.plan import Plan


class SchemaFileError(UserError):
    """The file that was named for a schema cannot be written."""


def update_schema(plan: Plan, out: Path) -> str:
    """Writes the inferred schema beside the curated one, which it leaves alone; gives how they differ, in words.

    Raises:
        UserError: the data cannot be read or is too short, or the file cannot be written.
    """
    _check_writable(out)
    with open_prices(plan.database) as store:
        shares = plan.select(store)
        features, splits = store.read_features(shares), plan_splits(store.sessions(shares), plan.splits)
        universe, columns = universe_of(store, splits.sessions), plan.formatter.example_columns
        day_rows = read_rows(store, shares, columns, universe=universe)
    levels = make_levels([features], splits.sessions, splits.horizons, plan.label, universe=universe)
    labelled = label_rows(features, splits, levels=levels, universe=universe, day_rows=day_rows)
    import_tensorflow()
    import pyarrow as pa
    import tensorflow_data_validation as tfdv
    from google.protobuf import text_format
    from tensorflow_data_validation.statistics import stats_impl

    from models.schema import schema_for

    table = pa.Table.from_batches([batch for split in SPLITS for batch in labelled.batches(split)])
    [batch] = table.combine_chunks().to_batches()
    statistics = stats_impl.generate_statistics_in_memory(batch, tfdv.StatsOptions())
    inferred = text_format.MessageToString(tfdv.infer_schema(statistics))
    asked = schema_for(plan.splits.horizons, plan.horizon, label=plan.label.name, columns=columns)
    curated = text_format.MessageToString(asked)
    write_whole(out, inferred)
    lines = difflib.unified_diff(
        curated.splitlines(),
        inferred.splitlines(),
        "curated (models/schema.pbtxt)",
        f"inferred ({out})",
        lineterm="",
        n=1,
    )
    return "\n".join([*lines, "", f"{out} written; take over into models/schema.pbtxt by hand what you agree with"])


def _check_writable(out: Path) -> None:
    """Refuses a file that cannot be written before anything slow is done."""
    if out.is_dir():
        raise SchemaFileError(f"{out} cannot be written: it is a folder; name a file with --out")
    try:
        if out.is_file() and out.stat().st_size and b"feature {" not in out.read_bytes():
            raise SchemaFileError(f"{out} holds something else than a schema; name another file with --out")
        out.with_name(f"{PARTIAL}{out.name}").touch()
        out.with_name(f"{PARTIAL}{out.name}").unlink()
    except OSError as error:
        raise SchemaFileError(f"{out} cannot be written ({error.strerror}); name another file with --out") from None
