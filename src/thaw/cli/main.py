"""The dispatcher: command -> module, and every failure as one line with an exit code.

Decisions taken here:
* A command's module is imported when it is called, so ``thaw --help`` needs neither hydra nor torch.
* A signal that asks the process to end does so by an exception, so that runs can save what they have; the exit code is
  128 + its number whatever a library makes of the exception on its way up.
"""

import contextlib
import importlib
import os
import sys
import traceback

from thaw import __version__
from thaw.cli.interrupt import pass_on
from thaw.errors import ConfigError, ThawError, nearest
from thaw.track.command import typed
from thaw.track.redact import shown
from thaw.train.interrupt import stoppable
from thaw.train.world import FIRST

COMMANDS = {
    "tokenizer": ("thaw.cli.tokenizer", "train a SentencePiece tokenizer, report how it cuts texts"),
    "pretrain": ("thaw.cli.pretrain", "learn an encoder from unlabelled text"),
    "transfer": ("thaw.cli.transfer", "learn a task with a strategy, from a checkpoint or without"),
    "resume": ("thaw.cli.resume", "go on with an interrupted run from its folder alone"),
    "study": ("thaw.cli.study", "run all stages of a study of experiments/, then write its page"),
    "predict": ("thaw.cli.predict", "label the texts of a file with a transferred model"),
    "report": ("thaw.cli.report", "compare runs on one self-contained page"),
    "runs": ("thaw.cli.runs", "list runs and their state; --prune what they leave on disk"),
    "import": ("thaw.cli.import_", "bring in an encoder of the BERT family from a Hugging Face folder"),
    "export": ("thaw.cli.export", "write a transferred model as a Hugging Face folder"),
    "demo": ("thaw.cli.demo", "the whole chain on real text, a quarter of an hour"),
}

COMPOSED = ("tokenizer", "pretrain", "transfer")  # Hydra apps: --debug becomes a config field that reaches every job

HELP = """thaw {version}: does transfer learning save time, improve accuracy, need fewer labels?

usage: thaw COMMAND [ARGUMENTS]

{commands}

  thaw COMMAND --help     what a command takes
  thaw --version
"""


def main(argv: list[str] | None = None) -> int:
    """Run one command; return the exit code."""
    program, argv = argv is None, list(sys.argv[1:] if argv is None else argv)
    os.environ.setdefault("PYTHONSAFEPATH", "1")  # else workers import what lies in the working folder: a pickle.py
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait give way: DECISIONS.md, "A busy machine"
    with stoppable(pass_on, stays=program) as stop, typed(argv):
        code = _run(argv)
    if not stop.number:
        return code
    ended = stop.error()
    if FIRST not in os.environ:  # the first process of a run speaks for all
        with contextlib.suppress(OSError):  # SIGHUP: the terminal is gone
            print(f"interrupted by {ended}: {ended.remedy}", file=sys.stderr)
    if program:
        _flush()
    return int(ended.code or 0)


def _flush() -> None:
    """Write out what was printed, to nowhere where that fails: Python would end with code 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _run(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help", "help"):
        width = max(map(len, COMMANDS))
        lines = [f"  {name:<{width}}   {words}" for name, (_, words) in COMMANDS.items()]
        print(HELP.format(version=__version__, commands="\n".join(lines)), end="")
        return 0
    if argv[0] in ("--version", "-V"):
        print(f"thaw {__version__}")
        return 0
    debug = "--debug" in argv
    try:
        if argv[0] not in COMMANDS:
            raise ConfigError(f"unknown command '{argv[0]}'{nearest(argv[0], COMMANDS)}")
        module = importlib.import_module(COMMANDS[argv[0]][0])
        words = [word for word in argv[1:] if word != "--debug"]
        return int(module.main(words + ["debug=true"] * (debug and argv[0] in COMPOSED)) or 0)
    except KeyboardInterrupt:
        return 130
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 2 if error.code else 0
    except BrokenPipeError:  # thaw runs | head
        sys.stderr.close()
        return 0
    except Exception as error:
        if debug:
            print(trace(), file=sys.stderr)
        print(f"error: {one_line(error)}", file=sys.stderr)
        return error.exit_code if isinstance(error, ThawError) else 1


def trace() -> str:
    """Return the traceback of the exception at hand, without secrets; each line for itself, since some hold code."""
    return "\n".join(shown(line) for line in traceback.format_exc().splitlines())


def one_line(error: BaseException) -> str:
    """Return an exception as one line without secrets; one that is not ours says its class and how to see more."""
    text = shown(" ".join(str(error).split()))
    if len(text) > 600:  # a name or value of thousands of letters: what and where stand first, the remedy last
        text = f"{text[:400]} … {text[-180:]}"
    if isinstance(error, ThawError):
        return text
    return f"{type(error).__name__}: {text[:300] or 'no message'} (--debug shows the traceback)"
