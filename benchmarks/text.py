"""How fast does text become a tokenizer and ids, and does it stay so from 10 MB to 1 GB?

Three questions. Training: a unigram tokenizer of 8,000 pieces from 100 MB, reading included. Speed: text into the id
file (reading, normalising, encoding, writing) against the two maps of Hugging Face's run_mlm.py (tokenise, then
group_texts to 128) with the same tokenizer loaded by AutoTokenizer, both in one process and in two; its reading of the
file is not counted, ours is. They take turns. Growth: seconds and peak memory by size, and the slope of log seconds
over log bytes between the sizes (1 is linear); and what one process takes at its peak that does it all, text to ids to
20 training steps of the mini encoder, its piece vectors random or counted. 1 GB alone: --only growth --sizes 1000.

Every measurement is a process of its own that times itself after its imports; MB are 1,000,000 bytes of the file.
Sizes beyond the corpus are made by repeating its paragraphs, shuffled by a seed, so that word caches hit there more
often than on fresh text; the table says from which size on.
"""

import json
import math
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import inputs, measure, picture

from thaw.text import corpus, ids
from thaw.text.corpus import CorpusConfig
from thaw.text.tokenizer import Tokenizer, TokenizerConfig, train
from thaw.track.cost import peak_rss_bytes

FULL = {"train": [100], "speed": [50], "growth": [10, 30, 100, 300, 1000]}  # MB
QUICK = {"train": [10], "speed": [2], "growth": [2, 10]}
SEQUENCE = 128
STEPS = 20
PARTS = ("training", "speed", "growth")


def main() -> None:
    """Measure, print, write."""
    parser = measure.options(__doc__.splitlines()[0])
    inputs.add(parser)
    parser.add_argument("--sizes", type=int, nargs="+", metavar="MB", help="sizes of the growth curve")
    parser.add_argument("--child", nargs=3, metavar=("WHAT", "FILE", "TOKENIZER"), help="one measurement, as JSON")
    arguments = parser.parse_args()
    if arguments.child:
        what, file, tokenizer = arguments.child
        print(json.dumps(CHILDREN[what](Path(file), Path(tokenizer))))
        return
    sizes: dict[str, Any] = dict(QUICK if arguments.quick else FULL)
    sizes["growth"] = arguments.sizes or sizes["growth"]
    parts = [part for part in PARTS if arguments.only in part]
    rounds = arguments.rounds or (1 if arguments.quick else 3)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        paragraphs = [line for text in inputs.documents(arguments) for line in text.split("\n") if line.strip()]
        fresh = sum(len(line.encode()) + 2 for line in paragraphs) / 1e6
        wanted = {size for part in parts for size in sizes["train" if part == "training" else part]}
        files = {size: write(paragraphs, size, folder / f"{size}.txt") for size in sorted(wanted)}
        results = {}
        if "training" in parts:
            results["training"] = training(files[sizes["train"][0]], folder, sizes["train"][0], rounds)
        else:
            child("train", files[min(files)], folder / "tokenizer")
        if "speed" in parts:
            results["speed"] = speed(files[sizes["speed"][0]], folder, rounds)
        if "growth" in parts:
            results["growth"] = growth(
                {size: files[size] for size in sizes["growth"]}, folder, fresh, learn=not arguments.quick
            )
    settings = {"corpus": arguments.corpus or inputs.PACKAGES, "fresh_mb": fresh, "rounds": rounds, **sizes}
    path = measure.write(arguments, "text", settings, **results)
    if "growth" in parts:
        rows = results["growth"]["rows"]
        curves = {name: [(row["MB"], row[f"{name} s"]) for row in rows] for name in ("train", "ids")}
        picture.lines(path.with_suffix(".svg"), "Text to tokenizer, text to ids", "MB of text", "seconds", curves)


def write(paragraphs: list[str], size: int, path: Path) -> Path:
    """Write ``size`` MB of paragraphs, in their order first, then shuffled again and again."""
    generator, written = random.Random(0), 0
    with path.open("w", encoding="utf-8") as file:
        while True:
            for paragraph in paragraphs:
                written += file.write(paragraph + "\n\n") + len(paragraph.encode()) - len(paragraph)
                if written >= size * 1e6:
                    return path
            paragraphs = generator.sample(paragraphs, len(paragraphs))


def training(file: Path, folder: Path, size: int, rounds: int) -> dict[str, Any]:
    """Train the tokenizer that all else uses; return its seconds."""
    taken = [child("train", file, folder / "tokenizer") for _ in range(rounds)]
    row = {
        "8,000 unigram pieces from": f"{size} MB",
        "seconds": measure.median(one["seconds"] for one in taken),
        "of which reading": measure.median(one["reading"] for one in taken),
        "peak MB": max(one["peak_mb"] for one in taken),
        "target": "< 30 s",
    }
    measure.show("Training a tokenizer", [row])
    return {"rows": [row], "all": taken}


def speed(file: Path, folder: Path, rounds: int) -> dict[str, Any]:
    """Compare MB/s of ours with run_mlm.py's maps on a small file, and of ours alone on all of the text."""
    names = {
        "ids": "thaw, 1 process",
        "ids2": "thaw, 2 processes",
        "maps": "run_mlm.py, 1 process",
        "maps2": "run_mlm.py, 2 processes",
    }
    cpu: dict[str, list[float]] = {name: [] for name in names}

    def turn(name: str) -> float:
        found = child(name, file, folder / "tokenizer")
        cpu[name].append(found["megabytes"] / found["cpu_seconds"])
        return float(found["megabytes"] / found["seconds"])

    found = measure.interleaved({name: lambda name=name: turn(name) for name in names}, rounds)
    one, two = measure.median(found["ids"]), measure.median(found["ids2"])
    rows = [
        {
            "preprocessing": shown,
            "MB/s": measure.median(found[name]),
            "range": measure.spread(found[name]),
            "MB/s a core": measure.median(cpu[name]),
            "ours, 1 process / it": one / measure.median(found[name]),
            "ours, 2 / it": two / measure.median(found[name]),
        }
        for name, shown in names.items()
    ]
    measure.show(f"Speed on {file.stat().st_size / 1e6:.0f} MB (target: 20 times; 12 MB/s a core on 100 MB)", rows)
    return {"rows": rows, "all": found}


def growth(files: dict[int, Path], folder: Path, fresh: float, learn: bool) -> dict[str, Any]:
    """Measure both by size, with ``learn`` some steps too; the slopes are those of a line through the logarithms."""
    rows = []
    for size, file in files.items():
        learnt = child("train", file, folder / "other")
        made = child("ids", file, folder / "tokenizer")
        learning = {name: child(name, file, folder / "tokenizer") for name in ("steps", "counts") if learn}
        measure.progress(f"{size} MB: train {learnt['seconds']:.1f} s, ids {made['seconds']:.1f} s")
        rows.append(
            {
                "MB": size,
                "text": "fresh" if size <= fresh else f"{size / fresh:.1f} times over",
                "train s": learnt["seconds"],
                "of which reading": learnt["reading"],
                "train peak MB": learnt["peak_mb"],
                "ids s": made["seconds"],
                "MB/s": size / made["seconds"],
                "MB/s a core": size / made["cpu_seconds"],
                "ids peak MB": made["peak_mb"],
            }
        )
        if learn:
            rows[-1] |= {
                f"ids + {STEPS} steps s": learning["steps"]["seconds"],
                "peak MB": learning["steps"]["peak_mb"],
                "counted, peak MB": learning["counts"]["peak_mb"],
            }
    measure.show("Growth (target: 1 GB tokenises and trains in 1,500 MB)", rows)
    slopes = {}
    if len(rows) > 1:
        slopes = {name: slope([(row["MB"], row[name]) for row in rows]) for name in ("of which reading", "ids s")}
        print("slope of log seconds: " + ", ".join(f"{name} {value:.2f}" for name, value in slopes.items()))
    return {"rows": rows, "slopes": slopes}


def slope(points: list[tuple[float, float]]) -> float:
    """Return the least-squares slope of log y over log x."""
    x, y = ([math.log(point[axis]) for point in points] for axis in (0, 1))
    middle, height = sum(x) / len(x), sum(y) / len(y)
    return sum((a - middle) * (b - height) for a, b in zip(x, y, strict=True)) / sum((a - middle) ** 2 for a in x)


def child(what: str, file: Path, tokenizer: Path) -> dict[str, float]:
    """Measure in a process of its own."""
    command = [sys.executable, __file__, "--child", what, str(file), str(tokenizer)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"error: {' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def timed(file: Path, begun: float, cpu: float) -> dict[str, float]:
    """Return what a measurement took: CPU seconds with those of its children, peak memory without."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "seconds": time.perf_counter() - begun,
        "cpu_seconds": sum(one.ru_utime + one.ru_stime for one in usage) - cpu,
        "peak_mb": peak_rss_bytes() / 1e6,  # ru_maxrss would begin with that of the process that started this one
        "megabytes": file.stat().st_size / 1e6,
    }


def train_one(file: Path, target: Path) -> dict[str, float]:
    """Train as the product does and save."""
    reading = 0.0

    def watched(documents: Iterator[str]) -> Iterator[str]:
        nonlocal reading
        while True:
            begun = time.perf_counter()
            document = next(documents, None)
            reading += time.perf_counter() - begun
            if document is None:
                return
            yield document

    begun, cpu = time.perf_counter(), time.process_time()
    trained = train(watched(corpus.documents(CorpusConfig(paths=[str(file)]))), TokenizerConfig())
    found = timed(file, begun, cpu) | {"reading": reading}
    trained.save(target)
    return found


def ids_one(file: Path, tokenizer: Path, processes: int = 1) -> dict[str, float]:
    """Write the id file as the product does."""
    loaded = Tokenizer.load(tokenizer)
    with tempfile.TemporaryDirectory() as folder:
        begun, cpu = time.perf_counter(), time.process_time()
        ids.tokenise(corpus.documents(CorpusConfig(paths=[str(file)])), loaded, Path(folder), "key", None, processes)
        return timed(file, begun, cpu)


def steps_one(file: Path, tokenizer: Path, vectors: str = "random") -> dict[str, float]:
    """Pretrain as the product does, from the text to the last of a few steps and the checkpoint."""
    from thaw import run
    from thaw.cli import words
    from thaw.cli.compose import composer

    with tempfile.TemporaryDirectory() as folder:
        given = ["corpus=files", f"corpus.paths=[{file}]", "tokenizer=folder", f"tokenizer.path={tokenizer}"]
        given += ["encoder=mini", f"budget={STEPS}", f"piece_vectors={vectors}", "trainer.progress=false"]
        given += ["wandb=disabled", f"runs={folder}/runs", f"cache.folder={folder}/cache"]
        with composer("pretrain", words.parse(given)) as compose:
            config = compose.combinations()[0].config
        begun, cpu = time.perf_counter(), time.process_time()
        run.pretrain(config)
        return timed(file, begun, cpu)


def maps_one(file: Path, tokenizer: Path, processes: int | None = None) -> dict[str, float]:
    """Run run_mlm.py's maps (not line by line): tokenise in batches, concatenate and cut to blocks."""
    import datasets
    from transformers import AutoTokenizer

    datasets.disable_progress_bars()
    loaded = AutoTokenizer.from_pretrained(tokenizer)
    loaded.model_max_length = 1 << 30  # no line of warnings about long texts

    def group(examples: dict[str, list[Any]]) -> dict[str, list[Any]]:
        joined = {key: [one for row in rows for one in row] for key, rows in examples.items()}
        total = len(joined["input_ids"]) // SEQUENCE * SEQUENCE
        return {key: [rows[at : at + SEQUENCE] for at in range(0, total, SEQUENCE)] for key, rows in joined.items()}

    with tempfile.TemporaryDirectory() as folder:
        rows = datasets.load_dataset("text", data_files=str(file), cache_dir=folder, split="train")
        begun, cpu = time.perf_counter(), time.process_time()
        options: dict[str, Any] = {"batched": True, "num_proc": processes}
        tokenised = rows.map(
            lambda batch: loaded(batch["text"], return_special_tokens_mask=True), remove_columns=["text"], **options
        )
        tokenised.map(group, **options)
        return timed(file, begun, cpu)


CHILDREN = {
    "train": train_one,
    "ids": ids_one,
    "ids2": lambda file, tokenizer: ids_one(file, tokenizer, 2),
    "steps": steps_one,
    "counts": lambda file, tokenizer: steps_one(file, tokenizer, "counts"),
    "maps": maps_one,
    "maps2": lambda file, tokenizer: maps_one(file, tokenizer, 2),
}

if __name__ == "__main__":
    main()
