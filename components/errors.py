"""The errors a user can cause and fix.

UserError            one clear line: what is wrong, where (file, row, share, setting) and what to do
|- StoreError        the database is missing, unreadable or does not hold what is needed
|  `- PanelError        likewise a panel: its manifest or one of its files
|- ImportFileError   a file of prices whose layout is not recognised
|- ExchangeError     the sessions of an exchange cannot be had: there is none of that name, or its calendar fails
|- ExtractionError   an extraction that cannot start: its source, a share's name, a key, the journal
|- SourceError       what a source answered for one share, or that it did not; the other shares go on
|  |- UnknownShareError   the source does not know the share
|  |- NoReplyError        what came is no reply of the source: a captcha, a page of somebody in between, half a body
|  `- HostError           the host does not serve anybody: 429, 5xx, no connection, a refused key
|- StorageError      object storage that cannot be reached, or does not hold what was asked for, whole
|- SplitError        the data is too short for the splits that were asked for
|- EngineError       what Beam's steps run on does not answer, or a job on it failed
|- TrainingError     a training that comes to nothing with the hyperparameters it was given
`- AnomalyError      the data does not fit the curated schema

The command line prints them without a traceback and exits non-zero. Anything else is a defect of the project.
"""

from __future__ import annotations

from components.masking import masked


def install_extras(*extras: str) -> str:
    """How to install what some commands need: no index has the project, so its name alone would not do.

    >>> install_extras("extract")
    "pip install '.[extract]' in a checkout, else 'awesome[extract] @ git+ADDRESS' or 'WHEEL[extract]'"

    Args:
        extras: their names in pyproject.toml.
    """
    names = f"[{','.join(extras)}]"
    return f"pip install '.{names}' in a checkout, else 'awesome{names} @ git+ADDRESS' or 'WHEEL{names}'"


class UserError(Exception):
    """Something the user can fix; the message says what and how, and shows no password of an address in it."""

    def __str__(self) -> str:
        """The message."""
        return masked(super().__str__())

    def _render_traceback_(self) -> list[str]:
        # What IPython asks an exception for: the user's mistake is one line, not a traceback.
        return [f"awesome: {self}"]


class StoreError(UserError):
    """The database is missing, unreadable, or does not hold what is needed."""


class PanelError(StoreError):
    """A panel is missing, damaged, of a later version, or does not hold what is needed."""


class ImportFileError(UserError):
    """A file of prices cannot be read, or its layout is not recognised."""


class ExchangeError(UserError):
    """The sessions of an exchange cannot be had; the message begins with the exchange."""


class ExtractionError(UserError):
    """An extraction cannot start: its source, a share's name, a key or its journal."""


class SourceError(UserError):
    """One share cannot be had from its source, or what the source says of it is not accepted."""


class UnknownShareError(SourceError):
    """The source does not know the share."""


class NoReplyError(SourceError):
    """What came is no reply of the source, whatever the share: nothing in it can be read as one."""


class HostError(SourceError):
    """The source's host does not answer as it should, whatever the share."""


class StorageError(UserError):
    """Object storage cannot be reached, or does not hold what was asked for, whole."""


class SplitError(UserError):
    """The data is too short for the splits that were asked for, or these make no sense.

    Attributes:
        setting: the field of SplitSettings that makes none; empty where the data is too short.
    """

    def __init__(self, message: str, setting: str = "") -> None:
        """Says what is wrong, and with which setting."""
        super().__init__(message)
        self.setting = setting


class EngineError(UserError):
    """What Beam's steps run on does not answer, starts no worker, or ended a job before it was done."""


class TrainingError(UserError):
    """A training comes to nothing with the hyperparameters it was given."""


class AnomalyError(UserError):
    """The data does not fit the curated schema; the message holds the table of anomalies."""
