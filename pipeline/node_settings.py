"""What a pod is told of the place it runs in: variables of its own, as these are no settings of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.paths import pattern_in
from pipeline.refusals import refused
from pipeline.settings import SettingsError

NODE_PREFIX = "AWESOME_NODE_"
"""Of what a pod is told about its surroundings."""


class NodeSettings(BaseSettings):
    """What the environment of a pod says of the place it runs in: AWESOME_NODE_..., from a ConfigMap and a Secret."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix=NODE_PREFIX, frozen=True)

    pipeline_root: Path | None = Field(None, description="folder of artifacts instead of the compiled one")
    storage_secret: Path | None = Field(
        None, description="folder of a Secret: each of its files becomes a variable, AWESOME_STORAGE_URL and keys"
    )
    beam_start_seconds: float = Field(
        30, gt=0, description="without a worker after which a step on Flink is given up before it begins"
    )
    metadata_sqlite: Path | None = Field(None, description="SQLite file of ML Metadata: one pod at a time")
    metadata_host: str | None = Field(None, description="of MariaDB or MySQL")
    metadata_port: int = Field(3306, ge=1, le=65535, description="of MariaDB or MySQL")
    metadata_database: str = Field("metadata", description="name of the database")
    metadata_user: str = Field("", description="who may create tables in it")
    metadata_password: SecretStr = Field(SecretStr(""), description="of the user")

    @field_validator("pipeline_root")
    @classmethod
    def _is_no_pattern(cls, value: Path | None) -> Path | None:
        if value is not None and (why := pattern_in(value)):
            raise ValueError(why)
        return value


def load_node_settings() -> NodeSettings:
    """Reads what a pod's environment says.

    Raises:
        SettingsError: a value cannot be used; the message names the variable and not its value.
    """
    try:
        return NodeSettings(**dict[str, Any]())
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsError(f"{NODE_PREFIX}{str(first['loc'][0]).upper()}: {refused(first)}") from None
