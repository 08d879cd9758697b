"""A TextStore in memory that keeps the rules of the table: ids only grow, texts are unique."""

from __future__ import annotations

from sample_backend.texts import DuplicateTextError, StoreUnavailableError, Text, TextNotFoundError


class FakeStore:
    """Set `away` to lose the database."""

    def __init__(self) -> None:
        self.away = False
        self._last_id = 0
        self._rows: dict[int, str] = {}

    def ping(self) -> None:
        self._ask()

    def all(self) -> list[Text]:
        self._ask()
        return [Text(key, text) for key, text in sorted(self._rows.items())]

    def add(self, text: str) -> Text:
        self._ask()
        self._last_id += 1  # a sequence hands out its number before the row is refused
        if text in self._rows.values():
            raise DuplicateTextError("This text is already in the list.")
        self._rows[self._last_id] = text
        return Text(self._last_id, text)

    def delete(self, text_id: int) -> Text:
        self._ask()
        if text_id not in self._rows:
            raise TextNotFoundError(f"There is no text with the id {text_id}.")
        return Text(text_id, self._rows.pop(text_id))

    def _ask(self) -> None:
        if self.away:
            raise StoreUnavailableError("The database does not answer.")
