"""Pretrainings side by side: how well each knows held-out text, and which of two measures compares which runs.

Decision: the key ``bits_per_byte`` of rows and events stays, since a key is a name of record: run folders written
before hold it, and one number under two names would be two curves. What it is stands wherever people read it.
"""

from collections.abc import Iterable

from thaw.report.collect import Run, Study
from thaw.report.damage import is_number

MASKED, WORDS = "bits_per_byte", "word_bits_per_byte"
NAMES = {
    MASKED: "masked bits per normalised byte (one tokenizer)",
    WORDS: "bits per raw byte of whole words (any tokenizer)",
}
UNKNOWN = "–"


def measure_name(key: str) -> str:
    """Return what a measure of held-out text is called where people read it; any other key as it is."""
    return NAMES.get(key.removeprefix("dev/"), key)


def pretrainings(study: Study) -> list[Run]:
    """Return the pretrainings that were scored on held-out text."""
    return [run for run in study.runs if run["kind"] == "pretrain" and run["dev"] is not None]


def pretraining_notes(study: Study) -> list[str]:
    """Return what must be known before pretrainings are compared, empty where one tokenizer made them all."""
    runs = pretrainings(study)
    tokenizers = {_sha(run) for run in runs} - {""}
    if len(tokenizers) < 2:
        return []
    start = f"{len(runs)} pretrainings have {len(tokenizers)} tokenizers: their {MASKED} do not compare across them"
    without = sum(run[WORDS] is None for run in runs)
    texts = {text_of(run) for run in runs}
    if without == len(runs):
        end = f"; {WORDS} would, which these runs have not."
    elif without:
        end = f"; {WORDS} does, which {without} of the runs have not."
    elif len(texts) > 1:
        end = f", nor does {WORDS}: it was taken of {len(texts)} different texts."
    else:
        end = f"; {WORDS} does, up to the bits that the number of masks may give away."
    return [start + end, *_losses(runs)]


def _losses(runs: Iterable[Run]) -> Iterable[str]:
    """Tell of tokenizers that drop characters: what is dropped need not be predicted."""
    for tokenizer, about in sorted({tokenizer_of(run): _about(run) for run in runs}.items()):
        lost, words = about.get("lost_words"), about.get("words")
        if is_number(lost) and is_number(words) and lost:
            what = f"drops characters (capitals, unknown ones) of {lost} of {words} words scored"
            yield f"The tokenizer {tokenizer} {what}: it has less to predict, which lowers its {WORDS}."


def _sha(run: Run) -> str:
    return str(run.lineage.get("tokenizer") or "")


def tokenizer_of(run: Run) -> str:
    """Return what a tokenizer is called: its kind and size where the run chose them, the start of its sha256."""
    chosen = not run.config.get("checkpoint") and not run.config.get("tokenizer.path")
    words = [str(run.config.get(f"tokenizer.{key}") or "") for key in ("kind", "vocab_size")] if chosen else []
    return " ".join(filter(None, [*words, _sha(run)[:8]])) or UNKNOWN


def _about(run: Run) -> dict[str, object]:
    about = run.lineage.get("passages")
    return about if isinstance(about, dict) else {}


def text_of(run: Run) -> str:
    """Return the sha256 of the raw text that the words were scored on."""
    return str(_about(run).get("sha256") or "")
