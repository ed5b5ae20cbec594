"""How long does Thaw need to the validation loss that Hugging Face `Trainer` reaches in a budget, its settings tuned?

The same encoder (mini), text, tokenizer, block length and validation (held-out documents, 15 % masked, the same places,
full vocabulary). Speeds are measured first, side by side; then every arm gets the optimizer steps that fit its seconds
at its speed, so that what else the machine does meanwhile changes nothing. All compute in bfloat16 where that pays
(`bench.measure.half_pays`), else in float32. The rival has batches of 32; its learning rate, then its dropout are tuned
on a short budget, the best setting gets the long one (linear decay, 10 % warm-up in all). Thaw runs `thaw pretrain`
with the quick beginning of the README, and with AdamW from BERT's beginning, a few seeds each. Every arm is kept in a
file of its own: the same command goes on.
"""

import argparse
import contextlib
import io
import itertools
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
from bench import inputs, mlm
from bench.measure import half_pays, interleaved, median, options, progress, show, told_half, write
from bench.turns import Contestant

SHARED = {
    "trainer__precision": "bf16-mixed" if half_pays() else "32-true",
    "objective__rate": 0.3,
    "data__batch_size": 16,
}
OURS: dict[str, dict[str, Any]] = {
    "thaw quick beginning": SHARED
    | {"optim": "muon", "optim__embeddings": 0.25, "encoder__init": "local", "piece_vectors": "counts"},
    "thaw AdamW": SHARED | {"optim__lr": 2e-3},
}
EVALUATIONS = 12  # of a run of ours, evenly spaced; a third of them of the rival, whose validation is slow
RATES = (5e-4, 1e-3, 2e-3)  # of the rival


def arms(given: argparse.Namespace) -> list[str]:
    """Return our contestants."""
    return list(OURS)[: 1 if given.quick else None]


def evaluations(given: argparse.Namespace) -> int:
    """Return how often a run of ours is validated."""
    return 3 if given.quick else EVALUATIONS


def folder(given: argparse.Namespace) -> Path:
    """Return where the arms are kept."""
    return Path(given.out) / ("loss.quick" if given.quick else "loss")


def fast_rival(dropout: float) -> dict[str, Any]:
    """Return the rival's settings that do not learn: the faster precision and a dropout."""
    return {"bf16": half_pays(), "model": {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}}


def speeds(given: argparse.Namespace, words: list[str]) -> dict[str, float]:
    """Return the tokens a second of every kind of arm, measured by turns."""
    mlm.prepare(words)
    shared = {"encoder": "mini", "words": words, "threads": given.threads}
    steps = 8 if given.quick else 25
    makers = {name: Contestant(mlm.ours, steps=steps, **shared, **OURS[name]) for name in arms(given)}
    for dropout in (0.1,) if given.quick else (0.0, 0.1):
        arguments = {"steps": 6 if given.quick else 8, **shared, **fast_rival(dropout)}
        makers[f"Trainer dropout {dropout}"] = Contestant(mlm.hugging_face, **arguments)
    found = interleaved(makers, given.rounds or (1 if given.quick else 5))
    for maker in makers.values():
        maker.close()
    return {name: median(values) for name, values in found.items()}


def run_ours(given: argparse.Namespace, words: list[str], name: str, seconds: float, speed: float, seed: int) -> Any:
    """Run `thaw pretrain` for ``seconds`` at ``speed``; return (seconds, loss, bits a byte) of its validations."""
    from thaw import run

    config = mlm.settings("mini", words, seed=seed, trainer__threads=given.threads, **OURS[name])
    tokens = config.data.batch_size * config.data.length
    config.budget = str(max(4, int(seconds * speed / tokens)))
    config.eval_every = str(max(1, int(config.budget) // evaluations(given)))
    config.runs, config.name, config.trainer.progress = str(given.out / "work"), f"loss-{name}".replace(" ", "_"), False
    run.pretrain(config)
    events = (run.run_folder(config) / "metrics.jsonl").read_text().splitlines()
    scored = [event for event in map(json.loads, events) if "dev/loss" in event]
    begun = counting_seconds(scored, given.threads)
    return [(begun + e["step"] * tokens / speed, e["dev/loss"], e["dev/bits_per_byte"]) for e in scored]


def counting_seconds(scored: list[dict[str, Any]], threads: int) -> float:
    """Return what was spent before the first step (counting pieces), which is on the training clock."""
    return float(scored[0]["cpu_seconds" if threads == 1 else "seconds"])


def run_rival(
    given: argparse.Namespace, words: list[str], seconds: float, speed: float, lr: float, dropout: float, seed: int
) -> Any:
    """Run Trainer for ``seconds`` at ``speed``; return (seconds, loss, bits a byte) of its validations."""
    import torch
    import transformers

    transformers.set_seed(seed)
    config = mlm.settings("mini", words)
    steps = max(4, int(seconds * speed / (config.data.batch_size * config.data.length)))
    arguments = {
        "learning_rate": lr,
        "max_steps": steps,
        "warmup_steps": steps // 10,
        "seed": seed,
        "logging_steps": 10**6,
    }
    trainer, tokens = mlm.rival("mini", words, given.threads, **fast_rival(dropout), **arguments)
    validation = mlm.blocks(config)[2]
    curve: list[tuple[float, float, float]] = []

    class Evaluate(transformers.TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step % max(1, steps // max(1, evaluations(given) // 3)) == 0 or state.global_step == steps:
                found = rival_loss(trainer.model, validation, torch)
                curve.append((state.global_step * tokens / speed, *found))

    trainer.add_callback(Evaluate())
    with contextlib.redirect_stdout(io.StringIO()):  # it prints what it logs
        trainer.train()
    return curve


def rival_loss(model: Any, validation: Any, torch: Any) -> tuple[float, float]:
    """Return loss and bits a byte of a BertForMaskedLM on our validation, computed as ours is."""
    source, total, count = validation.source, 0.0, 0
    model.eval()
    with torch.no_grad():
        for first in range(0, len(source.blocks), validation.size):
            numbers = np.arange(first, min(first + validation.size, len(source.blocks)))
            ids, valid, _ = source.blocks.get(numbers)
            inputs_, positions, targets = source.masked(ids, valid, numbers, 0, 0)
            logits = model(input_ids=torch.from_numpy(inputs_), attention_mask=torch.from_numpy(valid).long()).logits
            picked = logits.flatten(0, 1)[torch.from_numpy(positions)].float()
            total += float(torch.nn.functional.cross_entropy(picked, torch.from_numpy(targets), reduction="sum"))
            count += len(targets)
    model.train()
    mean = total / count
    return mean, mean / math.log(2) * validation.text_tokens / validation.text_bytes


def kept(folder: Path, name: str, make: Any) -> Any:
    """Return the curve of an arm, from its file where an earlier call has run it."""
    path = folder / f"{name.replace(' ', '_')}.json"
    if not path.exists():
        begun = time.perf_counter()
        made = make()
        path.write_text(json.dumps(made))
        progress(f"{name}: loss {made[-1][1]:.3f}, {made[-1][2]:.3f} bits a byte ({time.perf_counter() - begun:.0f} s)")
    return json.loads(path.read_text())


def tuned(
    given: argparse.Namespace, words: list[str], seconds: float, speed: dict[str, float], curves: dict[str, Any]
) -> tuple[float, float]:
    """Return the rival's best rate at its own dropout, and whether it is better without; trials go into ``curves``."""

    def trial(lr: float, dropout: float) -> float:
        name = f"tune Trainer lr {lr:g} dropout {dropout}"
        made = kept(
            folder(given), name,
            lambda: run_rival(given, words, seconds, speed[f"Trainer dropout {dropout}"], lr, dropout, 1),
        )  # fmt: skip
        curves[name] = made
        return float(made[-1][1])

    with_dropout = {lr: trial(lr, 0.1) for lr in ((1e-3,) if given.quick else RATES)}
    lr = min(with_dropout, key=with_dropout.__getitem__)
    return lr, 0.1 if given.quick or with_dropout[lr] <= trial(lr, 0.0) else 0.0


def reached(curve: list[list[float]], target: float) -> float | None:
    """Return the seconds at which a curve crosses a loss, between two validations on a straight line."""
    for (start, before, _), (end, after, _) in itertools.pairwise(curve):
        if after <= target:
            return end if before <= after else start + (end - start) * (before - target) / (before - after)
    return None


def main() -> None:
    """Measure, print, write."""
    parser = options(__doc__.splitlines()[0])
    inputs.add(parser)
    parser.add_argument("--threads", type=int, default=2, help="1: seconds of one core, whatever else runs")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--minutes", type=float, nargs=3, metavar=("TUNE", "RIVAL", "OURS"), default=None)
    given = parser.parse_args()
    told_half()
    tune, long, short = [60 * m for m in given.minutes or ((0.05, 0.2, 0.15) if given.quick else (5, 20, 2))]
    words = inputs.overrides(given) + ["data.max_held_out=30000"] * given.quick
    folder(given).mkdir(parents=True, exist_ok=True)
    path = folder(given) / "speeds.json"
    if not path.exists():
        path.write_text(json.dumps(speeds(given, words)))
    speed = json.loads(path.read_text())
    curves: dict[str, Any] = {}
    lr, dropout = tuned(given, words, tune, speed, curves)
    for name in arms(given):
        for seed in range(1, 1 + (1 if given.quick else given.seeds)):
            curves[f"{name} seed {seed}"] = kept(
                folder(given),
                f"{name} seed {seed}",
                lambda n=name, s=seed: run_ours(given, words, n, short, speed[n], s),
            )
    name = f"Trainer lr {lr:g} dropout {dropout}, {long:g} s"
    curves[name] = kept(
        folder(given), name, lambda: run_rival(given, words, long, speed[f"Trainer dropout {dropout}"], lr, dropout, 2)
    )
    target = min(point[1] for point in curves[name])
    rows = []
    for arm, curve in curves.items():
        at = reached(curve, target)
        rows.append({"": arm, "seconds": curve[-1][0], "loss": curve[-1][1], "bits a byte": curve[-1][2],
                     f"seconds to loss {target:.2f}": at, "times faster": long / at if at else None})  # fmt: skip
    show("validation loss against training seconds, mini", rows)
    write(given, "loss", {**vars(given), "speeds": speed}, rows=rows, curves=curves)


if __name__ == "__main__":
    main()
