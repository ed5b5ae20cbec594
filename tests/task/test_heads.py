import itertools

import pytest
import torch
from task_files import make_task

from thaw.task.batches import collate, eval_batches
from thaw.task.encode import encode
from thaw.task.example import Example
from thaw.task.head_config import HeadConfig
from thaw.task.heads import build_head
from thaw.task.predict import predictions
from thaw.task.task import Kind

HIDDEN, LAYERS, LABELS = 16, 3, ["O", "B-X", "I-X"]
EXAMPLES = {
    "classes": [Example(text_a="w " * n, label=LABELS[n % 3]) for n in range(1, 9)],
    "score": [Example(text_a="w " * n, text_b="v", label=float(n)) for n in range(1, 9)],
    "tags": [Example(tokens=["abcd"] * n, tags=[LABELS[k % 3] for k in range(n)]) for n in range(1, 9)],
    "span": [Example(question="a", context="ab cd ef gh", answers=[("cd", 3)]) for _ in range(8)],
}


def states(batch, seed=0):
    """Random hidden states (B, T, D) of L + 1 layers; the same piece in the same item always has the same ones."""
    made = []
    for layer in range(LAYERS + 1):
        rows = [
            torch.randn(256, HIDDEN, generator=torch.Generator().manual_seed(1000 * layer + 10 * int(index) + seed))
            for index in batch.index
        ]
        made.append(torch.stack(rows)[:, : batch.ids.shape[1]])
    return made


def head_of(kind, **fields):
    torch.manual_seed(0)
    return build_head(Kind[kind], len(LABELS), HIDDEN, LAYERS, HeadConfig(**{"hidden": 8, "dropout": 0.0, **fields}))


def encoded_of(kind, tokenizer):
    return encode(EXAMPLES[kind], make_task(kind), tokenizer, LABELS if kind in ("classes", "tags") else None)


@pytest.mark.parametrize("kind", EXAMPLES)
@pytest.mark.parametrize("model", ["linear", "mlp", "bilstm"])
@pytest.mark.parametrize("layers", ["last", "concat_last4", "scalar_mix", "embeddings"])
def test_every_head_learns_one_batch_and_reads_no_padding(tokenizer, kind, model, layers):
    encoded = encoded_of(kind, tokenizer)
    batch = collate(encoded, list(range(8)))
    hidden = states(batch)
    for pooling in ("cls", "mean", "concat") if kind in ("classes", "score") else ("mean",):
        head = head_of(kind, model=model, layers=layers, pooling=pooling)
        if kind == "score":
            head.set_scale(4.5, 2.3)
        optimizer = torch.optim.Adam(head.parameters(), lr=0.05)
        first = head.loss(head(hidden, batch.valid), batch).item()
        for _ in range(15):
            loss = head.loss(head(hidden, batch.valid), batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        assert loss.item() < 0.8 * first
        for name, parameter in head.named_parameters():
            assert parameter.grad is not None, name
        wide = [torch.cat([layer, torch.full((8, 5, HIDDEN), 1e9)], 1) for layer in hidden]
        padded = torch.cat([batch.valid, torch.zeros(8, 5, dtype=torch.bool)], 1)
        logits, far = head(hidden, batch.valid), head(wide, padded)
        if kind in ("tags", "span"):
            logits, far = logits[batch.valid], far[:, : batch.ids.shape[1]][batch.valid]
        torch.testing.assert_close(logits, far)


def test_the_same_seed_builds_the_same_head():
    for kind, model in itertools.product(EXAMPLES, ["linear", "mlp", "bilstm"]):
        first, second = head_of(kind, model=model).state_dict(), head_of(kind, model=model).state_dict()
        assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_head_reads_only_the_states_it_names(tokenizer):
    batch = collate(encoded_of("classes", tokenizer), [0, 1])
    hidden = states(batch)
    for layers, indices in (
        ("last", [3]),
        ("embeddings", [0]),
        ("concat_last4", [1, 2, 3]),
        ("scalar_mix", [0, 1, 2, 3]),
    ):
        head = head_of("classes", layers=layers)
        assert head.state_indices == indices
        few = {index: hidden[index] for index in indices}
        torch.testing.assert_close(head(few, batch.valid), head(hidden, batch.valid))
    assert HeadConfig(layers="concat_last4").state_indices(12) == [9, 10, 11, 12]


def test_predictions_do_not_depend_on_the_batches(tokenizer):
    for kind in EXAMPLES:
        encoded, head = encoded_of(kind, tokenizer), head_of(kind).eval()
        found = []
        for tokens in (1, 40, 8192):
            outputs = {}
            for batch in eval_batches(encoded, tokens):
                logits = head(states(batch), batch.valid)
                outputs |= dict(zip(batch.index.tolist(), head.decode(logits, batch), strict=True))
            found.append(predictions(encoded, outputs))
        assert found[0] == found[1] == found[2]
        assert len(found[0]) == 8


def test_scores_are_learned_as_standard_scores(tokenizer):
    batch = collate(encoded_of("score", tokenizer), list(range(8)))
    head = head_of("score")
    head.set_scale(4.5, 2.5)
    torch.nn.init.zeros_(head.output.weight)
    logits = head(states(batch), batch.valid)
    assert logits.tolist() == [4.5] * 8
    expected = ((batch.labels - 4.5) / 2.5).square().mean().item()
    assert head.loss(logits, batch).item() == pytest.approx(expected)
    head.set_scale(3.0, 0.0)
    assert head.std == 1


def test_the_best_span_lies_in_the_context_in_order_and_is_short(tokenizer):
    task = make_task("span", max_length=128)
    encoded = encode([Example(question="q " * 5, context="x " * 100)], task, tokenizer, None)
    batch = collate(encoded, [0])
    places = batch.ids.shape[1]
    context = batch.context[0].nonzero().flatten().tolist()
    generator = torch.Generator().manual_seed(0)
    head = head_of("span")
    for _ in range(20):
        logits = torch.randn(1, places, 2, generator=generator) * 3
        start, end, score = head.decode(logits, batch)[0]
        allowed = [0, *context]
        first = dict(zip(allowed, logits[0, allowed, 0].log_softmax(0).tolist(), strict=True))
        last = dict(zip(allowed, logits[0, allowed, 1].log_softmax(0).tolist(), strict=True))
        best = max((first[i] + last[j], i, j) for i in context for j in range(i, min(i + 30, context[-1] + 1)))
        assert (start, end) == best[1:]
        assert score == pytest.approx(best[0], abs=1e-5)
