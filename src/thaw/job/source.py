"""The digest of the package's source: two runs with the same one were computed by the same code. No torch here."""

import functools
import hashlib
from pathlib import Path

import thaw
from thaw.config import conf_dir

DIGITS = 12


@functools.cache  # reading the source takes 20 ms
def source() -> str:
    """Return 12 hexadecimal digits of the SHA-256 of every Python file of the package and every YAML file of conf/.

    A checkout and an installed wheel of the same version give the same digest. The code of plug-ins is not in it: their
    package and version are part of the run id.
    """
    digest = hashlib.sha256()
    for root, pattern in ((Path(thaw.__file__).parent, "*.py"), (conf_dir(), "*.yaml")):
        for file in sorted(root.rglob(pattern), key=lambda path: path.relative_to(root).as_posix()):
            content = file.read_bytes()
            digest.update(f"{file.relative_to(root).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:DIGITS]
