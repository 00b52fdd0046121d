"""What can go wrong on floor 1.

StoreError
├── StoreClosed      the store was closed while work was still coming in
├── StoreUnusable    the file cannot be opened, is full, read-only or damaged
└── NotFound         a record that was asked for by its key is not there
"""

from __future__ import annotations


class StoreError(Exception):
    """The database could not do what was asked."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class StoreClosed(StoreError):
    """The database is closed: ftbot is shutting down. Try again once it is back."""


class StoreUnusable(StoreError):
    """The database file cannot be used. Check its path, its rights and the free disk space."""


class NotFound(StoreError):
    """There is no such record. It may have been deleted."""
