import numpy as np
import pytest
from task_files import make_task

from thaw.task.encode import encode
from thaw.task.example import Example
from thaw.task.metrics import Metrics
from thaw.task.predict import predictions


def test_probabilities_have_six_digits(tokenizer):
    encoded = encode([Example(text_a="a")], make_task("classes"), tokenizer, ["x", "y"])
    found = predictions(encoded, {0: np.array([0.123456789, 0.876543211], np.float32)})
    assert found == [{"prediction": "y", "scores": [0.123457, 0.876543]}]


def test_every_item_needs_an_output(tokenizer):
    encoded = encode([Example(text_a="a"), Example(text_a="b")], make_task("classes"), tokenizer, ["x", "y"])
    with pytest.raises(AssertionError, match="1 of 2 items have no output"):
        predictions(encoded, {0: np.array([1.0, 0.0])})


@pytest.mark.parametrize(("labels", "filled"), [(["B-A", "I-A", "O"], "O"), (["NOUN", "VERB"], "NOUN")])
def test_words_cut_off_count_as_outside_and_stay_in_the_metrics(tokenizer, labels, filled):
    task = make_task("tags", max_length=8, metric="token_accuracy")
    example = Example(tokens=["abcdef"] * 5, tags=[labels[0]] * 5)
    encoded = encode([example], task, tokenizer, labels)
    found = predictions(encoded, {0: np.full(8, 0)})
    assert found[0]["prediction"] == [labels[0]] * 3 + [filled] * 2
    metrics = Metrics(task, labels)
    metrics.update([example], found)
    values = metrics.compute()
    assert values["token_accuracy"] == (0.6 if filled == "O" else 1.0)


def test_the_best_window_answers_with_characters_of_the_context(tokenizer):
    context = "Intro  (the\tLatin name) " + "filler " * 60 + "ends in  Rome."
    task = make_task("span", max_length=64, stride=8)
    encoded = encode(
        [Example(question="where?", context=context), Example(question="?", context="here")], task, tokenizer, None
    )
    windows = [number for number, item in enumerate(encoded.items) if item.example == 0]
    assert len(windows) > 2
    outputs = {number: (0, 0, float("-inf")) for number in range(len(encoded))}
    item = encoded.items[windows[-1]]
    begin = int(np.flatnonzero(item.offsets[:, 0] == context.index("in  Rome"))[0])
    end = int(np.flatnonzero(item.offsets[:, 1] == len(context))[0])
    outputs[windows[0]] = (4, 4, -5.0)
    outputs[windows[-1]] = (begin, end, -0.1234567)
    found = predictions(encoded, outputs)
    assert found[0] == {"prediction": "in  Rome.", "scores": -0.123457}
    assert found[1] == {"prediction": "", "scores": None}  # no window has an answer
