"""Tables on disk: provenance in the schema, written whole and renamed into place; and the digest of their data."""

import fcntl
import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mpn_abm.errors import OutputExistsError, SimulationError, UsageError

# version of the layout of the tables, in the provenance
TABLE_VERSION = 3
ZSTD_LEVEL = 3
# rows that are read together: those of about this many runs, so that a query for some of many short runs reads few
RUNS_PER_GROUP = 100
FEWEST_ROWS_PER_GROUP, MOST_ROWS_PER_GROUP = 2**15, 2**20
# a whole scenario, beside the tables that were made with it
RESOLVED = "scenario.resolved.yaml"
# the state of a run that is not done, and the one that was saved before
CHECKPOINT, CHECKPOINT_BEFORE = "checkpoint", "checkpoint.previous"
# is there, and locked, while a run holds its folder
LOCK = ".running"
# a file that is being written
PART = re.compile(r"\..+\.[0-9a-f]{8}\.part")

Writer = Callable[[IO[bytes]], None]


@contextmanager
def published_together(folder: Path, replaced: Collection[str] = ()) -> Iterator[Callable[[str, Writer], None]]:
    """Files that appear in a folder together, or not at all.

    Each is written beside its place, and they are renamed when the block is left: a file that exists is complete,
    and what was there before stays as it was if writing fails. They come in the order in which they were written, each
    in the place of the old one, so that one of the two is there at every instant.

    Parameters
    ----------
    replaced : names
        Files of an earlier result, which make way for the new ones. If the file that is written last is among them, its
        old one goes first: where it is, the others are those that it speaks of.

    Yields
    ------
    write : callable
        Takes the name of a file and what writes its content.

    Raises
    ------
    SimulationError
        If the disk is full, the folder cannot be written to, or the like.
    """
    parts: dict[str, Path] = {}

    def write(name: str, writer: Writer) -> None:
        part = folder / f".{name}.{secrets.token_hex(4)}.part"
        with _told(folder / name), part.open("xb") as file:
            parts[name] = part
            writer(file)
            file.flush()
            os.fsync(file.fileno())

    try:
        yield write
        gone = [name for name in replaced if name not in parts]
        last = [name for name in list(parts)[-1:] if name in replaced]
        for name in [*last, *gone]:
            with _told(folder / name):
                (folder / name).unlink(missing_ok=True)
        for name in list(parts):
            with _told(folder / name):
                parts[name].replace(folder / name)
            del parts[name]
    finally:
        for part in parts.values():
            with suppress(OSError):
                part.unlink(missing_ok=True)


def replaced(file: Path, writer: Writer, before: Path | None = None) -> None:
    """Write a file anew; whoever looks, and whoever is left after a kill, finds the old one or the new one whole.

    Parameters
    ----------
    before : Path, optional
        Where the old one stays; for an instant it is the only one.

    Raises
    ------
    SimulationError
        If it cannot be written.
    """
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    try:
        with _told(file), part.open("xb") as opened:
            writer(opened)
            opened.flush()
            os.fsync(opened.fileno())
        with _told(file):
            if before is not None and file.exists():
                file.replace(before)
            part.replace(file)
            _settle(file.parent)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _settle(folder: Path) -> None:
    """See that the names in a folder outlast a power cut."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SimulationError(f"{path}: cannot be written: {error.strerror or error}") from error


def parquet(table: pa.Table, provenance: dict[str, object], runs: int) -> Writer:
    """Write a table of so many runs as Parquet, with where it comes from under the key ``mpn_abm`` of its schema."""
    metadata = {**(table.schema.metadata or {}), b"mpn_abm": json.dumps(provenance, sort_keys=True).encode()}
    table = table.replace_schema_metadata(metadata)
    rows = RUNS_PER_GROUP * table.num_rows // runs
    return lambda file: pq.write_table(
        table,
        file,
        compression="zstd",
        compression_level=ZSTD_LEVEL,
        row_group_size=min(max(rows, FEWEST_ROWS_PER_GROUP), MOST_ROWS_PER_GROUP),
    )


def csv(table: pa.Table) -> Writer:
    """Write a table as text that a spreadsheet reads; what is not known is an empty cell."""
    return lambda file: table.to_pandas().to_csv(file, index=False, lineterminator="\n")


def text(content: str) -> Writer:
    """Write a text."""

    def write(file: IO[bytes]) -> None:
        file.write(content.encode())

    return write


@contextmanager
def claimed(folder: Path, overwrite: bool) -> Iterator[None]:
    """Hold a folder for results from before the work until they are written; nobody else can claim it meanwhile.

    The claim ends with the process, however it ends. Folders that were made for it are gone again if the work breaks
    off.

    Raises
    ------
    OutputExistsError
        If something is in the folder, unless with ``overwrite``; if another run holds it; or if it is a file.
    UsageError
        If it cannot be made or written to.
    """
    # deepest first
    made = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    try:
        with _held(folder, overwrite):
            yield
    except BaseException:
        for parent in made:
            with suppress(OSError):
                parent.rmdir()
        raise


@contextmanager
def _held(folder: Path, overwrite: bool) -> Iterator[None]:
    lock = folder / LOCK
    try:
        _refuse_what_is_there(folder, overwrite)
        folder.mkdir(parents=True, exist_ok=True)
        file = locked(lock)
    except OutputExistsError:
        raise
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written to: {error.strerror or error}") from error
    with file:
        try:
            # somebody may have written while this waited for the lock
            _refuse_what_is_there(folder, overwrite)
            for left in folder.iterdir():
                if PART.fullmatch(left.name):
                    left.unlink()
            yield
        finally:
            # while it is held: the next one to open it makes a new one
            lock.unlink(missing_ok=True)


def locked(lock: Path) -> IO[bytes]:
    """The file of a claim, open and locked; the system unlocks it when the process ends."""
    while True:
        file = lock.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise OutputExistsError(f"{lock.parent}: another run is writing to it; choose another --out") from None
        except OSError:
            # a file system without locks: two runs into one folder are not noticed there
            return file
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), lock.stat()):
                return file
        # whoever held it has ended and taken the file away
        file.close()


def is_locked(lock: Path) -> bool:
    """Whether somebody holds a claim, as far as the file system tells."""
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _refuse_what_is_there(folder: Path, overwrite: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise OutputExistsError(f"{folder}: exists and is no folder")
    if folder.is_dir() and not overwrite and any(map(_is_a_result, folder.iterdir())):
        raise OutputExistsError(f"{folder}: exists; choose another --out or say --overwrite")


def _is_a_result(file: Path) -> bool:
    """Whether a file is more than what a run that was killed has left behind."""
    return file.name != LOCK and PART.fullmatch(file.name) is None


def digest_of(table: pa.Table) -> str:
    """SHA-256 of the data of a table, not of a file's bytes.

    For each column in order: name, type and values (little-endian; texts as UTF-8 with their length), nulls
    as a mask; ``run_id`` is left out, so that a run has the same digest under any name.
    """
    digest = hashlib.sha256()
    for field in table.schema:
        if field.name == "run_id":
            continue
        column = table.column(field.name).combine_chunks()
        digest.update(f"{field.name}:{field.type};".encode())
        digest.update(np.packbits(np.asarray(column.is_null())).tobytes())
        if pa.types.is_string(field.type):
            for word in column.to_pylist():
                encoded = (word or "").encode()
                digest.update(len(encoded).to_bytes(8, "little") + encoded)
        else:
            values = np.asarray(column.fill_null(False) if pa.types.is_boolean(field.type) else column.fill_null(0))
            digest.update(np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<"))).tobytes())
    return digest.hexdigest()
