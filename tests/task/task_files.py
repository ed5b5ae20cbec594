"""Task files for tests, and the config that reads them."""

import json
from pathlib import Path

from thaw.task.task import Kind, TaskConfig


def make_task(kind: str, path: Path | None = None, **fields) -> TaskConfig:
    return TaskConfig(name="mine", kind=Kind[kind], path=None if path is None else str(path), **fields)


def write_rows(path: Path, rows: list[dict]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def write_squad(path: Path, articles: dict[str, list[tuple[str, list[tuple[str, str]]]]]) -> Path:
    """``articles``: title -> [(context, [(question, answer)])]; answers are found at their first place."""
    data, number = [], 0
    for title, paragraphs in articles.items():
        made = []
        for context, pairs in paragraphs:
            questions = []
            for question, answer in pairs:
                number += 1
                answers = [{"text": answer, "answer_start": context.index(answer)}]
                questions.append({"id": f"q{number}", "question": question, "answers": answers})
            made.append({"context": context, "qas": questions})
        data.append({"title": title, "paragraphs": made})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"data": data}), "utf-8")
    return path
