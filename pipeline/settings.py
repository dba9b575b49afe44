"""The one typed settings object: what can be set, and the form of each value.

Flags come first, then AWESOME_... in the environment, then awesome.toml, then defaults; loading.py reads them.
"""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from components.errors import UserError
from components.leak_audit.limits import PLAUSIBLE_AUC
from components.missing_sessions.limit import DEFAULT_LIMIT
from pipeline.engine import Runner
from pipeline.paths import names_in_file

FILE = "awesome.toml"
PREFIX = "AWESOME_"
KFP_TOKEN = "AWESOME_KFP_TOKEN"
"""What Kubeflow Pipelines is shown by who asks; no setting, as it is a secret."""

SERVE_TOKEN, SERVE_TOKEN_FILE = "AWESOME_SERVE_TOKEN", "AWESOME_SERVE_TOKEN_FILE"
"""What `awesome serve` asks for, or a file that holds it; no settings, for the same reason."""


class SettingsError(UserError):
    """A setting has a value that cannot be used, or a name that does not exist."""


Names = Annotated[tuple[str, ...], NoDecode]
Paths = Annotated[tuple[Path, ...], NoDecode]
Numbers = Annotated[tuple[int, ...], NoDecode]
Fractions = Annotated[tuple[float, float, float], NoDecode]
Dates = Annotated[tuple[str, str] | None, NoDecode]


class Settings(BaseSettings):
    """Everything that can be set; `awesome config` prints it with where each value came from."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix=PREFIX, toml_file=FILE, frozen=True, extra="forbid", allow_inf_nan=False
    )

    db: Path = Field(Path("awesome.db"), description="the feature store")
    panel: str | None = Field(
        None, description="a panel of prices instead of the database: a folder, s3:// or cos://, see docs/panel.md"
    )
    shares: Names = Field((), description="shares to take, separated by commas, or @FILE, one a line; empty for all")
    source: str | None = Field(None, description="where prices come from first, see `awesome sources`; or file:PATH")
    since: dt.date | None = Field(None, description="first day asked for; default is that of before, or 2010-01-01")
    until: dt.date | None = Field(None, description="last day asked for; default is the last closed session")
    best_effort: bool = Field(False, description="whether a source that turns most programs away may be asked")
    sources_url: str | None = Field(None, description="a server that stands in for all sources, such as a proxy")
    sources_rate: float | None = Field(None, gt=0, description="requests a second, instead of the source's own limit")
    sources_timeout: float = Field(30, gt=0, description="seconds without an answer after which a request failed")
    sources_attempts: int = Field(5, ge=1, description="at the most, for one request")
    sources_backoff: float = Field(1, gt=0, description="seconds before a second attempt, doubled for each further one")
    storage_url: str | None = Field(None, description="object storage: file://, s3:// or cos://BUCKET-APPID/...")
    s3_endpoint: str | None = Field(None, description="of an S3 server that is not Amazon's")
    cos_region: str | None = Field(None, description="region of a COS bucket, such as ap-guangzhou")
    cos_endpoint: str | None = Field(None, description="instead of COS's own, https://cos.REGION.myqcloud.com")
    formatter: str = Field("window_returns", description="the DataFormatter, see `awesome formatters`")
    label: str = Field("up", description="what is predicted, see `awesome labels`")
    compare_formatters: Names = Field(
        (), description="that `awesome run` compares on the eval split, separated by commas; empty for `formatter`"
    )
    compare_labels: Names = Field(
        (), description="that `awesome run` compares on the eval split, separated by commas; empty for `label`"
    )
    models: Names = Field(
        ("linear", "dnn", "custom_dnn", "rnn"),
        description="models to train, separated by commas; name:version for an older one",
    )
    plugins: Paths = Field((), description="files with models, formatters, ... of your own, separated by commas")
    horizon: int = Field(1, ge=1, description="sessions ahead that is trained")
    horizons: Numbers = Field((1, 20), description="horizons that examples carry labels for beside the trained one")
    split_fractions: Fractions = Field((0.7, 0.1, 0.2), description="parts of the sessions for train, eval, test")
    split_dates: Dates = Field(None, description="first sessions of eval and test, ISO, instead of fractions")
    split_start: str | None = Field(None, description="first session that is used, ISO; default is that of the data")
    split_end: str | None = Field(None, description="first session that is no longer used, ISO; default is none")
    embargo: int | None = Field(
        None, ge=0, description="sessions left out after a border; default is as many as the formatter reads"
    )
    max_missing_sessions: int = Field(
        DEFAULT_LIMIT, ge=0, description="that the 20 steps of a window may reach across, and labels in proportion"
    )
    # Keras takes seeds of 32 bits.
    seed: int = Field(
        0, ge=0, lt=2**32, description="of weights, dropout, order of rows, resampling and synthetic markets"
    )
    output: Path | None = Field(None, description="folder of the run; default is a new one in the workspace")
    workspace: Path = Field(Path("runs"), description="folder of runs, the pipeline's cache and pushed models")
    market: str | None = Field(None, description="a synthetic market instead of the database, see `awesome market`")
    market_shares: int = Field(100, ge=1, description="shares of a synthetic market")
    market_sessions: int = Field(2900, ge=1, description="sessions of a synthetic market")
    cache: bool = Field(True, description="take unchanged steps from earlier runs")
    beam_runner: Runner = Field(
        "direct", description="what runs Beam's steps: direct (this process), flink or portable; see docs/scale.md"
    )
    flink_master: str | None = Field(None, description="Flink's REST address, HOST:PORT")
    flink_job_server: Path | None = Field(
        None, description="Beam's job server for that Flink, a jar; default is what Beam fetches"
    )
    beam_job_endpoint: str | None = Field(
        None, description="a running job service of Beam's, HOST:PORT, instead of one for each step"
    )
    beam_workers: str = Field(
        "localhost:50000", description="Beam's worker pool, HOST:PORT, as each TaskManager reaches it"
    )
    beam_parallelism: int = Field(1, ge=1, description="parts that a step is split into; as many as Flink has slots")
    beam_start_seconds: float = Field(
        30, gt=0, description="without a worker after which a run on Flink is given up before its first step"
    )
    hyperparameters: dict[str, dict[str, Any]] = Field({}, description="by model: [hyperparameters.rnn] epochs = 9")
    search_seeds: int = Field(1, ge=1, description="that each of its trials is trained with; a figure is their mean")
    search_trials: int = Field(30, ge=1, description="of `awesome search`, in all")
    search_metric: str = Field("auc", description="by which they are judged, on the eval split; see docs/metrics.md")
    train_steps: int = Field(
        0, ge=0, description="steps of training at most, for every model (each of its members); 0 for its own epochs"
    )
    training_devices: int = Field(
        1, ge=1, description="GPUs that share the rows of each gradient step of a network; see docs/scale.md"
    )
    audit: bool = Field(True, description="whether a run ends with the leak audit")
    audit_plausible_auc: float = Field(
        PLAUSIBLE_AUC, gt=0.5, lt=1, description="an honest AUC on real prices above which a leak is suspected"
    )
    accept_suspicion: Names = Field(
        (), description="checks of the leak audit whose suspicion keeps no model back, separated by commas"
    )
    suspect_return: float = Field(
        0.5, gt=0, description="a return of one session beyond which it is a suspect, up or down; 0.5 is 50 %"
    )
    suspect_deviations: float = Field(
        12, gt=0, description="robust standard deviations of a share beyond which its return is a suspect"
    )
    accept: Names = Field((), description="suspects that are right, SHARE:DAY; or shares that need no adjustments")
    exclude: Names = Field((), description="shares that are left out from now on")
    trial: bool = Field(True, description="whether a model that was never blessed may predict where none was: daily")
    retrain_sessions: int = Field(
        250, ge=0, description="sessions since the latest training after which `awesome daily` retrains; 0 for never"
    )
    challenger_sessions: int = Field(
        0, ge=0, description="that a retrained model predicts beside the champion before it may replace it"
    )
    take_champion: bool = Field(
        False, description="whether `awesome daily` takes a newer champion that was pushed to the storage elsewhere"
    )
    alert_command: str | None = Field(
        None, description="a command that `awesome daily` gives its alerts, JSON, on the standard input; no shell"
    )
    alert_url: SecretStr | None = Field(None, description="an address that `awesome daily` posts its alerts to, JSON")
    clock: dt.datetime | None = Field(
        None, description="a made present of `awesome daily`, with a zone, for replays; its ledger is marked"
    )
    mlflow: str | None = Field(None, description="an MLflow server that `awesome run` logs to, http://HOST:PORT")
    cluster: str = Field("stage", description="of Kubeflow: stage or prod")
    clusters: dict[str, dict[str, Any]] = Field({}, description='by cluster: [clusters.stage] image = "..."')

    @field_validator(
        *("accept", "exclude", "accept_suspicion", "plugins", "compare_formatters", "compare_labels"), mode="before"
    )
    @classmethod
    def _split_each(cls, value: Any) -> Any:
        texts = (value,) if isinstance(value, str) else value
        if not isinstance(texts, (tuple, list)) or not all(isinstance(text, str) for text in texts):
            return value
        return _between_commas(texts)

    @field_validator("accept", "exclude")
    @classmethod
    def _is_decision(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if not value:
            return value
        # Not before: the store takes Arrow with it, which most commands do not need.
        from components.feature_store.decisions import read_decisions

        try:
            read_decisions(**{str(info.field_name): value})
        except UserError as error:
            raise ValueError(str(error).partition(": ")[2]) from None
        return value

    @field_validator("shares", "models", "horizons", "split_fractions", "split_dates", mode="before")
    @classmethod
    def _split_commas(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, str):
            if info.field_name == "shares" and value.startswith("@"):
                return names_in_file(Path(value[1:]))
            value = _between_commas((value,))
        if info.field_name == "split_fractions" and isinstance(value, (tuple, list)) and len(value) != 3:
            raise ValueError("give three numbers, the parts of train, eval and test")
        if info.field_name == "split_dates" and isinstance(value, (tuple, list)):
            if not value:
                return None
            if len(value) != 2:
                raise ValueError("give two dates, the first sessions of eval and of test, separated by a comma")
            return tuple(map(_day, value))
        return value

    @field_validator("split_start", "split_end", mode="before")
    @classmethod
    def _plain_day(cls, value: Any) -> Any:
        return None if value == "" else _day(value)

    @field_validator("sources_url", "s3_endpoint", "cos_endpoint", "mlflow")
    @classmethod
    def _is_url(cls, value: str | None) -> str | None:
        if value is not None and not (value.startswith(("http://", "https://")) and urlsplit(value).hostname):
            raise ValueError("is not an address such as http://127.0.0.1:8765")
        if value is not None and "@" in urlsplit(value).netloc:
            # Settings stand in reports and metadata, where no password belongs.
            raise ValueError("holds a user or password; leave them out")
        if value is not None and set("?#") & set(value):
            raise ValueError("holds a query, in which keys are sent; leave it out")
        return value

    @field_validator("flink_master", "beam_job_endpoint", "beam_workers")
    @classmethod
    def _is_host_and_port(cls, value: str | None) -> str | None:
        if value is None:
            return value
        host, colon, port = value.rpartition(":")
        if not (host and colon and port.isdecimal() and 0 < int(port) < 65536) or set("/@ ") & set(host):
            raise ValueError("is no HOST:PORT such as 127.0.0.1:8081")
        return value

    @field_validator("clock")
    @classmethod
    def _has_zone(cls, value: dt.datetime | None) -> dt.datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("has no zone; write it like 2026-11-30T18:00+08:00")
        if value is not None and value > dt.datetime.now(dt.UTC):
            raise ValueError("has not come; a replay is of days that are over")
        return value

    @field_validator("alert_command")
    @classmethod
    def _is_command(cls, value: str | None) -> str | None:
        if value is not None and not shlex.split(value):  # which says what is wrong with its quotes
            raise ValueError("holds no command")
        return value

    @field_validator("alert_url")
    @classmethod
    def _is_webhook(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("http://", "https://")):
            raise ValueError("is not an address such as https://hooks.example.org/...")
        return value

    @field_validator("models")
    @classmethod
    def _at_least_one(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("name at least one model")
        return tuple(dict.fromkeys(value))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, environment, file; no .env and no secrets folder."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def _between_commas(texts: Sequence[str]) -> tuple[str, ...]:
    parts = tuple(part.strip() for text in texts for part in text.split(",") if part.strip())
    if not parts and any(text.strip() for text in texts):
        raise ValueError("has commas and nothing between them; name one, or leave it out")
    return parts


def _day(value: Any) -> Any:
    """A date of TOML as it is written elsewhere."""
    return value.isoformat() if isinstance(value, dt.date) else value
