"""A user's mistake: exit code 2, one line on stderr, before any data is read; in a sweep before the first job."""

from pathlib import Path

import pytest

from thaw.cli.main import main

BASE = ["transfer", "--cfg", "job", "wandb=disabled"]
TREC = [*BASE, "task=trec", "checkpoint=somewhere"]

CASES = [
    (BASE, "missing choice: task=..., valid: ag_news, "),
    ([*BASE, "task=trek", "checkpoint=x"], "unknown choice 'task=trek', did you mean 'trec'?"),
    ([*TREC, "strategy=ful"], "unknown choice 'strategy=ful', did you mean 'full'?"),
    ([*TREC, "trainer=tpu"], "unknown choice 'trainer=tpu'"),
    ([*TREC, "strategy.dropot=0.3"], "unknown key 'strategy.dropot', did you mean 'strategy.dropout'?"),
    ([*TREC, "strategy=frozen", "strategy.decay=2"], "'strategy.decay', which this choice of strategy does not have"),
    ([*TREC, "optim.lrr=1"], "unknown key 'optim.lrr', did you mean 'optim.lr'?"),
    ([*TREC, "lr=1e-3"], "unknown key 'lr', did you mean 'optim.lr'?"),
    ([*TREC, "+foo=1"], "unknown key 'foo', valid: "),
    ([*TREC, "+optim.foo=1"], "unknown key 'optim.foo'"),
    ([*TREC, "+task.foo=1"], "unknown key 'task.foo'"),
    ([*TREC, "optim.lr=abc"], "wrong type: optim.lr: Value 'abc'"),
    ([*TREC, "seed=1.5"], "wrong type: seed: Value '1.5'"),
    ([*TREC, "task.kind=class"], "wrong type: task.kind: Invalid value 'class', expected one of [classes, "),
    ([*TREC, "task.labels=3"], "wrong type: task.labels"),
    ([*TREC, "optim.lr=0"], "out of range: optim.lr=0.0 must be greater than 0"),
    ([*TREC, "optim.lr=-1"], "out of range: optim.lr=-1.0 must be greater than 0"),
    ([*TREC, "strategy.dropout=1"], "out of range: strategy.dropout=1.0 must be less than 1"),
    ([*TREC, "steps=-1"], "out of range: steps=-1 must be at least 1"),
    ([*TREC, "data.batch_size=0"], "out of range: data.batch_size=0 must be at least 1"),
    ([*TREC, "data.train_size=few"], "data.train_size=few must be a positive number or one of: all"),
    ([*TREC, "trainer.precision=bf16"], "trainer.precision=bf16 must be one of 32-true, "),
    ([*TREC, "task.metric=pearson"], "task.metric=pearson "),
    ([*TREC, "encoder=tiny", "encoder.hidden=30", "encoder.heads=4"], "encoder.hidden=30 must be a multiple"),
    ([*TREC, "encoder.layers=3"], "encoder is null, choose one first: encoder=..., valid: base, "),
    ([*TREC, "name=../x"], "name=../x must be a folder name"),
    ([*TREC, "name=/tmp/x"], "name=/tmp/x must be a folder name"),
    ([*TREC, "name=${nope}"], "Interpolation key 'nope' not found"),
    ([*TREC, "task=null"], "missing value: task"),
    ([*BASE, "task=trec"], "strategy=full starts from a checkpoint, set checkpoint=FOLDER"),
    ([*BASE, "task=trec", "strategy=scratch"], "strategy=scratch needs an architecture"),
    ([*BASE, "task=files", "checkpoint=x"], "missing value: task.kind"),
    ([*BASE, "task=files", "task.kind=classes", "checkpoint=x"], "task=files has no data, set task.path=DIR"),
    ([*TREC, "seed=1,2"], "'seed=1,2' has several values, add -m"),
    ([*TREC, "seed"], "'seed' is not key=value"),
    ([*TREC, "=3"], "'=3' is not key=value"),
    ([*TREC, "task.path=a[b"], "'task.path=a[b' is not key=value"),
    ([*TREC, "--nope"], "unrecognized arguments: --nope"),
    ([*TREC, "study=nope"], "unknown study 'nope'"),
    ([*TREC, "--config-dir", "/nope"], "--config-dir /nope is not a folder"),
    ([*TREC, "-m", "seed=1,2", "optim.lr=1e-3,0"], "optim.lr=0.0 must be greater than 0 (in seed=1 optim.lr=0)"),
    (
        [*TREC, "-m", "strategy=full,frozn"],
        "did you mean 'frozen'? (in strategy=frozn)",
    ),
    ([*TREC, "-m", "strategy=full,frozen", "strategy.decay=1,2"], "(in strategy=frozen strategy.decay=1)"),
    ([*TREC, "-m", "optim.lr=interval(0,1)"], "does not support sweep type"),
    (["pretrain", "--cfg", "job"], "missing choice: corpus=..., valid: "),
    (["pretrain", "--cfg", "job", "corpus=files"], "corpus=files has no text, set corpus.paths=[FILE,...]"),
    (["pretrain", "--cfg", "job", "corpus=files", "corpus.paths=[a]", "budget=10x"], "budget=10x is not a budget"),
    (["pretrain", "--cfg", "job", "corpus=files", "corpus.paths=[a]", "save_at=[0,x]"], "save_at=x is not a number"),
    (["pretrain", "--cfg", "job", "corpus=files", "corpus.paths=[a]", "data.length=1024"], "longer than"),
    (
        ["pretrain", "--cfg", "job", "corpus=files", "corpus.paths=[a]", "budget=2000", "eval_every=2m"],
        "eval_every=2m is a time, budget=2000 is not",
    ),
    (
        ["pretrain", "--cfg", "job", "corpus=files", "corpus.paths=[a]", "trainer.num_nodes=2", "budget=2m"],
        "which machines would measure apart",
    ),
    ([*TREC, "task=squad", "task.path=x", "strategy=tfidf"], "strategy=tfidf does not apply to task.kind=span"),
    ([*TREC, "-m", "task=squad", "task.path=x", "strategy=tfidf,majority"], "no run is left: strategy=tfidf does not"),
    ([*TREC, "task.path=x", "encoder=mini"], "encoder=… is for runs without a checkpoint, drop it or checkpoint=some"),
    ([*TREC, "task.path=x", "tokenizer=bpe"], "tokenizer=… is for runs without a checkpoint"),
    ([*TREC, "trainer.strategy=dpp"], "trainer.strategy=dpp must be one of auto, ddp"),
    ([*TREC, "cache.limit=inf"], "cache.limit=inf must be at most"),
    (
        ["pretrain", "--cfg", "job", "corpus=files", "corpus.paths=[a]", "piece_vectors=count"],
        "piece_vectors=count must be one of random, counts",
    ),
    (
        ["pretrain", "--cfg", "job", "corpus=files", "corpus.paths=[a]", "piece_vectors=counts", "checkpoint=x"],
        "piece_vectors=counts are for a new encoder",
    ),
    (["tokenizer", "--cfg", "job", "corpus=files", "corpus.paths=[a]", "tokenizer.vocab_size=1"], "at least 6"),
    (["transfr"], "unknown command 'transfr', did you mean 'transfer'?"),
]

BAD_YAML = {
    "typo": (
        "name: x\nkind: classes\nstrde: 4\n",
        "key 'task.strde' in task/typo.yaml, did you mean 'task.stride'?",
    ),
    "type": ("name: x\nkind: classes\nstride: wide\n", "task.stride"),
    "indent": ("name: x\n kind: y\n", "indent.yaml:2: mapping values are not allowed here"),
    "twice": ("name: x\nname: y\nkind: classes\n", "twice.yaml:2: found duplicate key name"),
    "empty": ("", "missing value: task.name"),
    "interpolation": ("name: x\nkind: ${nope}\n", "task.kind: Interpolation key 'nope' not found"),
    "data": ("name: x\nkind: classes\n", "task=x has no data"),
    "schema": ("defaults: [_schma, _self_]\nname: x\nkind: classes\n", "task/_schma"),
    "target": ("_target_: os.system\nname: x\nkind: classes\n", "unknown key 'task._target_'"),
}


def refusal(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    assert "Traceback" not in shown.err
    return shown.err


@pytest.mark.parametrize(("words", "expected"), CASES, ids=[" ".join(words[-2:]) for words, _ in CASES])
def test_refused(words: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    line = refusal(words, capsys)
    assert expected in line
    assert len(line) <= 500


@pytest.mark.parametrize("name", sorted(BAD_YAML))
def test_bad_yaml_of_a_user(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, expected = BAD_YAML[name]
    (tmp_path / "task").mkdir()
    (tmp_path / "task" / f"{name}.yaml").write_text(text)
    assert expected in refusal([*BASE, "checkpoint=x", "--config-dir", str(tmp_path), f"task={name}"], capsys)


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TREC, "optim.lr=0", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_traceback_holds_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TREC, "hydra.env.HF_TOKEN=abcdefghij12345", "--debug"]) == 2
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "hydra.env.HF_TOKEN" in shown
    assert "abcdefghij12345" not in shown


def test_nor_does_one_of_a_job(
    task_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (task_folder / "dev.jsonl").write_text('{"text": "a", "api_key=abcdefghij12345": 1}\n')
    words = ["transfer", "task=files", f"task.path={task_folder}", "task.kind=classes", "strategy=majority"]
    assert main([*words, "wandb=disabled", "-m", "seed=1,2", "--debug"]) == 1
    captured = capfd.readouterr()
    assert "Traceback" in captured.err
    assert "[redacted]" in captured.err
    assert "abcdefghij12345" not in captured.out + captured.err
