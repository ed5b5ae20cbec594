"""What do Lightning, our callbacks and the data path cost a pretraining step, beside a bare loop with the same model?

The bare loop computes the same batches with the same module: forward, backward, clipping, optimizer. Both run in this
process by turns; the data path (reading ids, masking, making tensors) is timed on its own. Targets: Lightning at most
3 % of a step, the data path at most 2 %.
"""

import copy
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from bench import inputs, mlm
from bench.measure import interleaved, median, options, show, told_half, write

from thaw import build
from thaw.objective.mlm import MLMHead


def bare(module: Any, train: Any, steps: int, half: bool) -> Callable[[], float]:
    """Return what measures the median seconds of a step of a plain loop."""
    optimizer = module.configure_optimizers()

    def measure() -> float:
        module.train()
        ends = [time.perf_counter()]
        for step in range(steps):
            for batch in train.step(step):
                with torch.autocast("cpu", torch.bfloat16, enabled=half):
                    loss = module.loss(batch)
                loss.backward()
            torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            ends.append(time.perf_counter())
        return float(np.median(np.diff(ends)[mlm.SKIPPED - 1 :]))

    return measure


def data_path(train: Any, steps: int) -> Callable[[], float]:
    """Return what measures the seconds of making a step's batch."""

    def measure() -> float:
        times = []
        for step in range(steps):
            begun = time.perf_counter()
            train.step(step)
            times.append(time.perf_counter() - begun)
        return median(times)

    return measure


def main() -> None:
    """Measure, print, write."""
    parser = options(__doc__.splitlines()[0])
    mlm.add(parser)
    given = parser.parse_args()
    half = told_half()
    words = inputs.overrides(given)
    precision = {"trainer__precision": "bf16-mixed" if half else "32-true"}
    steps, tokens = (10 if given.quick else 50), 32 * 128
    lightning = mlm.ours(given.encoder, words, steps, given.threads, **precision)
    config = mlm.settings(given.encoder, words, trainer__threads=given.threads, **precision)
    build.use_threads(config.trainer)
    tokenizer, train, _ = mlm.blocks(config)
    encoder = build.encoder(config.encoder, tokenizer.vocab_size, 0)
    head = MLMHead(encoder.config, encoder.vocab_size, encoder.word_weight)
    module = mlm.module(encoder, head, config, train)
    values = interleaved(
        {
            "bare loop": bare(module, train, steps, half),
            "thaw (Lightning)": lambda: tokens / lightning()[0],
            "data path": data_path(copy.copy(train), steps),
        },
        given.rounds or (2 if given.quick else 7),
    )
    plain = median(values["bare loop"])
    ratios = [ours / theirs for ours, theirs in zip(values["thaw (Lightning)"], values["bare loop"], strict=True)]
    rows = [{"": name, "ms a step": 1000 * median(times), "of a bare step": median(times) / plain}
            for name, times in values.items()]  # fmt: skip
    rows.append(
        {"": "Lightning and callbacks, median of turns", "ms a step": None, "of a bare step": median(ratios) - 1}
    )
    show(f"one step of {given.encoder}, 32 x 128, {'bfloat16' if half else 'float32'}, {given.threads} threads", rows)
    write(given, "overhead", vars(given), rows=rows, turns=values)


if __name__ == "__main__":
    main()
