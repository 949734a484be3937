"""Publish: classes go by the name of the package that exports them.

Pickles, messages and documentation name a class by `__module__`. The file that it is
defined in may move; the package that exports it stays.
"""

import inspect
import sys


def publish(namespace, module):
    """Set `__module__` of the classes in a namespace to the package that exports them.

    Called at the end of a package's ``__init__``: ``publish(globals(), __name__)``.
    Classes that are defined elsewhere keep their name, and so do private ones.
    """
    for name, value in namespace.items():
        if name.startswith("_") or not inspect.isclass(value):
            continue
        if value.__module__.startswith(f"{module}."):
            # doctest looks for examples in the file where a class says it is defined;
            # those in __test__ it takes from the file that has them.
            home = vars(sys.modules[value.__module__])
            home.setdefault("__test__", {})[name] = value
            value.__module__ = module
