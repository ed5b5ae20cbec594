"""The model card of a checkpoint: what it is, what it comes from, how to use it."""

from typing import Any

from thaw import __version__
from thaw.config import PretrainConfig, TransferConfig
from thaw.encoder.config import EncoderConfig
from thaw.encoder.dialects import DIALECTS


def pretrain_card(config: PretrainConfig, shape: EncoderConfig, lineage: dict[str, Any]) -> str:
    """Return the README.md of a pretrained encoder."""
    return f"""---
library_name: transformers
tags: [thaw, {DIALECTS[shape.dialect].family}, fill-mask]
---
# {config.name}: a {shape.name} encoder

Pretrained with Thaw {lineage["thaw_version"]} by masked language modelling ({config.objective.rate:.0%} of the tokens,
unit: {config.objective.unit}) on the corpus `{config.corpus.name}` for {lineage["steps"]} steps,
{_cost(lineage)}.
Run `{lineage["run_id"]}`, seed {config.seed}.

| layers | hidden | heads | intermediate | positions |
|---|---|---|---|---|
| {shape.layers} | {shape.hidden} | {shape.heads} | {shape.intermediate} | {shape.max_positions} |

{_held_out(lineage)}```python
from transformers import AutoModel, AutoTokenizer
tokenizer, model = AutoTokenizer.from_pretrained("."), AutoModel.from_pretrained(".")
```
or `thaw transfer checkpoint=. task=trec strategy=full`. What it came from is in `lineage.json`.
"""


def _cost(lineage: dict[str, Any]) -> str:
    """Return tokens and seconds, those of all ancestors included, as words; what one does not tell is unknown."""
    tokens, seconds = lineage["tokens"], lineage["seconds"]
    count = "an unknown number of" if tokens is None else f"{tokens / 1e6:.1f} million"
    return f"{count} tokens, {'unknown' if seconds is None else f'{seconds:.0f}'} seconds"


def _held_out(lineage: dict[str, Any]) -> str:
    """Return the paragraph of a card about held-out text, empty where nothing was scored at this step."""
    scores, text = lineage.get("held_out") or {}, lineage.get("passages") or {}
    if "dev/bits_per_byte" not in scores:
        return ""
    loss, masked = scores["dev/loss"], scores["dev/bits_per_byte"]
    words = f"""On held-out text: a loss of {loss:.3f} nats a masked piece, {masked:.3f} masked bits per normalised byte
(these compare encoders of one tokenizer only).
"""
    if "dev/word_bits_per_byte" in scores:
        bits, error, count = (scores[f"dev/word_{name}"] for name in ("bits_per_byte", "bits_error", "count_bits"))
        words += f"""{bits:.3f} bits per raw byte of whole words (PLL-word-l2r, Kauf & Ivanova 2023; standard error
{error:.3f}; the number of masks may give away up to {count:.3f}): this compares encoders of any tokenizer that are
scored on the same {text["words"]} words (sha256 `{text["sha256"]}`).
"""
    return words + "\n"


def transfer_card(config: TransferConfig, dev: float | None) -> str:
    """Return the README.md of a transferred model."""
    score = "" if dev is None else f"Best dev {config.task.metric}: {dev:.3f}. "
    return f"""---
library_name: thaw
tags: [thaw, {config.task.kind.name}]
---
# {config.task.name} by {config.strategy.name}

Transferred with Thaw {__version__} from `{config.checkpoint or "random weights"}`: {config.data.train_size} labels of
`{config.task.name}`, {config.steps} steps, seed {config.seed}. {score}

`thaw predict . FILE` labels a file, `thaw export . OUT` writes a transformers folder where the head allows.
"""
