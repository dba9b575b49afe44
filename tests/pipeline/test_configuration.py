"""From settings to what a pipeline is made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.errors import SplitError, UserError
from models.registry import ARCHITECTURES
from pipeline.configuration import (
    ModelChoiceError,
    check_choices,
    chosen_models,
    database_path,
    pipeline_name,
    serving_folder,
    split_settings,
    write_schema,
)
from pipeline.settings import Settings

pytestmark = pytest.mark.usefixtures("folder")


def test_a_model_is_taken_in_its_default_version_unless_another_is_named() -> None:
    chosen = chosen_models(Settings(models=("rnn:1", "linear")))
    assert list(chosen) == ["rnn", "linear"]
    assert chosen["rnn"] == (ARCHITECTURES["rnn"], 1)
    assert chosen["linear"] == (ARCHITECTURES["linear"], ARCHITECTURES["linear"].default_version)
    assert chosen_models(Settings(models=("rnn",)))["rnn"][1] == ARCHITECTURES["rnn"].default_version == 2


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (("lstm",), "model 'lstm' does not exist; there are linear, dnn, custom_dnn, rnn"),
        (("rnn:3",), "model rnn has no version '3'; there are 1, 2"),
        (("rnn:one",), "model rnn has no version 'one'"),
        (("rnn:-1",), "model rnn has no version '-1'"),
        (("rnn:1", "rnn:2"), "model rnn is named twice"),
        (("rnn", "rnn:2"), "model rnn is named twice"),
    ],
)
def test_models_that_do_not_exist_are_named(models: tuple[str, ...], message: str) -> None:
    with pytest.raises(ModelChoiceError) as error:
        check_choices(Settings(models=models))
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("hyperparameters", "message"),
    [
        ({"lstm": {}}, "hyperparameters.lstm: model 'lstm' does not exist"),
        ({"rnn": {"epoch": 1}}, "hyperparameters.rnn: hyperparameter 'epoch' does not exist"),
        ({"rnn": {"epochs": "three"}}, "hyperparameters.rnn: hyperparameter epochs must be"),
    ],
)
def test_hyperparameters_that_do_not_exist_are_named(
    hyperparameters: dict[str, dict[str, object]], message: str
) -> None:
    with pytest.raises(ModelChoiceError) as error:
        check_choices(Settings(hyperparameters=hyperparameters))
    assert str(error.value).startswith(message)


def test_a_formatter_that_does_not_exist_is_named() -> None:
    with pytest.raises(ModelChoiceError, match="formatter 'returns' does not exist; there are window_returns, closes"):
        check_choices(Settings(formatter="returns"))


@pytest.mark.parametrize(
    "settings",
    [
        {"split_dates": ("2002-01-01", "2001-01-01")},
        {"split_dates": ("2001-13-01", "2002-01-01")},
        {"split_fractions": (0.7, 0.1, 0.1)},
        {"split_start": "2001-01-01", "split_end": "2001-01-01"},
        {"split_end": "2001"},
        {"horizons": (0, 1)},
    ],
)
def test_splits_that_make_no_sense_are_refused_before_any_data_is_read(settings: dict[str, object]) -> None:
    with pytest.raises(SplitError):
        check_choices(Settings(**settings))  # type: ignore[arg-type]


def test_the_defaults_are_accepted() -> None:
    check_choices(Settings())


def test_the_trained_horizon_is_one_of_the_horizons() -> None:
    splits = split_settings(Settings(horizon=5))
    assert (splits.horizon, splits.horizons) == (5, (1, 5, 20))
    assert split_settings(Settings(horizon=20)).horizons == (1, 20)


def test_the_bounds_of_the_splits_are_handed_on() -> None:
    splits = split_settings(Settings(split_start="2001-01-02", split_end="2009-01-02"))
    assert (splits.start, splits.end) == ("2001-01-02", "2009-01-02")
    assert (split_settings(Settings()).start, split_settings(Settings()).end) == (None, None)


def test_a_market_has_a_database_of_its_own_for_all_that_makes_it() -> None:
    def path(**settings: object) -> Path:
        return database_path(Settings(market="null", db=Path("mine.db"), **settings))  # type: ignore[arg-type]

    assert path().parent == Path("runs/markets")
    others = [path(seed=1), path(market_shares=2), path(market_sessions=3), database_path(Settings(market="xor"))]
    assert len({path(), *others}) == 5
    assert database_path(Settings(db=Path("mine.db"))) == Path("mine.db")


def test_only_runs_that_may_be_compared_share_a_name() -> None:
    base = Settings(db=Path("a.db"))
    names = {
        pipeline_name(settings)
        for settings in (
            base,
            Settings(db=Path("b.db")),
            Settings(db=Path("a.db"), horizon=2),
            Settings(db=Path("a.db"), formatter="closes"),
            Settings(market="null"),
            Settings(db=Path("a.db"), split_end="2008-01-02"),
            Settings(db=Path("a.db"), split_end="2009-01-02"),
            Settings(db=Path("a.db"), split_start="2001-01-02", split_end="2009-01-02"),
            Settings(db=Path("a.db"), split_end="2009-01-02", split_dates=("2007-01-02", "2008-01-02")),
        )
    }
    assert len(names) == 9
    assert pipeline_name(Settings(db=Path("a.db"), seed=9, models=("rnn",))) == pipeline_name(base)


def test_a_pipeline_name_is_a_plain_file_name() -> None:
    name = pipeline_name(Settings(db=Path("Kurse & Co (2024).db")))
    assert name.replace("-", "").replace("_", "").isascii()
    assert name.replace("-", "").replace("_", "").isalnum()
    assert serving_folder(Settings(db=Path("x.db"), workspace=Path("w"))).parent == Path("w/serving")


def test_refusals_of_choices_are_users_mistakes() -> None:
    assert issubclass(ModelChoiceError, UserError)


@pytest.mark.slow  # TensorFlow Metadata
def test_the_schema_lies_under_its_own_digest() -> None:
    first = write_schema(Settings())
    text = first.read_text()
    assert "label_1" in text
    assert "label_20" in text
    assert "label_5" not in text
    assert write_schema(Settings()) == first
    other = write_schema(Settings(horizon=5))
    assert other != first
    assert "label_5" in other.read_text()
    assert first.read_text() == text
    assert list(Path("runs").rglob("*.partial")) == []


def test_databases_of_one_name_in_two_folders_are_two_pipelines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = {pipeline_name(Settings(db=Path(db))) for db in ("m.db", "a/m.db", "b/m.db")}
    assert len(names) == 3
    assert pipeline_name(Settings(db=tmp_path / "m.db")) == pipeline_name(Settings(db=Path("m.db")))
