"""A BERT tokenizer's folder as others write it."""

import json
from pathlib import Path
from typing import Any

import pytest
from foreign_folder import BERT, PIECES, Make, lines


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a folder: config.json of a BERT and vocab.txt, with files replaced; None leaves one out."""

    def write(changes: dict[str, Any] | None = None, model: str | None = "bert", **config: Any) -> Path:
        folder = tmp_path / "foreign"
        folder.mkdir()
        contents: dict[str, Any] = {"vocab.txt": lines(PIECES), "tokenizer_config.json": BERT, **(changes or {})}
        if model:
            contents["config.json"] = {"model_type": model, **config}
        for name, content in contents.items():
            if content is not None:
                text = content if isinstance(content, str | bytes) else json.dumps(content, ensure_ascii=False)
                (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return folder

    return write
