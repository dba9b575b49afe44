"""Whether a table is as its statement makes it: SQLite's PRAGMAs do not tell CHECK, COLLATE or ON CONFLICT.

The statement is read word by word, once, so that its length alone says how long that takes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<text>[xX]?'[^']*(?:''[^']*)*')
    |(?P<name>"[^"]*(?:""[^"]*)*"|`[^`]*(?:``[^`]*)*`|\[[^\]]*\])
    |(?P<number>\.?[0-9](?:[eE][-+][0-9]|[\w.])*)
    |(?P<word>[\w$]+)
    |(?P<sign>\S)""",
    re.VERBOSE | re.DOTALL,
)
_DO_MORE = frozenset(
    "as check collate constraint default foreign generated not null on primary references unique".split()
)


@dataclass(frozen=True)
class _Token:
    """A word of a statement: its kind, and its text without quotes of names, and in lower case if it is no text."""

    kind: str
    text: str

    @property
    def meaning(self) -> tuple[bool, str]:
        """What makes a difference: a name is the same with and without quotes."""
        return self.kind == "text", self.text

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.text in words


_END = _Token("end", "")


def is_virtual(sql: str | None) -> bool:
    """Tells whether a statement of sqlite_master makes a virtual table."""
    return [token.text for token in _tokens(sql)[:2]] == ["create", "virtual"]


def added_columns(sql: str | None, created: str) -> int | None:
    """Counts the columns that others have added to a table of ours, where all they can do is hold something.

    Args:
        sql: How the table was made and altered, as sqlite_master says.
        created: The statement that this program makes it with.

    Returns:
        How many there are; None if the table is not ours, or one of them is more than a name, a type, (NOT) NULL and a
        default.
    """
    found, wanted = _tokens(sql), _tokens(created)
    # SQLite puts an added column behind the last one, so before a rule of the whole table.
    texts = [token.text for token in wanted]
    rules = [at for at in range(len(texts)) if texts[at : at + 4] == [",", "primary", "key", "("]]
    at = rules[0] if rules else len(texts) - 1 - texts[::-1].index(")")
    behind = len(wanted) - at
    ours = [token.meaning for token in (*found[:at], *found[max(at, len(found) - behind) :])]
    if ours != [token.meaning for token in wanted]:
        return None
    count, at, added = 0, 0, found[at : len(found) - behind]
    while at < len(added):
        end = _end_of_column(added, at)
        if end is None:
            return None
        count, at = count + 1, end
    return count


def _tokens(sql: str | None) -> list[_Token]:
    tokens = []
    for match in _TOKEN.finditer(sql or ""):
        kind, text = str(match.lastgroup), match[0]
        if kind == "name":
            text = text[1:-1].replace(text[-1] * 2, text[-1])
        if kind != "comment":
            tokens.append(_Token(kind, text if kind == "text" else text.casefold()))
    return tokens


def _end_of_column(tokens: list[_Token], at: int) -> int | None:
    """Returns where the definition of a column ends that begins with a comma; None if it does more than hold."""

    def token(ahead: int = 0) -> _Token:
        return tokens[at + ahead] if at + ahead < len(tokens) else _END

    if token().text != "," or token(1).kind not in ("word", "name"):
        return None
    at += 2
    while token().kind == "name" or (token().kind == "word" and token().text not in _DO_MORE):
        at += 1
    if token().text == "(":
        size = _end_of_brackets(tokens, at)
        if any(one.kind != "number" and one.text not in (",", "+", "-") for one in tokens[at + 1 : size - 1]):
            return None
        at = size
    while token() is not _END and token().text != ",":
        if token().is_word("not") and token(1).is_word("null"):
            at += 2
        elif token().is_word("null"):
            at += 1
        elif token().is_word("default") and token(1).text == "(":
            at = _end_of_brackets(tokens, at + 1)
        elif token().is_word("default"):
            at += 2 if token(1).text in ("+", "-") else 1
            if token().kind not in ("number", "word", "text", "name"):
                return None
            at += 1
        else:
            return None
    return at


def _end_of_brackets(tokens: list[_Token], at: int) -> int:
    """Returns what follows the bracket that closes the one at a position."""
    depth = 0
    for end in range(at, len(tokens)):
        if tokens[end].kind == "sign":
            depth += {"(": 1, ")": -1}.get(tokens[end].text, 0)
        if not depth:
            return end + 1
    return len(tokens)
