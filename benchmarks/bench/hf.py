"""The rival: Hugging Face `Trainer` with the settings of run_glue.py, on the same checkpoint and texts.

run_glue.py pads to 128 in float32 with random batches; ``dynamic`` pads a batch to its longest text; ``best`` adds
batches of like length, and bfloat16 where that pays (`measure.half_pays`). As a process (`python hf.py --job FILE`) it
does what run_glue.py does from start to end: read, tokenise by `datasets.map`, train, evaluate dev and test. It is
spared checkpoints and reporting.
"""

import argparse
import contextlib
import io
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

SETTINGS = {
    "default": {"pad": True, "train_sampling_strategy": "random"},
    "dynamic": {"pad": False, "train_sampling_strategy": "random"},
    "best": {"pad": False, "train_sampling_strategy": "group_by_length"},
}
WARM = 3  # steps that are not counted


@dataclass(kw_only=True)
class Job:
    """One training: texts and labels by split (``train``, and ``dev`` and ``test`` to evaluate at the end)."""

    checkpoint: str
    splits: dict[str, list[dict[str, Any]]]  # {"text", "label"}; a label is its number
    labels: int
    half: bool  # its best setting computes in bfloat16
    length: int  # pieces at which texts are cut
    setting: str = "default"
    frozen: bool = False  # the encoder's parameters do not learn
    steps: int = 30
    batch_size: int = 32
    threads: int = 2
    dropout: float = 0.1
    lr: float = 5e-4


def train(job: Job) -> dict[str, float]:
    """Train; return seconds a step in steady state and places (padding included) a step."""
    import datasets
    import torch
    import transformers
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, DataCollatorWithPadding, Trainer

    torch.set_num_threads(job.threads)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    datasets.disable_progress_bars()
    setting = dict(SETTINGS[job.setting])
    pad = setting.pop("pad")
    tokenizer = AutoTokenizer.from_pretrained(job.checkpoint)
    model = AutoModelForSequenceClassification.from_pretrained(
        job.checkpoint, num_labels=job.labels, hidden_dropout_prob=job.dropout, attention_probs_dropout_prob=job.dropout
    )
    model.base_model.requires_grad_(not job.frozen)

    def tokenise(rows: dict[str, Any]) -> Any:
        return tokenizer(rows["text"], padding="max_length" if pad else False, max_length=job.length, truncation=True)

    splits = {
        name: datasets.Dataset.from_list(rows).map(tokenise, batched=True, load_from_cache_file=False)
        for name, rows in job.splits.items()
    }
    watch = _watch(time.process_time if job.threads == 1 else time.perf_counter)  # as `measure.clock`
    with tempfile.TemporaryDirectory() as folder:
        settings = transformers.TrainingArguments(
            folder, max_steps=job.steps, per_device_train_batch_size=job.batch_size, learning_rate=job.lr, seed=1,
            save_strategy="no", report_to="none", disable_tqdm=True, use_cpu=not torch.cuda.is_available(),
            bf16=job.half and job.setting == "best", **setting,
        )  # fmt: skip
        trainer = Trainer(
            model, settings, train_dataset=splits["train"], callbacks=[watch], processing_class=tokenizer,
            data_collator=transformers.default_data_collator if pad else DataCollatorWithPadding(tokenizer),
            compute_metrics=lambda found: {"accuracy": float((found[0].argmax(-1) == found[1]).mean())},
        )  # fmt: skip
        model.register_forward_pre_hook(watch.count, with_kwargs=True)
        with contextlib.redirect_stdout(io.StringIO()):  # it prints what it logs
            trainer.train()
            for name in ("dev", "test"):
                if name in splits:
                    trainer.evaluate(splits[name])
    return watch.result()


def _watch(now: Callable[[], float]) -> Any:
    import transformers

    class Watch(transformers.TrainerCallback):
        """The clock at the end of every step, and the places the model has seen until then."""

        def __init__(self) -> None:
            self.times: list[float] = []
            self.places, self.seen = 0, list[int]()
            self.began = 0.0  # the time of day the first step begins

        def count(self, model: Any, args: Any, kwargs: Any) -> None:
            self.places += kwargs["input_ids"].numel() if model.training else 0

        def on_step_begin(self, *args: Any, **kwargs: Any) -> None:
            self.began = self.began or time.time()

        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            self.times.append(now())
            self.seen.append(self.places)

        def result(self) -> dict[str, float]:
            count = len(self.times) - WARM
            seconds, places = self.times[-1] - self.times[WARM - 1], self.seen[-1] - self.seen[WARM - 1]
            return {"seconds_per_step": seconds / count, "places_per_step": places / count, "began": self.began}

    return Watch()


def write(job: Job, path: Path) -> list[str]:
    """Write a job for a process of its own; return the command's arguments."""
    path.write_text(json.dumps(asdict(job)))
    return [str(Path(__file__).resolve()), "--job", str(path)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Run one job of the rival in this process")
    parser.add_argument("--job", type=Path, required=True)
    print(json.dumps(train(Job(**json.loads(parser.parse_args().job.read_text())))))
