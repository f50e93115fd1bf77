"""Tables on disk: provenance in the schema, written whole and renamed into place; and the digest of their data."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mpn_abm.errors import OutputExistsError, SimulationError

# version of the layout of the tables, in the provenance
TABLE_VERSION = 1
ZSTD_LEVEL = 3


def write_whole(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Write a file beside its place and rename it, so that a file that exists is complete.

    Raises
    ------
    SimulationError
        If the disk is full, the folder cannot be written to, or the like.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise SimulationError(f"{path}: cannot be written: {error.strerror or error}") from error


def write_table(table: pa.Table, path: Path, provenance: dict[str, object]) -> None:
    """Write a Parquet file that carries where it comes from under the key ``mpn_abm`` of its schema."""
    metadata = {**(table.schema.metadata or {}), b"mpn_abm": json.dumps(provenance, sort_keys=True).encode()}
    table = table.replace_schema_metadata(metadata)
    write_whole(path, lambda file: pq.write_table(table, file, compression="zstd", compression_level=ZSTD_LEVEL))


def write_text(text: str, path: Path) -> None:
    """Write a text file whole."""
    write_whole(path, lambda file: _write_bytes(file, text.encode()))


def _write_bytes(file: IO[bytes], content: bytes) -> None:
    file.write(content)


def claim_folder(folder: Path, overwrite: bool) -> None:
    """Make a folder for results; one with something in it is only taken with ``overwrite``."""
    try:
        if folder.exists() and not folder.is_dir():
            raise OutputExistsError(f"{folder}: exists and is no folder")
        if folder.is_dir() and any(folder.iterdir()) and not overwrite:
            raise OutputExistsError(f"{folder}: exists; choose another --out or say --overwrite")
        folder.mkdir(parents=True, exist_ok=True)
    except OutputExistsError:
        raise
    except OSError as error:
        raise SimulationError(f"{folder}: cannot be made: {error.strerror or error}") from error


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
            for text in column.to_pylist():
                encoded = (text or "").encode()
                digest.update(len(encoded).to_bytes(8, "little") + encoded)
        else:
            values = np.asarray(column.fill_null(False) if pa.types.is_boolean(field.type) else column.fill_null(0))
            digest.update(np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<"))).tobytes())
    return digest.hexdigest()
