"""Options of `awesome run` that others have in whole groups, if at all; each is a setting of its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

CompareFormatters = Annotated[
    str | None, typer.Option(help="Formatters to choose from on the eval split, separated by commas.")
]
CompareLabels = Annotated[
    str | None, typer.Option(help="Labels to choose from on the eval split, separated by commas.")
]
Until = Annotated[str | None, typer.Option(help="Last day asked of the source. (default: the last closed session)")]
SourcesUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="A server that stands in for all sources, such as a proxy.")
]
SourcesRate = Annotated[float | None, typer.Option(help="Requests a second. (default: the source's own limit)")]
SourcesTimeout = Annotated[
    float | None, typer.Option(help="Seconds without an answer after which a request failed. (default: 30)")
]
SourcesAttempts = Annotated[int | None, typer.Option(help="At the most, for one request. (default: 5)")]
SourcesBackoff = Annotated[
    float | None, typer.Option(help="Seconds before a second attempt, doubled for each further one. (default: 1)")
]
S3Endpoint = Annotated[
    str | None, typer.Option("--s3-endpoint", metavar="URL", help="Of an S3 server that is not Amazon's.")
]
CosRegion = Annotated[str | None, typer.Option(help="Region of a COS bucket, such as ap-guangzhou.")]
CosEndpoint = Annotated[str | None, typer.Option(metavar="URL", help="Instead of the COS service's own.")]
Horizons = Annotated[
    str | None,
    typer.Option(help="Horizons that examples carry labels for, too, separated by commas. (default: 1,20)"),
]
SplitFractions = Annotated[
    str | None, typer.Option(help="Parts of the sessions for train, eval, test. (default: 0.7,0.1,0.2)")
]
SplitStart = Annotated[str | None, typer.Option(metavar="DAY", help="First session used. (default: the first)")]
SplitEnd = Annotated[str | None, typer.Option(metavar="DAY", help="First session no longer used, if any is not.")]
Embargo = Annotated[
    int | None,
    typer.Option(help="Sessions left out after a border. (default: as many as the formatter reads)"),
]
TrainingDevices = Annotated[
    int | None, typer.Option(help="GPUs that share the rows of each step of a network. (default: 1)")
]
BeamStartSeconds = Annotated[
    float | None, typer.Option(help="Without a worker after which a run on Flink is given up. (default: 30)")
]
Audit = Annotated[bool | None, typer.Option("--audit/--no-audit", help="End each training run with the leak audit.")]
AuditPlausibleAuc = Annotated[
    float | None, typer.Option(help="An AUC on real prices above which a leak is suspected. (default: 0.53)")
]
SuspectReturn = Annotated[
    float | None, typer.Option(help="A return beyond which it is a suspect; 0.5 is 50 %. (default: 0.5)")
]
SuspectDeviations = Annotated[
    float | None, typer.Option(help="Robust standard deviations beyond which it is one. (default: 12)")
]

OF_OTHERS: Mapping[str, str] = {
    "storage_url": "db, model",
    "search_seeds": "search",
    "search_trials": "search",
    "search_metric": "search",
    "trial": "daily",
    "retrain_sessions": "daily",
    "challenger_sessions": "daily",
    "take_champion": "daily",
    "alert_command": "daily",
    "alert_url": "daily",
    "clock": "daily",
    "cluster": "kubeflow",
    "clusters": "kubeflow",
}
"""The settings that a run on this machine has no use for, and the commands that do; all others are its options."""
