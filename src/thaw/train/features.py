"""States of frozen layers: computed once an item, kept on disk, shared by all runs that can use them.

Legend: N items, P pieces of all items, D width of a state, F of a head's summary, B items of a batch, T places.

Decisions taken here:
* A file's name is the hash of all that its numbers follow from: the weights below, the items' pieces, what is kept,
  the number format. A run that finds it computes nothing; a run that does not writes it for the others.
* What is kept is as little as the head needs: one vector a text where nothing learns before it, else whole states.
* A file notes the seconds it took. Every run is charged with them, so that its cost is that of the run alone.
"""

import contextlib
import hashlib
import json
import os
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from thaw.encoder.model import Encoder
from thaw.errors import StorageError
from thaw.hold import Hold, hold
from thaw.storage import atomic_folder, remembered, told
from thaw.strategy.plan import Factor
from thaw.task.batches import Batch, eval_batches, eval_tokens
from thaw.task.encode import Encoded
from thaw.task.heads import Head
from thaw.track.epoch import RESULTS
from thaw.train.module import at_rest

SUMMARY = -1  # stands for the head's summary where the number of a state is asked for
FORMAT = 2
FILE = "features.safetensors"


@dataclass(frozen=True)
class Features:
    """What is fixed of some items: summaries (N, F), or states (P, D) by number with the first row of each item."""

    values: dict[int, Tensor]
    starts: Tensor  # (N + 1,)
    seconds: float  # that computing them took
    cpu_seconds: float
    held: Hold | None = None  # so that nobody prunes the file while it is mapped

    def logits(self, encoder: Encoder, head: Head, batch: Batch) -> Tensor:
        """Return what the network would for a batch, computing only what lies above the fixed states."""
        if SUMMARY in self.values:
            return head.answer(self.values[SUMMARY][batch.index.cpu()].to(batch.ids.device))
        states = {number: self.padded(number, batch) for number in self.values}
        depth = max(states)
        if max(head.state_indices) > depth:
            states |= dict(enumerate(encoder.above(depth, states[depth], batch.valid), start=depth))
        logits: Tensor = head(states, batch.valid)
        return logits

    def padded(self, number: int, batch: Batch) -> Tensor:
        """Return a state of the items of a batch, (B, T, D), 0 at padding."""
        value = self.values[number]
        places = value.new_zeros((*batch.ids.shape, value.shape[-1]))
        for row, item in enumerate(batch.index.tolist()):
            first, last = int(self.starts[item]), int(self.starts[item + 1])
            places[row, : last - first] = value[first:last]
        return places.to(batch.ids.device)


def fixed_depth(factors: list[Factor]) -> int:
    """Return the number of the highest state that no step changes, -1 for none: 0 is the output of the embeddings."""
    return next(place for place, factor in enumerate(factors) if factor is not None) - 1


def kept(head: Head, depth: int, layers: int) -> list[int]:
    """Return the states to keep when all up to ``depth`` are fixed: those the head reads, and the highest one."""
    if depth == layers and head.summarises:
        return [SUMMARY]
    read = [number for number in head.state_indices if number <= depth]
    return read if depth == layers else sorted({*read, depth})


def size(encoder: Encoder, head: Head, encoded: Encoded, states: list[int]) -> int:
    """Return the bytes that the features of some items take."""
    if states == [SUMMARY]:
        return 4 * len(encoded) * head.summary_width
    return 4 * int(encoded.lengths.sum()) * encoder.config.hidden * len(states)


def find(
    encoder: Encoder, head: Head, encoded: Encoded, states: list[int], *, precision: str, folder: Path, limit: int,
    tell: Callable[[str], None],
) -> Features | None:  # fmt: skip
    """Return the features of all items, from ``folder`` if they are there; else computed and written there.

    None where they would take more than ``limit`` bytes. A folder that can not be written is told of, no more.
    """
    needed = size(encoder, head, encoded, states)
    if needed > limit:
        return None
    target = folder / key(encoder, head, encoded, states, precision)
    found = read(target)
    if found is None:
        if os.path.exists(target / FILE):
            tell(f"damaged file {target / FILE}: computed again")
        begun = time.perf_counter(), time.process_time()
        values = compute(encoder, head, encoded, states, precision)
        seconds, cpu = time.perf_counter() - begun[0], time.process_time() - begun[1]
        found = Features(values, _starts(encoded, states), seconds, cpu)
        try:
            make_room(folder, needed, limit)
            _write(target, found)
        except (OSError, StorageError) as error:
            if not os.path.isdir(target):  # else another run has written it meanwhile
                reason = str(error).replace(os.path.abspath(target), str(folder))  # one line for all items and runs
                tell(f"features are not kept: {reason}")
    return found


def key(encoder: Encoder, head: Head, encoded: Encoded, states: list[int], precision: str) -> str:
    """Return the name of the features: a hash of everything they follow from."""
    depth = encoder.config.layers if states == [SUMMARY] else max(states)
    digest = hashlib.sha256()
    for part in (encoder.embeddings, *encoder.layers[:depth]):
        for name, parameter in part.named_parameters():
            digest.update(f"{name} {tuple(parameter.shape)}".encode())
            digest.update(parameter.detach().cpu().contiguous().numpy().tobytes())
    for item in encoded.items:
        digest.update(len(item.ids).to_bytes(4, "big") + item.ids.tobytes() + item.segments.tobytes())
    reads = [head.state_indices, head.config.pooling] if states == [SUMMARY] else states
    config = encoder.config
    unweighted = [config.heads, config.dialect, config.layer_norm_eps]  # what no weight or its shape tells
    digest.update(json.dumps([FORMAT, RESULTS, reads, precision, *unweighted]).encode())
    return digest.hexdigest()[:24]


@torch.no_grad()
def compute(encoder: Encoder, head: Head, encoded: Encoded, states: list[int], precision: str) -> dict[int, Tensor]:
    """Return the features of all items on the CPU, without dropout."""
    device = encoder.word_weight.device
    rows: dict[int, list[Any]] = {number: [None] * len(encoded) for number in states}
    with at_rest(encoder), torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16-mixed"):
        for batch in eval_batches(encoded, eval_tokens(device)):
            batch = batch.to(device)
            computed = encoder(batch.ids, batch.valid, batch.segments)
            lengths = batch.valid.sum(1).tolist()
            for number in states:
                values = head.summary(computed, batch.valid) if number == SUMMARY else computed[number]
                for item, value, length in zip(batch.index.tolist(), values.cpu(), lengths, strict=True):
                    rows[number][item] = value[None] if number == SUMMARY else value[:length]
    return {number: torch.cat(parts) for number, parts in rows.items()}


def make_room(folder: Path, needed: int, limit: int) -> None:
    """Remove the features that were written longest ago until ``needed`` bytes fit under ``limit``."""
    files = []
    for file in folder.glob(f"*/{FILE}"):
        with contextlib.suppress(FileNotFoundError):  # another run makes room too
            found = file.stat()
            files.append((found.st_mtime, found.st_size, file))
    room = limit - sum(size for _, size, _ in files)
    for _, size, file in sorted(files):
        if room >= needed:
            return
        room += size
        file.unlink(missing_ok=True)  # whoever has it mapped keeps it
        with contextlib.suppress(OSError):
            file.parent.rmdir()


def _write(target: Path, features: Features) -> None:
    tensors = {f"state.{number}": value for number, value in features.values.items()} | {"starts": features.starts}
    about = {"seconds": repr(features.seconds), "cpu_seconds": repr(features.cpu_seconds)}
    about["crc32"] = _sums(tensors, about)
    with atomic_folder(target) as new, told(target, SafetensorError):
        save_file(tensors, new / FILE, metadata=about)


def _starts(encoded: Encoded, states: list[int]) -> Tensor:
    lengths = torch.ones(len(encoded)) if states == [SUMMARY] else torch.from_numpy(encoded.lengths)
    return torch.cat([torch.zeros(1), lengths.cumsum(0)]).long()


def read(target: Path) -> Features | None:
    """Return what another run has written, None where there is nothing whole; checksums are read once a process."""
    held = hold(target / FILE)
    try:
        remembered(_check, target / FILE)
        with safe_open(target / FILE, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            seconds, cpu_seconds = (float(file.metadata()[name]) for name in ("seconds", "cpu_seconds"))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None
    values = {int(name.removeprefix("state.")): value for name, value in tensors.items() if name != "starts"}
    return Features(values, tensors["starts"], seconds, cpu_seconds, held)


def _check(path: Path) -> str:
    with safe_open(path, "pt") as file:
        if file.metadata()["crc32"] != _sums({name: file.get_tensor(name) for name in file.keys()}, file.metadata()):  # noqa: SIM118
            raise ValueError(f"{path} is not as it was written")
    return "sound"


def _sums(tensors: Mapping[str, Tensor], about: Mapping[str, str]) -> str:
    """Return the CRC-32 of what all tensors cost and of each one, as text."""
    cost = " ".join(f"{name} {about[name]}" for name in ("seconds", "cpu_seconds"))
    parts: dict[str, Any] = {name: tensors[name].contiguous().view(torch.uint8).numpy() for name in sorted(tensors)}
    return " ".join(
        [f"{zlib.crc32(cost.encode()):08x}", *(f"{name} {zlib.crc32(one):08x}" for name, one in parts.items())]
    )
