"""Which attention kernel is faster for training on this machine: plain products or SDPA?

One layer's attention (4 heads of 64), forward and backward, at a fixed number of tokens, with and without padding, in
float32 and, where it pays, bfloat16, for a row of lengths. The rule of `thaw.encoder.attention` (by device, dtype and
length, so that runs repeat) is shown beside what was measured; where it is more than a tenth slower, it is marked.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import torch
from bench.measure import interleaved, median, options, show, told_half, write
from torch.nn import functional

from thaw.encoder.attention import attention_kernel, plain_products

HEADS, WIDTH = 4, 64


def sdpa(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """Return attention by torch's fused kernel."""
    return functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)


def contestant(attention: Callable[..., torch.Tensor], length: int, tokens: int, half: bool, pad: bool) -> Any:
    """Return what measures the seconds of one forward and backward."""
    dtype = torch.bfloat16 if half else torch.float32
    shape = (max(1, tokens // length), HEADS, length, WIDTH)
    inputs = [torch.randn(shape).to(dtype).requires_grad_() for _ in range(3)]
    bias = torch.zeros(shape[0], 1, 1, length, dtype=dtype) if pad else None
    if bias is not None:
        bias[:, :, :, -max(1, length // 8) :] = torch.finfo(dtype).min

    def measure() -> float:
        times = []
        for _ in range(4):
            begun = time.perf_counter()
            attention(*inputs, bias).sum().backward()
            times.append(time.perf_counter() - begun)
        return min(times[1:])

    return measure


def main() -> None:
    """Measure, print, write."""
    arguments = options(__doc__.splitlines()[0])
    arguments.add_argument("--tokens", type=int, default=4096)
    arguments.add_argument("--threads", type=int, default=2)
    given: argparse.Namespace = arguments.parse_args()
    torch.set_num_threads(given.threads)
    lengths = (24, 128, 512) if given.quick else (16, 32, 64, 128, 256, 512, 1024)
    rows = []
    for half in (False, True) if told_half() else (False,):
        for pad in (False, True):
            for length in lengths:
                both = {
                    name: contestant(attention, length, given.tokens, half, pad)
                    for name, attention in (("plain", plain_products), ("sdpa", sdpa))
                }
                values = interleaved(both, given.rounds or (3 if given.quick else 7))
                found = {name: 1000 * median(times) for name, times in values.items()}
                rule = attention_kernel("cpu", torch.bfloat16 if half else torch.float32, length)
                told = rule + (" (slower)" if found[rule] / min(found.values()) > 1.1 else "")
                rows.append(
                    {
                        "dtype": "bfloat16" if half else "float32", "padding": "yes" if pad else "no", "length": length,
                        "plain ms": found["plain"], "sdpa ms": found["sdpa"], "rule": told,
                    }
                )  # fmt: skip
    show(f"attention, {given.tokens} tokens, 4 heads of 64, forward and backward, {given.threads} threads", rows)
    write(given, "attention", vars(given), rows=rows)


if __name__ == "__main__":
    main()
