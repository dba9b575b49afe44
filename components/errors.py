"""The errors a user can cause and mend.

UserError            one clear line: what is wrong, where (file, row, share, setting) and what to do
|- StoreError        the database is missing, unreadable or does not hold what is needed
|- ImportFileError   a file of prices whose layout is not recognised
|- SplitError        the data is too short for the splits that were asked for
`- AnomalyError      the data does not fit the curated schema

The command line prints them without a traceback and exits non-zero. Anything else is a defect of the project.
"""

from __future__ import annotations


class UserError(Exception):
    """Something the user can mend; the message says what and how."""


class StoreError(UserError):
    """The database is missing, unreadable, or does not hold what is needed."""


class ImportFileError(UserError):
    """A file of prices cannot be read, or its layout is not recognised."""


class SplitError(UserError):
    """The data is too short for the splits that were asked for."""


class AnomalyError(UserError):
    """The data does not fit the curated schema; the message holds the table of anomalies."""
