"""FeatureExampleGen as a TFX component, and the driver that makes its cache see the data."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from tfx.components.example_gen import component as example_gen
from tfx.components.example_gen import driver, utils
from tfx.dsl.components.base import executor_spec
from tfx.proto import example_gen_pb2
from tfx.types import standard_component_specs
from tfx.utils import proto_utils

from components.day_wide.reading import fingerprint_with
from components.errors import ExtractionError
from components.feature_example_gen.config import ExampleGenConfig, Extraction
from components.feature_example_gen.executor import Executor
from components.feature_example_gen.prices import find_suspects
from components.missing_sessions.finding import find_missing
from components.price_panel.opening import open_prices
from components.trials.record import begun_with
from components.universe.universe import fingerprint_of, left_out

_LOG = logging.getLogger(__name__)


class Driver(driver.FileBasedDriver):
    """Fingerprints the content of the store, where TFX's own driver would look at the file's size and date.

    A database that was touched, vacuumed or copied is the same data and so a cache hit; one changed close is not. With
    an extraction the database is brought up to date first, so an unchanged market is a cache hit and a new session not.
    """

    def resolve_exec_properties(
        self, exec_properties: dict[str, Any], pipeline_info: Any, component_info: Any
    ) -> dict[str, Any]:
        """Adds span, version, the digest of the chosen shares' rows and gaps, and what looks wrong in prices.

        The extraction is taken away, once it is done.

        Raises:
            StoreError: the store cannot be read or lacks a share.
            ExtractionError: nothing could be had from the source.
        """
        del pipeline_info, component_info
        config = ExampleGenConfig.from_exec_properties(exec_properties)
        if config.extraction is not None:
            _bring_up_to_date(config.database, config.extraction)
        with open_prices(config.database, check=True) as store:
            shares = [summary.share_id for summary in config.select(store.shares(), left_out(store))]
            prices = find_missing(store).of(shares).digest(store.digest(shares))
            prices = fingerprint_with(store, shares, config.columns, prices)
            digest = fingerprint_of(store, shares, prices)
            suspects = find_suspects(config, store)
        for one in suspects.open:
            _LOG.warning("prices: %s", one.line)
        # What is accepted changes what may be pushed, so the cache has to see it, though the examples are the same.
        config = replace(config, suspects=suspects.to_json())
        if config.extraction is not None:
            # It is done: another time-out, or another way to the same prices, makes no other examples.
            config = replace(config, shares=tuple(shares) if config.shares else (), extraction=None)
        custom_config = proto_utils.proto_to_json(config.to_proto())
        return exec_properties | {
            standard_component_specs.CUSTOM_CONFIG_KEY: custom_config,
            utils.SPAN_PROPERTY_NAME: 0,
            utils.VERSION_PROPERTY_NAME: None,
            utils.FINGERPRINT_PROPERTY_NAME: digest,
        }


def _bring_up_to_date(database: str, extraction: Extraction) -> None:
    from components.extractor import extract
    from components.extractor.progress import extraction_progress
    from components.extractor.report import NOTHING

    Path(database).parent.mkdir(parents=True, exist_ok=True)
    with extraction_progress(summary=True) as listener, begun_with(database):
        report = extract(extraction.plan, database, http=extraction.http, listener=listener)
    for outcome in report.shares:
        _LOG.info("extraction: share %s %s %s", outcome.share_id, outcome.status.value, outcome.reason)
    if report.exit_code == NOTHING:
        why = "".join(f" ({outcome.share_id}: {outcome.reason})" for outcome in report.shares[:1])
        raise ExtractionError(
            f"no share could be had from {report.source}, so the run ends here{why}; without --source it takes what is "
            "stored"
        )


class FeatureExampleGen(example_gen.FileBasedExampleGen):
    """Reads FEATURE from the store, brought up to date first if it is told to, and writes examples, split by date.

    `outputs['examples']` carries the splits' sizes and dates and the rows that are left out as custom properties, the
    digest of the data as `input_fingerprint`, and what sessions the shares lack as `MISSING_PROPERTY`.
    """

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)
    DRIVER_CLASS = Driver

    def __init__(self, config: ExampleGenConfig) -> None:
        """Builds the component, from the store, the shares and the splits."""
        super().__init__(
            input_base=config.database,
            custom_config=config.to_proto(),
            output_file_format=example_gen_pb2.FILE_FORMAT_UNSPECIFIED,
        )
