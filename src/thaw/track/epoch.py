"""The results epoch: the number in every run id that says which code's results a run holds.

A run id is made of settings and inputs, and can not see a mended bug: the same command would serve the number from
before. So the epoch is raised with every change that moves a result beyond rounding: then all runs have new ids and run
again, and the old folders stay as they are. ``tests/job/golden/results.json`` holds values that such a change moves;
its test fails when they move and the epoch does not.

It is part of the id of pretrainings, transfers, controls and tokenizers, and of the names of tokenised text and of
features in the cache: all of these are computed by code that may be mended. A checkpoint, a tokenizer or a file that a
run reads is named by its content, whatever made it.
"""

RESULTS = 3

HISTORY = {
    1: "everything before 2026-11-28; ids had no epoch",
    2: "Matthews of constant predictions is 0, labels -1 and 1 are in order, F1 of an answer without words is 0, "
    "dropout is drawn by row of the batch with trainer.accumulate > 1 or several processes",
    3: "dropout between the layers of a BiLSTM is drawn by row of the batch, always",
}
