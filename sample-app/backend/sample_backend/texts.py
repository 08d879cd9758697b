"""What a text is, the rules it keeps, and what can go wrong with one. No framework, no database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

MAX_LENGTH = 100
"""Characters of a text: the width of the column in the ConfigMap `pg-init-script`."""

MAX_ID = 2**31 - 1
"""The largest value of a Postgres `serial`."""


@dataclass(frozen=True)
class Text:
    """One row."""

    id: int
    text: str


class TextError(Exception):
    """Something that the caller is told: an HTTP status, a stable code and a sentence."""

    status = 500
    code = "internal"


class InvalidInputError(TextError):
    """The request was understood, but what it says breaks a rule."""

    status = 422
    code = "invalid"


class DuplicateTextError(TextError):
    """The same text is already there."""

    status = 409
    code = "duplicate"


class TextNotFoundError(TextError):
    """No row has this id."""

    status = 404
    code = "not-found"


class StoreUnavailableError(TextError):
    """The database cannot be asked right now; the same request may succeed later."""

    status = 503
    code = "database-unavailable"


class TextStore(Protocol):
    """Where texts are kept. Every method raises StoreUnavailableError when it cannot ask the database."""

    def ping(self) -> None:
        """Return when the database answers and has the table."""

    def all(self) -> list[Text]:
        """Every row, oldest first."""

    def add(self, text: str) -> Text:
        """Insert a row and return it. Raises DuplicateTextError."""

    def delete(self, text_id: int) -> Text:
        """Delete a row and return what it was. Raises TextNotFoundError."""


def parse_text(body: Any) -> str:
    """The text of a decoded `{"text": ...}`, without the white space around it.

    Raises InvalidInputError when there is none, when it is empty or over MAX_LENGTH characters, or
    when it holds what Postgres cannot store: a NUL, or half of a surrogate pair.
    """
    text = _field(body, "text")
    if not isinstance(text, str):
        raise InvalidInputError("`text` must be a string.")
    text = text.strip()
    if not text:
        raise InvalidInputError("The text is empty.")
    if len(text) > MAX_LENGTH:
        raise InvalidInputError(f"The text has {len(text)} characters; {MAX_LENGTH} is the most.")
    if any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text):
        raise InvalidInputError("The text has a character that cannot be stored.")
    return text


def parse_id(body: Any) -> int:
    """The id of a decoded `{"id": ...}`. Raises InvalidInputError when it is no id of a row."""
    text_id = _field(body, "id")
    # bool is a subclass of int: `true` would otherwise be row 1.
    if not isinstance(text_id, int) or isinstance(text_id, bool) or not 1 <= text_id <= MAX_ID:
        raise InvalidInputError(f"`id` must be a whole number from 1 to {MAX_ID}.")
    return text_id


def _field(body: Any, name: str) -> Any:
    if not isinstance(body, dict) or name not in body:
        raise InvalidInputError(f'The body must be a JSON object with "{name}".')
    return body[name]
