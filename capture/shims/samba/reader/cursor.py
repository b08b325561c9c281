"""
The durable position of the reader in the changes of one domain controller.

A domain controller numbers its writes (USN). The number of an account, uSNChanged, grows with any change of it, so an old
password change can move to a higher number while a pass over the domain is unfinished. Therefore the cursor has two numbers.
"""

import dataclasses
import fcntl
import json
import os


@dataclasses.dataclass(frozen=True)
class Cursor:
    """A position. `database` is the invocationId: another database, for example a restored one, has other numbers."""

    database: str
    # The hash scheme that is handed over, or "plaintext". After a switch every account is handed over in the new form.
    form: str
    # Every password change up to this USN is handed over.
    complete: int
    # The unfinished pass is done with the accounts whose uSNChanged is at most this.
    reached: int


class CursorBusy(Exception):
    """Another reader uses the cursor."""


class CursorFile:
    """
    A file that holds a cursor. It is locked until this process ends.
    Raises CursorBusy if another process holds the lock.
    """

    def __init__(self, path):
        self._path = path
        self._lock = os.open(path + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CursorBusy(path) from None

    def load(self, database, form, highest):
        """
        Returns the saved cursor, or the start of the database if the cursor does not fit: it belongs to another database or
        form, or its numbers are above `highest`, because the database was rolled back. What is handed over twice has the same
        sequence, so beginning again starts no change.
        """
        start = Cursor(database, form, 0, 0)
        try:
            with open(self._path, encoding="utf-8") as file:
                saved = Cursor(**json.load(file))
            fits = (saved.database, saved.form) == (database, form) and max(saved.complete, saved.reached) <= highest
        except (FileNotFoundError, ValueError, TypeError):
            return start
        return saved if fits else start

    def save(self, cursor):
        """Replaces the saved cursor. It is on the disk when this returns."""
        following = self._path + ".new"
        with open(following, "w", encoding="utf-8") as file:
            json.dump(dataclasses.asdict(cursor), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(following, self._path)
        folder = os.open(os.path.dirname(os.path.abspath(self._path)), os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
