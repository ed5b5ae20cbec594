"""The table of pretrainings: two measures of held-out text, and which runs each compares."""

from thaw.report.collect import Run, Study
from thaw.report.pretrainings import MASKED, NAMES, UNKNOWN, WORDS, pretrainings, text_of, tokenizer_of
from thaw.report.tables.table import Table


def pretraining_tables(study: Study) -> list[Table]:
    """Return the table of the pretrainings, those of one tokenizer together, empty if there are none."""
    runs = sorted(pretrainings(study), key=lambda run: (tokenizer_of(run), str(run["encoder"]), str(run["run_id"])))
    if not runs:
        return []
    columns = ("run", "encoder", "tokenizer", "tokens", NAMES[MASKED], NAMES[WORDS], "± error", "+ at most", "text")
    return [
        Table(
            name="pretrainings",
            title="Held-out text under each pretraining",
            caption="Masked bits: 15 % of the pieces masked at once, over the bytes after normalisation; they compare"
            " runs of one tokenizer only. Bits of whole words: PLL-word-l2r (Kauf & Ivanova 2023) over raw bytes; they"
            " compare runs with the same text (its sha256). Error: standard error over passages. At most: what the"
            " number of masks may give away of the words, more for a small vocabulary.",
            columns=columns,
            rows=tuple(_row(run) for run in runs),
        )
    ]


def _row(run: Run) -> tuple[str, ...]:
    tokens = f"{run['tokens']:.3g}" if run["tokens"] is not None else UNKNOWN
    masked = _number(run["dev"]) if run["metric"] == MASKED else UNKNOWN
    extra = (_number(_last(run, f"dev/{name}")) for name in ("word_bits_error", "word_count_bits"))
    names = (str(run["run_id"]), str(run["encoder"] or UNKNOWN), tokenizer_of(run), tokens)
    return (*names, masked, _number(run[WORDS]), *extra, text_of(run)[:8] or UNKNOWN)


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.3f}"


def _last(run: Run, key: str) -> float | None:
    return next((event[key] for event in reversed(run.events) if event.get(key) is not None), None)
