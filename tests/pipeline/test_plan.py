"""From settings to a plan, and what is refused on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.formatters import get_formatter
from models.registry import ARCHITECTURES
from pipeline.configuration import pipeline_config, write_schema
from pipeline.plan import Plan, load_plan, resolve
from pipeline.settings import Settings, SettingsError

pytestmark = pytest.mark.usefixtures("folder")


def plan(**settings: object) -> Plan:
    return resolve(Settings(**settings))  # type: ignore[arg-type]


def test_a_model_is_taken_in_its_default_version_unless_another_is_named() -> None:
    chosen = plan(models=("rnn:1", "linear")).models
    assert list(chosen) == ["rnn", "linear"]
    assert (chosen["rnn"].architecture, chosen["rnn"].version) == (ARCHITECTURES["rnn"], 1)
    assert chosen["linear"].version == ARCHITECTURES["linear"].default_version
    assert plan(models=("rnn",)).models["rnn"].version == ARCHITECTURES["rnn"].default_version == 3


def test_a_model_has_the_hyperparameters_of_the_settings() -> None:
    chosen = plan(models=("rnn", "linear"), hyperparameters={"rnn": {"epochs": 2}, "dnn": {"epochs": 3}}).models
    assert chosen["rnn"].hyperparameters == ARCHITECTURES["rnn"].hyperparameters.updated({"epochs": 2})
    assert chosen["linear"].hyperparameters == ARCHITECTURES["linear"].hyperparameters


def test_hyperparameters_of_gradient_steps_are_refused_of_a_solved_model_alone() -> None:
    stepped = {"linear": {"learning_rate": 0.1}}
    assert list(plan(models=("rnn",), hyperparameters=stepped).models) == ["rnn"]
    assert plan(models=("linear:1",), hyperparameters=stepped).models["linear"].hyperparameters.learning_rate == 0.1
    with pytest.raises(SettingsError, match="version 2 of linear is solved"):
        plan(models=("linear",), hyperparameters=stepped)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"models": "lstm"}, "models (from --models): model 'lstm' does not exist; there are linear, dnn"),
        ({"models": "rnn:9"}, "models (from --models): model rnn has no version '9'; there are 1, 2, 3, got 'rnn:9'"),
        ({"models": "rnn:one"}, "models (from --models): model rnn has no version 'one'"),
        ({"models": "rnn:²"}, "models (from --models): model rnn has no version '²'"),
        ({"models": "rnn:-1"}, "models (from --models): model rnn has no version '-1'"),
        ({"models": "rnn:1,rnn:2"}, "models (from --models): model rnn is named twice; a run trains one version of ea"),
        ({"models": "rnn,rnn:2"}, "models (from --models): model rnn is named twice"),
        ({"hyperparameters": {"lstm": {}}}, "hyperparameters.lstm (from --hyperparameters): model 'lstm' does not e"),
        (
            {"hyperparameters": {"rnn": {"epoch": 1}}},
            "hyperparameters.rnn (from --hyperparameters): hyperparameter 'epoch' does not exist",
        ),
        (
            {"hyperparameters": {"rnn": {"epochs": "three"}}},
            "hyperparameters.rnn (from --hyperparameters): hyperparameter epochs must be",
        ),
        ({"label": "down"}, "label (from --label): label 'down' does not exist; there are up, outperform, got 'down'"),
        ({"formatter": "returns"}, "formatter (from --formatter): formatter 'returns' does not exist; there are windo"),
        ({"market": "moon"}, "market (from --market): "),
        (
            {"market": "null", "db": "a.db"},
            "market (from --market): makes a database of its own; name --db or a market, not both, got 'null'",
        ),
        ({"storage_url": "ftp://x"}, "storage_url (from --storage-url): ftp://: there is no such storage; use file://"),
        ({"source": "moon"}, "source (from --source): there is no source 'moon'; choose one of "),
        (
            {"source": "tencent", "since": "2020-01-02", "until": "2020-01-01"},
            "until (from --until): is before the first day, 2020-01-02, got '2020-01-01'",
        ),
        (
            {"split_dates": "2002-01-01,2001-01-01"},
            "split_dates (from --split-dates): split dates 2002-01-01,2001-01-01: eval must begin before test, got ",
        ),
        ({"split_dates": "2001-13-01,2002-01-01"}, "split_dates (from --split-dates): split date '2001-13-01' is not"),
        (
            {"split_fractions": "0.7,0.1,0.1"},
            "split_fractions (from --split-fractions): split fractions (0.7, 0.1, 0.1)",
        ),
        (
            {"split_start": "2001-01-01", "split_end": "2001-01-01"},
            "split_end (from --split-end): the split's start 2001-01-01 must lie before its end 2001-01-01, got ",
        ),
        (
            {"split_start": "2003-01-01", "split_dates": "2001-01-01,2002-01-01"},
            "split_start (from --split-start): the split's start 2003-01-01 must lie before its eval",
        ),
        ({"split_end": "2001"}, "split_end (from --split-end): split date '2001' is not a date such as 2019-06-03"),
        (
            {"accept_suspicion": ["alarm", "weekends"]},
            "accept_suspicion (from --accept-suspicion): is no check whose suspicion can be accepted; there are split",
        ),
        ({"accept_suspicion": ["prices"]}, "accept_suspicion (from --accept-suspicion): is no check whose suspicion "),
        ({"horizons": "0,1"}, "horizons (from --horizons): horizons (0, 1) must be 1 or more each, got (0, 1)"),
    ],
)
def test_a_refusal_names_the_setting_its_origin_and_what_is_wrong(flags: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_plan(flags)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_a_refusal_names_the_file_or_the_variable_too(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("awesome.toml").write_text('formatter = "returns"\n')
    with pytest.raises(SettingsError, match=r"^formatter \(from awesome.toml\): .*, got 'returns'$"):
        load_plan()
    monkeypatch.setenv("AWESOME_FORMATTER", "others")
    with pytest.raises(SettingsError, match=r"^formatter \(from AWESOME_FORMATTER\): .*, got 'others'$"):
        load_plan()


def test_the_defaults_are_accepted() -> None:
    assert load_plan().origins["formatter"] == "default"


def test_the_trained_horizon_and_the_next_session_are_among_the_horizons() -> None:
    assert (plan(horizon=5).horizon, plan(horizon=5).splits.horizons) == (5, (1, 5, 20))
    assert plan(horizon=20, horizons=(20,)).splits.horizons == (1, 20)


def test_the_bounds_of_the_splits_are_handed_on() -> None:
    splits = plan(split_start="2001-01-02", split_end="2009-01-02").splits
    assert (splits.start, splits.end) == ("2001-01-02", "2009-01-02")
    assert (plan().splits.start, plan().splits.end) == (None, None)


def test_a_market_has_a_database_of_its_own_for_all_that_makes_it() -> None:
    def path(**settings: object) -> Path:
        return plan(market="null", db=Path("mine.db"), **settings).database

    assert path().parent == Path("runs/markets")
    others = [path(seed=1), path(market_shares=2), path(market_sessions=3), plan(market="xor").database]
    assert len({path(), *others}) == 5
    assert plan(db=Path("mine.db")).database == Path("mine.db")


def test_a_market_is_not_extracted() -> None:
    assert plan(source="tencent").extraction == plan(source="tencent").source is not None
    assert plan(source="tencent", market="null").extraction is None


def test_only_runs_that_may_be_compared_share_a_name() -> None:
    base = plan(db=Path("a.db"))
    others = [
        plan(db=Path("b.db")),
        plan(db=Path("a.db"), horizon=2),
        plan(db=Path("a.db"), formatter="closes"),
        plan(market="null"),
        plan(db=Path("a.db"), split_end="2008-01-02"),
        plan(db=Path("a.db"), split_end="2009-01-02"),
        plan(db=Path("a.db"), split_start="2001-01-02", split_end="2009-01-02"),
        plan(db=Path("a.db"), split_end="2009-01-02", split_dates=("2007-01-02", "2008-01-02")),
    ]
    assert len({one.name for one in (base, *others)}) == 9
    assert plan(db=Path("a.db"), seed=9, models=("rnn",)).name == base.name


def test_a_pipeline_name_is_a_plain_file_name() -> None:
    name = plan(db=Path("Kurse & Co (2024).db")).name
    assert name.replace("-", "").replace("_", "").isascii()
    assert name.replace("-", "").replace("_", "").isalnum()
    assert plan(db=Path("x.db"), workspace=Path("w")).serving.parent == Path("w/serving")


@pytest.mark.slow  # TensorFlow Metadata
def test_the_schema_lies_under_its_own_digest() -> None:
    first = write_schema(plan())
    text = first.read_text()
    assert "label_1" in text
    assert "label_20" in text
    assert "label_5" not in text
    assert write_schema(plan()) == first
    other = write_schema(plan(horizon=5))
    assert other != first
    assert "label_5" in other.read_text()
    assert first.read_text() == text
    assert list(Path("runs").rglob(".partial-*")) == []


def test_databases_of_one_name_in_two_folders_are_two_pipelines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = {plan(db=Path(db)).name for db in ("m.db", "a/m.db", "b/m.db")}
    assert len(names) == 3
    assert plan(db=tmp_path / "m.db").name == plan(db=Path("m.db")).name


def test_formatters_and_labels_to_compare_are_candidates_in_the_order_given() -> None:
    assert plan().candidates == ()
    assert plan(compare_labels=("outperform", "up")).candidates == (
        ("window_returns", "outperform"),
        ("window_returns", "up"),
    )
    both = plan(compare_formatters=("closes", "window_returns", "closes"), compare_labels=("up", "outperform"))
    assert both.candidates == (
        ("closes", "up"),
        ("closes", "outperform"),
        ("window_returns", "up"),
        ("window_returns", "outperform"),
    )


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"compare_formatters": ","}, "compare_formatters (from --compare-formatters): has commas and nothing between"),
        ({"compare_formatters": "closes,x"}, "compare_formatters (from --compare-formatters): formatter 'x' does not"),
        ({"compare_labels": "up,sideways"}, "compare_labels (from --compare-labels): label 'sideways' does not exist"),
        ({"compare_labels": "up"}, "compare_labels (from --compare-labels): one formatter with one label is nothing"),
        (
            {"formatter": "closes", "compare_formatters": "closes,window_returns"},
            "chooses the formatter; name --formatter or what to compare, not both",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused_in_a_line(flags: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_plan(flags)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_who_cannot_compare_refuses_to_be_asked_for_it(folder: Path) -> None:
    plan().check_single()
    (folder / "awesome.toml").write_text('label = "outperform"\ncompare_formatters = ["closes", "window_returns"]\n')
    asked = load_plan({})
    assert asked.candidates == (("closes", "outperform"), ("window_returns", "outperform"))
    with pytest.raises(SettingsError, match=r"compare_formatters \(from awesome.toml\): `awesome run` alone compares"):
        pipeline_config(asked)  # what a cluster and every other runner is told
    both = load_plan({"compare_labels": "up,outperform", "formatter": "closes"})
    with pytest.raises(SettingsError, match=r"compare_labels \(from --compare-labels\): `awesome run` alone compares"):
        both.check_single()


def test_what_is_compared_is_split_by_the_candidate_that_reads_furthest_back(folder: Path) -> None:
    assert load_plan({"compare_formatters": "window_returns,momentum"}).splits.reach == get_formatter("momentum").reach
    (folder / "awesome.toml").write_text('formatter = "momentum"\n')
    compared = load_plan({"compare_formatters": "closes,window_returns"}).splits
    reach = max(get_formatter(name).reach for name in ("closes", "window_returns"))
    assert (compared.reach, compared.embargo) == (reach, reach + 1)
    assert reach < load_plan({}).splits.reach


@pytest.mark.parametrize("other", ['panel = "prices.panel"', 'market = "null"', 'panel = "p"\nmarket = "null"'])
def test_a_database_that_is_named_overrules_what_else_a_file_reads(folder: Path, other: str) -> None:
    (folder / "awesome.toml").write_text(other + "\n")
    plan = load_plan({"db": "mine.db"})
    assert (plan.database, plan.settings.market, plan.settings.panel) == (Path("mine.db"), None, None)


def test_a_database_of_the_file_does_not_overrule_its_market(folder: Path) -> None:
    (folder / "awesome.toml").write_text('market = "null"\ndb = "mine.db"\n')
    assert load_plan({}).settings.market == "null"


def test_a_flag_overrules_what_a_file_says_to_compare(folder: Path) -> None:
    """What a comparison has pushed is asked for by the chosen names, whatever awesome.toml compares."""
    (folder / "awesome.toml").write_text(
        'compare_formatters = ["closes", "window_returns"]\ncompare_labels = ["up", "outperform"]\n'
    )
    assert load_plan({"formatter": "closes"}).candidates == (("closes", "up"), ("closes", "outperform"))
    chosen = load_plan({"formatter": "closes", "label": "outperform"})
    assert (chosen.candidates, chosen.formatter.name, chosen.label.name) == ((), "closes", "outperform")
    chosen.check_single()
