"""Arrays by name in one file: what is read is what was written, or the file is refused.

The first line says what the file is, the version of its layout, and the SHA-256 of all that follows: an Arrow stream
with a record batch for each array, compressed with zstd, and a header in JSON in the metadata of its schema. Nothing in
it is ever executed (docs/decisions/0025).
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa

KIND, VERSION = "mpn-abm arrays", 1
ZSTD_LEVEL = 1
_HEADER = b"mpn_abm"
_SCHEMA = pa.schema(
    {"name": pa.string(), "type": pa.string(), "shape": pa.list_(pa.int64()), "values": pa.large_binary()}
)
# a first line is no longer than this
_LONGEST = 128


class Damaged(Exception):
    """A file that is not as it was written; says in what."""


def write_arrays(file: IO[bytes], header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Write a header and arrays into an empty file.

    Raises
    ------
    OSError
        If the disk is full, or the like.
    """
    file.write(_first_line(64 * "0"))
    hashed = _Hashed(file)
    schema = _SCHEMA.with_metadata({_HEADER: json.dumps(header).encode()})
    options = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", ZSTD_LEVEL))
    with pa.ipc.new_stream(pa.PythonFile(hashed, "w"), schema, options=options) as stream:
        for name, array in arrays.items():
            stream.write_batch(_batch_of(name, array, schema))
    file.seek(0)
    file.write(_first_line(hashed.digest.hexdigest()))


def read_arrays(file: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The header and the arrays of a file; the arrays may be written to.

    Raises
    ------
    FileNotFoundError
    Damaged
        If the file is not as it was written, or was written in another layout.
    """
    try:
        with file.open("rb") as opened:
            first = opened.readline(_LONGEST)
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
            if not first.startswith(f"{KIND} ".encode()):
                raise Damaged("does not begin as such a file does")
            if not first.startswith(f"{KIND} {VERSION} ".encode()):
                raise Damaged(f"is of another version than {VERSION} of the layout")
            # only what is as it was written is looked into
            if first != _first_line(digest):
                raise Damaged("its checksum is wrong")
            opened.seek(len(first))
            with pa.ipc.open_stream(opened) as stream:
                header = json.loads(stream.schema.metadata[_HEADER])
                return header, dict(_array_of(batch) for batch in stream)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Damaged(f"cannot be read: {error.strerror or error}") from error


def _first_line(digest: str) -> bytes:
    return f"{KIND} {VERSION} {digest}\n".encode()


class _Hashed:
    """A file that is written through, and the digest of what went."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.digest, self.closed = file, hashlib.sha256(), False

    def write(self, content: Any) -> int:
        self.digest.update(content)
        return self._file.write(content)

    def flush(self) -> None:
        self._file.flush()


def _batch_of(name: str, array: np.ndarray, schema: pa.Schema) -> pa.RecordBatch:
    """A row for an array; its values are not copied."""
    ends = pa.py_buffer(np.array([0, array.nbytes], np.int64))
    values = pa.Array.from_buffers(pa.large_binary(), 1, [None, ends, pa.py_buffer(np.ascontiguousarray(array))])
    return pa.RecordBatch.from_arrays(
        [[name], [array.dtype.str], pa.array([array.shape], schema.field("shape").type), values], schema=schema
    )


def _array_of(batch: pa.RecordBatch) -> tuple[str, np.ndarray]:
    row = {field: batch.column(field)[0] for field in ("name", "type", "shape")}
    kind, shape = np.dtype(row["type"].as_py()), row["shape"].as_py()
    values = batch.column("values")[0].as_buffer()
    return row["name"].as_py(), np.frombuffer(values, kind).reshape(shape).copy()
