"""The header of every result: what it was measured on, and with what."""

import datetime
import os

import numpy as np

from .. import __version__
from .._base import machine
from .._base.threads import cpu_count

PACKAGES = "numpy", "scipy", "numba", "llvmlite"


def environment(*, pinned: bool, packages: tuple[str, ...] = ()) -> dict:
    """Describe the machine and the versions.

    Parameters
    ----------
    pinned : bool
        Whether BLAS was kept to one thread.
    packages : tuple of str
        Packages that took part, besides fastbutterfly, NumPy, SciPy and Numba.

    Returns
    -------
    dict
        ``date``, ``cpu``, ``register_bits``, ``cpus``, ``blas``, ``blas_threads`` (1,
        or "as they were"), ``load`` (how many processes ran or waited in the last
        minute, this one among them; None where unknown) and ``versions``, by name.
    """
    names = dict.fromkeys((*PACKAGES, *packages))
    versions = {"fastbutterfly": __version__, **machine.versions(*names)}
    return {
        "date": datetime.date.today().isoformat(),
        "cpu": machine.cpu_name(),
        "register_bits": machine.register_bits(),
        "cpus": cpu_count(),
        "blas": blas(),
        "blas_threads": 1 if pinned else "as they were",
        "load": load(),
        "versions": versions,
    }


def load() -> float | None:
    """Return the load average of the last minute, None where there is none."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):
        return None


def busy() -> bool:
    """Whether other processes leave this one less than a whole CPU."""
    average = load()
    return average is not None and average > cpu_count() - 0.5


def blas() -> str:
    """Return the name and version of NumPy's BLAS library, or "unknown"."""
    try:
        library = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    except (KeyError, TypeError):
        return "unknown"
    return f"{library.get('name', 'unknown')} {library.get('version', '')}".strip()
