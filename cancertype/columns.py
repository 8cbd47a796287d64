"""Columns of text as dictionary arrays: everything works on their unique values, so that reading millions of rows costs
little more than the file itself."""

from collections.abc import Callable, Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .variants import TEXT


def codes(column: pa.ChunkedArray | pa.Array) -> tuple[np.ndarray, list]:
    """Dictionary codes of a column (int32, shape (rows,), -1 for null) and the dictionary's values."""
    if isinstance(column, pa.ChunkedArray):
        column = column.unify_dictionaries().combine_chunks() if pa.types.is_dictionary(column.type) else column
        column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    indices = column.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
    return indices, column.dictionary.to_pylist()


def indices(column: pa.DictionaryArray, missing: int = -1) -> np.ndarray:
    """The codes of a dictionary array (int32, shape (rows,)), ``missing`` for null."""
    found = column.indices.fill_null(missing) if column.null_count else column.indices
    return found.to_numpy(zero_copy_only=False)


def encoded(column: pa.Array | pa.ChunkedArray) -> pa.DictionaryArray:
    """A text column as one dictionary array with int32 codes, each value once; nulls become ""."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    chunks = [
        chunk if pa.types.is_dictionary(chunk.type) else chunk.cast(pa.string()).dictionary_encode() for chunk in chunks
    ]
    whole = pa.chunked_array(chunks, type=TEXT).unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = (
            whole.chunk(0)
            if whole.num_chunks
            else pa.DictionaryArray.from_arrays(pa.array([], pa.int32()), pa.array([], pa.string()))
        )
    if whole.null_count or whole.dictionary.null_count:
        return pc.fill_null(whole.cast(pa.string()), "").dictionary_encode()
    return whole


def translated(column: pa.DictionaryArray, function: Callable[[str], str | None]) -> pa.DictionaryArray:
    """``function`` applied to each unique value; equal results share one code, None becomes null."""
    return coded([function(value) for value in column.dictionary.to_pylist()], indices(column))


def matching(column: pa.DictionaryArray, test: Callable[[str], bool]) -> np.ndarray:
    """Boolean mask of the rows whose value passes ``test``, asked once a unique value."""
    return np.array([test(value) for value in column.dictionary.to_pylist()] or [False], bool)[indices(column)]


def coded(values: Iterable[str | None] | pa.Array, codes: np.ndarray) -> pa.DictionaryArray:
    """Dictionary array that holds ``values[code]`` for every code, each value once."""
    unique = pa.array(values, pa.string()).dictionary_encode()
    places = np.append(indices(unique), np.int32(-1))
    new = places[codes]
    return pa.DictionaryArray.from_arrays(pa.array(new, pa.int32(), mask=new < 0), unique.dictionary)


def filled(column: pa.Array, places: np.ndarray, values: list, kind: pa.DataType) -> pa.Array:
    """``column`` with ``values`` at ``places``."""
    if not len(places):
        return column
    where = np.arange(len(column))
    where[places] = len(column) + np.arange(len(places))
    return pa.concat_arrays([column, pa.array(values, kind)]).take(pa.array(where))


def compacted(table: pa.Table) -> pa.Table:
    """``table`` in one chunk, with dictionaries that hold only what its rows use."""
    columns = [
        used(_single(column)) if pa.types.is_dictionary(column.type) else column.combine_chunks()
        for column in table.columns
    ]
    return pa.Table.from_arrays(columns, schema=table.schema)


def used(column: pa.DictionaryArray) -> pa.DictionaryArray:
    """The same rows, with only the values that they use."""
    codes, size = indices(column), len(column.dictionary)
    used = np.flatnonzero(np.bincount(codes[codes >= 0], minlength=size))
    if len(used) == size:
        return column
    place = np.full(size + 1, -1, np.int32)
    place[used] = np.arange(len(used), dtype=np.int32)
    new = place[codes]
    values = column.dictionary.take(pa.array(used))
    return pa.DictionaryArray.from_arrays(pa.array(new, pa.int32(), mask=new < 0), values)


def _single(column: pa.ChunkedArray) -> pa.DictionaryArray:
    whole = column.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        return whole.chunk(0) if whole.num_chunks else coded([], np.array([], np.int32))
    return whole


def equals(column: pa.DictionaryArray, value: str) -> np.ndarray:
    """Boolean mask of the rows that hold ``value``; False for null."""
    return np.array([*(name == value for name in column.dictionary.to_pylist()), False])[indices(column)]
