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
{lineage["tokens"] / 1e6:.1f} million tokens, {lineage["seconds"]:.0f} seconds.
Run `{lineage["run_id"]}`, seed {config.seed}.

| layers | hidden | heads | intermediate | positions |
|---|---|---|---|---|
| {shape.layers} | {shape.hidden} | {shape.heads} | {shape.intermediate} | {shape.max_positions} |

```python
from transformers import AutoModel, AutoTokenizer
tokenizer, model = AutoTokenizer.from_pretrained("."), AutoModel.from_pretrained(".")
```
or `thaw transfer checkpoint=. task=trec strategy=full`. What it came from is in `lineage.json`.
"""


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
