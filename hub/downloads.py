"""A table as a file to take away: CSV, Excel or Parquet, and what must be known of it beside it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils.exceptions import IllegalCharacterError

from hub.parameters import whole
from hub.sql import plain

MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
    "json": "application/json",
}
# What a spreadsheet would run as a formula.
_FORMULA = re.compile(r"^[=+\-@\t\r]")


class NoPlace(Exception):
    """A value that the format cannot hold; the message says what to do."""


class TooMuch(Exception):
    """More rows than the format takes; the message says what to do."""


def packed(table: pa.Table, kind: str, about: dict[str, Any]) -> bytes:
    """The table as a file of a kind of MEDIA. `about` goes in as a sheet or as metadata where the format has a place for it.

    Raises TooMuch, and NoPlace where a query made values that the format has none for: intervals, say, or endless dates.
    """
    with or_no_place(kind):
        return _KINDS[kind](table, about)


@contextmanager
def or_no_place(kind: str) -> Iterator[None]:
    """Raises NoPlace for whatever a library says of a value that it cannot write. Not what it says: that may quote the value."""
    try:
        yield
    except (pa.ArrowException, IllegalCharacterError, OverflowError, TypeError, ValueError) as error:
        raise NoPlace(
            f"{kind} has no place for a value of this answer ({type(error).__name__}); make a text of its column: CAST(... AS VARCHAR)"
        ) from None


def csv_by_batch(batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    """CSV of a result of any size, a batch in memory at a time."""
    for no, batch in enumerate(batches):
        sink = io.BytesIO()
        options = pa_csv.WriteOptions(include_header=no == 0)
        pa_csv.write_csv(_harmless(pa.Table.from_batches([batch])), sink, options)
        yield sink.getvalue()


def parquet_by_batch(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, about: dict[str, Any]
) -> Iterator[bytes]:
    """Parquet of a result of any size, a row group a batch. `about` goes in as metadata."""
    sink = _Passing()
    with pq.ParquetWriter(sink, schema.with_metadata(_metadata(about)), compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)
            yield sink.taken()
    yield sink.taken()


def with_columns(table: pa.Table, said: Mapping[str, Any]) -> pa.Table:
    """The table with columns that have one value throughout."""
    for name, value in said.items():
        table = table.append_column(name, pa.repeat(value, table.num_rows))
    return table


class _Passing(io.RawIOBase):
    """A file that is written and handed on piece by piece."""

    def __init__(self) -> None:
        self._held, self._at = bytearray(), 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self._held += data
        self._at += size
        return size

    def taken(self) -> bytes:
        held, self._held = bytes(self._held), bytearray()
        return held


def _metadata(about: dict[str, Any]) -> dict[bytes, bytes]:
    return {b"vawg": json.dumps(about, ensure_ascii=False, default=str).encode()}


def _csv(table: pa.Table, about: dict[str, Any]) -> bytes:
    sink = io.BytesIO()
    pa_csv.write_csv(_harmless(table), sink)
    return sink.getvalue()


def _parquet(table: pa.Table, about: dict[str, Any]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(_metadata(about)), sink, compression="zstd")
    return sink.getvalue()


def _arrow(table: pa.Table, about: dict[str, Any]) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _json(table: pa.Table, about: dict[str, Any]) -> bytes:
    rows = [{name: plain(value) for name, value in row.items()} for row in table.to_pylist()]
    return json.dumps({"about": about, "rows": rows}, ensure_ascii=False, default=str).encode()


def _xlsx(table: pa.Table, about: dict[str, Any]) -> bytes:
    if table.num_rows > whole("excel_rows"):
        raise TooMuch(
            f"a workbook takes {whole('excel_rows'):,} rows and these are {table.num_rows:,}; choose less, or CSV or Parquet"
        )
    book = Workbook(write_only=True)
    sheet = book.create_sheet("data")
    sheet.append(list(table.column_names))
    for row in table.to_pylist():
        sheet.append([_cell(sheet, value) for value in row.values()])
    told = book.create_sheet("about")
    for name, value in about.items():
        told.append([name, _cell(told, value if isinstance(value, str) else json.dumps(value, default=str))])
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def _cell(sheet: Any, value: Any) -> Any:
    if not isinstance(value, (str, list, dict)):
        return value
    text = value if isinstance(value, str) else json.dumps(plain(value))
    # A workbook takes no control characters.
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", text))
    # As text, whatever it begins with.
    cell.data_type = "s"
    return cell


def _harmless(table: pa.Table) -> pa.Table:
    """Texts that a spreadsheet would run are quoted; lists become JSON."""
    columns = []
    for column in table.columns:
        if pa.types.is_nested(column.type):
            column = pa.array(
                [None if v is None else json.dumps(plain(v)) for v in column.to_pylist()], pa.string()
            )
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            column = pc.replace_substring_regex(column, _FORMULA.pattern.replace("^(", "("), r"'\0")
        columns.append(column)
    return pa.table(columns, names=table.column_names)


_KINDS = {"csv": _csv, "xlsx": _xlsx, "parquet": _parquet, "arrow": _arrow, "json": _json}
