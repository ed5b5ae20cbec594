"""``THAW_SLOW=20``: a machine so busy that every time limit of W&B and of the tests about it is 20 times as long.

Where it is not set the limits of tests, not those of W&B, grow with the load of the machine.
"""

import os

from thaw.process import cores

SLOW = float(os.environ.get("THAW_SLOW", "1"))


def room() -> float:
    """Return how many times as long something may take here and now: other processes want the cores too."""
    return max(SLOW, 1 + 2 * os.getloadavg()[0] / cores())


def relax() -> None:
    """Lengthen the limits of this process."""
    if SLOW == 1:
        return
    from thaw.track import reach, wandb_recording, wandb_run

    for module, names in (
        (wandb_recording, ("PATIENCE_SECONDS", "FIRST_SECONDS", "START_SECONDS", "CALL_SECONDS", "LAST_SECONDS")),
        (reach, ("AUTO_SECONDS", "ONLINE_SECONDS")),
    ):
        for name in names:
            setattr(module, name, getattr(module, name) * SLOW)
    for name in ("x_service_wait", "init_timeout", "finish_timeout"):
        wandb_run.SETTINGS[name] *= SLOW
