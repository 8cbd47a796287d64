"""Columns of text as dictionary arrays: everything works on their unique values, so that reading millions of rows costs
little more than the file itself."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def single(column: pa.ChunkedArray | pa.Array) -> pa.DictionaryArray:
    """A text column as one dictionary array with int32 codes, each value once; nulls stay."""
    if isinstance(column, pa.ChunkedArray):
        column = (column.unify_dictionaries() if pa.types.is_dictionary(column.type) else column).combine_chunks()
    return column if pa.types.is_dictionary(column.type) else column.cast(pa.string()).dictionary_encode()


def encoded(column: pa.ChunkedArray | pa.Array) -> pa.DictionaryArray:
    """The same, with "" for null."""
    whole = single(column)
    if whole.null_count or whole.dictionary.null_count:
        return pc.fill_null(whole.cast(pa.string()), "").dictionary_encode()
    return whole


def indices(column: pa.DictionaryArray, missing: int = -1) -> np.ndarray:
    """The codes of a dictionary array (int32, shape (rows,)), ``missing`` for null."""
    found = column.indices.fill_null(missing) if column.null_count else column.indices
    return found.to_numpy(zero_copy_only=False)


def codes(column: pa.ChunkedArray | pa.Array) -> tuple[np.ndarray, list]:
    """Dictionary codes of a column (int32, shape (rows,), -1 for null) and the dictionary's values."""
    whole = single(column)
    return indices(whole), whole.dictionary.to_pylist()


def translated(column: pa.DictionaryArray, function: Callable[[str], str | None]) -> pa.DictionaryArray:
    """``function`` applied to each unique value; equal results share one code, None becomes null."""
    return coded([function(value) for value in column.dictionary.to_pylist()], indices(column))


def matching(column: pa.DictionaryArray, test: Callable[[str], bool]) -> np.ndarray:
    """Boolean mask of the rows whose value passes ``test``, asked once a unique value."""
    return np.array([test(value) for value in column.dictionary.to_pylist()] or [False], bool)[indices(column)]


def coded(values: Iterable[str | None] | pa.Array, codes: np.ndarray) -> pa.DictionaryArray:
    """Dictionary array that holds ``values[code]`` for every code, each value once; -1 and None become null."""
    unique = pa.array(values, pa.string()).dictionary_encode()
    return _with_dictionary(np.append(indices(unique), np.int32(-1))[codes], unique.dictionary)


def _with_dictionary(codes: np.ndarray, values: pa.Array) -> pa.DictionaryArray:
    """Dictionary array of ``values``; -1 becomes null."""
    null = codes < 0
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32(), mask=null if null.any() else None), values)


def positions(values: pa.Array | pa.ChunkedArray | Sequence[str], names: Sequence[str]) -> np.ndarray:
    """The index in ``names`` of each of ``values``, -1 where it is not there: integers, shape (values,)."""
    values = values if isinstance(values, (pa.Array, pa.ChunkedArray)) else pa.array(values, pa.string())
    return pc.index_in(values, value_set=pa.array(names, pa.string())).fill_null(-1).to_numpy(zero_copy_only=False)


def row_positions(
    column: pa.ChunkedArray | pa.Array, names: Sequence[str], translate: Callable[[pa.Array], pa.Array] | None = None
) -> np.ndarray:
    """``positions`` of each row of a text column, shape (rows,), after ``translate`` of the unique values.

    Each unique value is looked up once, so that millions of rows stay cheap."""
    whole = single(column)
    values = translate(whole.dictionary) if translate else whole.dictionary
    return np.append(positions(values, names), np.int32(-1))[indices(whole)]


def filled(column: pa.Array, places: np.ndarray, values: pa.Array) -> pa.Array:
    """``column`` with ``values`` at ``places``."""
    where = np.arange(len(column))
    where[places] = len(column) + np.arange(len(places))
    return pa.concat_arrays([column, values]).take(pa.array(where))


def compacted(table: pa.Table) -> pa.Table:
    """``table`` in one chunk, its text columns as dictionary arrays that hold only what its rows use."""
    columns = [used(single(column)) if _is_text(column) else column.combine_chunks() for column in table.columns]
    return pa.Table.from_arrays(columns, names=table.column_names)


def _is_text(column: pa.ChunkedArray) -> bool:
    return pa.types.is_dictionary(column.type) or pa.types.is_string(column.type)


def used(column: pa.DictionaryArray) -> pa.DictionaryArray:
    """The same rows, with only the values that they use."""
    codes, size = indices(column), len(column.dictionary)
    seen = np.zeros(size + 1, bool)
    seen[codes] = True  # A null's -1 marks the place behind the last value.
    if seen[:size].all():
        return column
    place = np.append(np.cumsum(seen[:size], dtype=np.int32) - 1, np.int32(-1))
    return _with_dictionary(place[codes], column.dictionary.filter(pa.array(seen[:size])))


def equals(column: pa.DictionaryArray, value: str) -> np.ndarray:
    """Boolean mask of the rows that hold ``value``; False for null."""
    return np.array([*(name == value for name in column.dictionary.to_pylist()), False])[indices(column)]


def distinct(keys: np.ndarray) -> np.ndarray:
    """The distinct values of an integer array, in order. ``np.unique`` hashes, which takes ten times as long."""
    ordered = np.sort(keys)
    return ordered[np.diff(ordered, prepend=ordered[:1] - 1) != 0]


def with_column(table: pa.Table, name: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    """``table`` with other ``values`` in its column ``name``, wherever it is. Raises ``KeyError`` if there is none."""
    at = table.schema.get_field_index(name)
    if at < 0:
        raise KeyError(name)
    return table.set_column(at, name, values)
