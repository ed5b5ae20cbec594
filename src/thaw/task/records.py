"""JSON files to rows: an object a line, a list of records, SQuAD's articles.

A .json file is SQuAD's nested JSON ({"data": [{"paragraphs": [{"context", "qas"}]}]}), a list of records, such a list
under "data", or an object a line under another suffix than .jsonl. What is none of these is refused by what it is.
Half a character, which JSON's escapes may hold, becomes U+FFFD.
"""

import json
from pathlib import Path
from typing import Any

from thaw.errors import DataError
from thaw.task.table import Table, offend
from thaw.text.half import whole

WANTED = "give SQuAD's articles, a list of records, or an object a line in a .jsonl"
SPLIT = "it is a table with its columns apart (pandas' orient='split'), which orient='records' writes by records"
Rows = list[tuple[int, dict[str, Any]]]


def json_lines(path: Path, text: str) -> Table:
    """Return the rows of a file with an object a line; DataError with the first lines that are none."""
    rows: Rows = []
    bad = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = _loaded(line)
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict):
            rows.append((number, row))
        else:
            bad.append(number)
    if bad:
        raise offend(str(path), "not a JSON object", bad, 'write one {"text": ..., "label": ...} a line')
    return Table(where=str(path), rows=rows)


def json_table(path: Path, text: str) -> Table:
    """Return the rows of a .json file; their numbers count records or questions, from 1."""
    try:
        content = _loaded(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and text.lstrip().startswith("{") and "\n" in text.strip():
            return json_lines(path, text)
        raise DataError(f"not JSON, {path}: {error}; {WANTED}") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"not JSON that can be read, {path}: {error}; {WANTED}") from None
    if isinstance(content, list):
        return _records(path, content)
    if not isinstance(content, dict) or not isinstance(content.get("data"), list):
        raise DataError(f"not SQuAD JSON and no list of records, {path}: {_described(content)}; {WANTED}")
    data = content["data"]
    if not data:
        raise DataError(f"no questions and no records, {path}: data is empty; {WANTED}")
    nested = any(isinstance(one, dict) and "paragraphs" in one for one in data)
    if not nested and all(isinstance(one, dict) and one for one in data):
        return _records(path, data)
    if isinstance(content.get("columns"), list) and all(isinstance(one, list) for one in data):
        raise DataError(f"not SQuAD JSON and no list of records, {path}: {SPLIT}; {WANTED}")
    return _squad(path, data)


def _loaded(text: str) -> Any:
    return _mended(json.loads(text, parse_constant=_constant))


def _constant(name: str) -> Any:
    return None if name == "NaN" else float(name)  # a NaN cell is a missing one


def _mended(value: Any) -> Any:
    """Return a JSON value without half characters."""
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, list):
        return [_mended(one) for one in value]
    return {_mended(key): _mended(one) for key, one in value.items()} if isinstance(value, dict) else value


def _described(content: Any) -> str:
    """Return what a JSON value is that holds no rows."""
    if not isinstance(content, dict):
        return f"it is {json.dumps(content, ensure_ascii=False)[:40]}"
    if content and all(isinstance(one, dict | list) for one in content.values()):
        lengths = {len(one) for one in content.values()}
        if len(content) > 1 and len(lengths) == 1 and not all(_are_records(one) for one in content.values()):
            return "it is a table by columns, which pandas writes by records with orient='records'"
    return f"an object with the keys {', '.join(map(str, content))[:100]} and no list under 'data'"


def _are_records(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _records(path: Path, content: list[Any]) -> Table:
    if not content:
        raise DataError(f"not SQuAD JSON and no list of records, {path}: the list is empty; {WANTED}")
    bad = [number for number, one in enumerate(content, 1) if not isinstance(one, dict)]
    if bad:
        raise offend(str(path), "not a JSON object", bad, 'write [{"text": ..., "label": ...}, ...]', "record")
    return Table(where=str(path), rows=list(enumerate(content, 1)), noun="record")


def _squad(path: Path, articles: list[Any]) -> Table:
    """SQuAD's nested JSON to rows, a question each; its answers stay as they stand."""
    try:
        rows = [
            {
                "question": question["question"],
                "context": paragraph["context"],
                "answers": question.get("answers"),
                "id": question.get("id"),
                "title": article.get("title"),
            }
            for article in articles
            for paragraph in article["paragraphs"]
            for question in paragraph["qas"]
        ]
    except (KeyError, TypeError, AttributeError) as error:
        what = f"no {error}" if isinstance(error, KeyError) else "data, paragraphs or qas is no list of objects"
        raise DataError(f"not SQuAD JSON, {path}: {what}; {WANTED}") from None
    if not rows:
        raise DataError(f"no questions, {path}: no paragraph has any; give it SQuAD's articles")
    return Table(where=str(path), rows=list(enumerate(rows, 1)), noun="question")
