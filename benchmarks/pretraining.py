"""How many tokens a second does pretraining read, against Hugging Face `Trainer` and against the machine's peak?

Same blocks, batch (32 x 128), number of parameters and share of masked places (15 %). The rival as run_mlm.py sets it
up (float32, dropout 0.1), in bfloat16, and at its best (bfloat16, no dropout, compiled); where bfloat16 does not pay
(`bench.measure.half_pays`) all of it, the peak too, is float32. Contestants take turns, each in a process of its own; a
turn's value is the median of its steps without the first three. The peak is that of square products of 2048, measured
in the same turns.

FLOPs are useful ones: 3 x (L (8 D^2 + 4 D I + 4 T D) a token + (2 D^2 + 2 D V) a masked place), a multiply and an add
as two (`thaw.track.cost`); the rival's are counted the same, so that what it projects for nothing does not count.
"""

from typing import Any

from bench import inputs, mlm
from bench.measure import clock, half_pays, interleaved, median, options, show, spread, told_half, write
from bench.turns import Contestant

from thaw.track.cost import training_flops

FAST = "bf16" if half_pays() else "float32"
SHARED = {"objective__rate": 0.15, "data__batch_size": 32}
PLAIN = SHARED | {"trainer__precision": "32-true"}
HALF = SHARED | {"trainer__precision": "bf16-mixed"} if FAST == "bf16" else PLAIN
OURS: dict[str, dict[str, Any]] = {
    "thaw float32": PLAIN,
    f"thaw {FAST}": HALF,
    f"thaw {FAST} compiled": HALF | {"trainer__compile": "true"},
    f"thaw {FAST}, batch 128 as 4 x 32": HALF | {"data__batch_size": 128, "trainer__accumulate": 4},
    f"thaw {FAST} Muon": HALF | {"optim": "muon"},
    f"thaw {FAST}, 30 % masked": HALF | {"objective__rate": 0.3},
    f"thaw {FAST}, dropout 0.1": HALF | {"encoder__dropout": 0.1, "encoder__attention_dropout": 0.1},
    f"thaw {FAST}, memory kept": HALF | {"trainer__keep_memory": "true"},
}
NO_DROPOUT = {"model": {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}}
BEST = f"Trainer {FAST}, no dropout, compiled"
RIVALS: dict[str, dict[str, Any]] = {
    "Trainer float32": {},
    f"Trainer {FAST}": {"bf16": half_pays()},
    f"Trainer {FAST}, no dropout": {"bf16": half_pays(), **NO_DROPOUT},
    BEST: {"bf16": half_pays(), "torch_compile": True, **NO_DROPOUT},
}
AGAINST = {"Trainer float32": "Trainer float32", "Trainer bf16": "Trainer bf16", "its best": BEST}
QUICK = (f"thaw {FAST}", "Trainer float32", f"Trainer {FAST}")


def peak(threads: int, half: bool) -> Any:
    """Return what measures the FLOP/s of square products."""
    import torch

    torch.set_num_threads(threads)
    now = clock(threads)
    one, other = (torch.randn(2048, 2048).to(torch.bfloat16 if half else torch.float32) for _ in range(2))

    def measure() -> float:
        times = []
        for _ in range(12):
            begun = now()
            one @ other
            times.append(now() - begun)
        return 2 * 2048**3 / median(times[2:])

    return measure


def flops_a_token(encoder: str, words: list[str], rate: float) -> float:
    """Return the useful training FLOPs of a token."""
    config = mlm.settings(encoder, words)
    sizes = config.encoder
    return training_flops(
        1, layers=sizes.layers, hidden=sizes.hidden, intermediate=sizes.feed_forward, length=config.data.length,
        masked=rate, vocab_size=config.tokenizer.vocab_size,
    )  # fmt: skip


def main() -> None:
    """Measure, print, write."""
    parser = options(__doc__.splitlines()[0])
    mlm.add(parser)
    arguments = parser.parse_args()
    told_half()
    words = inputs.overrides(arguments)
    mlm.prepare(words)
    slow = {"tiny": 0.5, "mini": 1, "small": 4, "medium": 8}.get(arguments.encoder, 16)
    steps = max(8, int((9 if arguments.quick else 40) / slow))
    shared = {"encoder": arguments.encoder, "words": words, "threads": arguments.threads}
    chosen = {name: (mlm.ours, changes, steps) for name, changes in OURS.items()}
    chosen |= {name: (mlm.hugging_face, changes, max(6, steps // 3)) for name, changes in RIVALS.items()}
    contestants = {
        name: Contestant(make, steps=count, **shared, **changes)
        for name, (make, changes, count) in chosen.items()
        if arguments.only in name and (arguments.only or not arguments.quick or name in QUICK)
    }
    peaks = {f"peak {FAST}": Contestant(peak, threads=arguments.threads, half=half_pays())}
    if half_pays():
        peaks["peak float32"] = Contestant(peak, threads=arguments.threads, half=False)
    values = interleaved({**contestants, **peaks}, arguments.rounds or (2 if arguments.quick else 5))
    medians = {name: median(found) for name, found in values.items()}
    rows = []
    for name, contestant in contestants.items():
        useful = medians[name] * flops_a_token(arguments.encoder, words, 0.3 if "30 %" in name else 0.15)
        ratios = {f"/ {told}": medians[name] / medians[rival] for told, rival in AGAINST.items() if rival in medians}
        rows.append(
            {
                "": name, "tokens/s": medians[name], **ratios, "GFLOP/s": useful / 1e9,
                "% of peak": 100 * useful / medians[f"peak {FAST}"], "first step, s": contestant.notes[0][0],
                "turns": spread(values[name]),
            }
        )  # fmt: skip
        contestant.close()
    for contestant in peaks.values():
        contestant.close()
    if rows:  # none with --only peak
        show(f"pretraining {arguments.encoder}, 32 x 128, {arguments.threads} threads", rows)
    print(", ".join(f"{name}: {medians[name] / 1e9:.0f} GFLOP/s" for name in peaks))
    settings = {**vars(arguments), "flops a token": flops_a_token(arguments.encoder, words, 0.15)}
    write(arguments, f"pretraining-{arguments.encoder}", settings, rows=rows, turns=values)


if __name__ == "__main__":
    main()
