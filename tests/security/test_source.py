"""The source itself: nothing in it can run what a file says."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from thaw.config import conf_dir

SOURCE = Path(__file__).resolve().parents[2] / "src" / "thaw"
FILES = sorted(SOURCE.rglob("*.py"))
MODULES = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle"}
MODULES |= {"code", "codeop", "runpy", "tarfile", "zipfile"}
CALLS = {"eval", "exec", "compile", "__import__"}
METHODS = {  # of any module: ends of the dotted name of what is called
    *("torch.load", "np.load", "numpy.load", "os.system", "os.popen", "yaml.unsafe_load", "yaml.full_load"),
    *("yaml.load_all", "instantiate", "register_new_resolver", "unpack_archive", "hub.load", "read_pickle"),
}
BY_NAME = ("cli/main.py", "cli/worker.py")  # import a module whose name stands in a table of theirs
WORKERS = ("cli/launch.py", "import joblib.externals.loky")  # speaks with processes that it has started itself


def dotted(node: ast.AST) -> str:
    """``a.b.c`` of a name or attribute, else an empty text."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}".lstrip(".")
    return node.id if isinstance(node, ast.Name) else ""


def faults(tree: ast.AST) -> Iterator[str]:
    """Yield what could run code, load objects or start a shell."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", None) or ""}
            yield from (f"import {name}" for name in names if name.partition(".")[0] in MODULES)
            if getattr(node, "module", None) in ("hydra.utils", "hydra._internal.instantiate"):
                yield f"import {names}"
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            if name in CALLS or any(name == one or name.endswith(f".{one}") for one in METHODS):
                yield name
            given = {word.arg: word.value for word in node.keywords}
            if name.endswith("importlib.import_module"):
                yield name
            if (
                name == "yaml.load"
                and "Safe" not in ast.dump(given.get("Loader", node))
                and "_Loader" not in ast.dump(node)
            ):
                yield name
            for word, allowed in (("shell", False), ("allow_pickle", False), ("weights_only", True)):
                if word in given and not (isinstance(given[word], ast.Constant) and given[word].value is allowed):
                    yield f"{name}({word}=...)"
            if given.get("trust_remote_code") is not None:
                yield f"{name}(trust_remote_code=...)"


def test_nothing_runs_what_a_file_says() -> None:
    found = {str(path.relative_to(SOURCE)): set(faults(ast.parse(path.read_text("utf-8")))) for path in FILES}
    assert len(found) > 100
    for name in BY_NAME:
        found[name].discard("importlib.import_module")
    found[WORKERS[0]].discard(WORKERS[1])
    assert {name: one for name, one in found.items() if one} == {}


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from dill import loads",
        "import torch\ntorch.load(x)",
        "np.load(x, allow_pickle=True)",
        "load(x, weights_only=False)",
        "eval('1')",
        "exec(x)",
        "subprocess.run(x, shell=True)",
        "yaml.load(x, Loader=yaml.Loader)",
        "from hydra.utils import instantiate",
        "importlib.import_module(x)",
        "AutoModel.from_pretrained(x, trust_remote_code=True)",
    ],
)
def test_the_test_finds_it(code: str) -> None:
    assert list(faults(ast.parse(code)))


def test_our_configs_name_no_code() -> None:
    paths = [*conf_dir().rglob("*.yaml"), *(conf_dir().parent / "experiments").rglob("*.yaml")]
    assert len(paths) > 50
    for path in paths:
        text = path.read_text("utf-8")
        assert not [word for word in ("_target_", "_partial_", "!!python", "${oc.", "${eval") if word in text], path
