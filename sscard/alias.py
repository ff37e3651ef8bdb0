"""``emulator`` and ``harness`` of an installed wheel: other names of ``sscard.emulator`` and ``sscard.harness``.

The wheel has both inside ``sscard``, where nobody else puts anything, and imports nothing from these names itself. So
whoever has a package or folder called so gets their own, wherever on the path it lies, and the command and the pytest
plugin work all the same; whoever has none gets ours: the very same modules.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

STANDS_IN = "__sscard__"
"""What a module has that stands for one of ours: the user's own folders of that name."""


class _Same(Loader):
    """Gives a module that has been imported under its own name."""

    def __init__(self, real: str) -> None:
        self._real = real
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:  # noqa: ARG002
        """Returns the module that the alias stands for."""
        module = importlib.import_module(self._real)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing but what importing it a second time has overwritten."""
        module.__spec__ = self._spec


class _Finder(MetaPathFinder):
    """Finds what is below a name that stands for one of ours, and that the user has not. Comes first: the path finder
    would load the files of our packages a second time.
    """

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Of ours, where we have it."""
        above = sys.modules.get(fullname.rpartition(".")[0])
        if above is None or not (hasattr(above, STANDS_IN) or above.__name__.startswith("sscard.")):
            return None
        if fullname.startswith("sscard.") or PathFinder.find_spec(fullname, getattr(above, STANDS_IN, ())) is not None:
            return None
        real = f"sscard.{fullname}"
        return ModuleSpec(fullname, _Same(real)) if importlib.util.find_spec(real) is not None else None


def stand_in(name: str) -> None:
    """Makes the package of this name, which is being imported, stand for ours; or gives way to one of the user's."""
    module = sys.modules[name]
    own = Path(str(module.__file__)).parent.resolve()
    theirs = PathFinder.find_spec(name, [entry for entry in sys.path if Path(entry, name).resolve() != own])
    if theirs is not None and theirs.loader is not None and theirs.origin is not None:
        module = sys.modules[name] = importlib.util.module_from_spec(theirs)
        theirs.loader.exec_module(module)
        return
    # A folder of the user's without __init__.py comes before ours too, file by file.
    module.__path__ = list(theirs.submodule_search_locations or ()) if theirs is not None else []
    setattr(module, STANDS_IN, module.__path__)
    module.__doc__ = importlib.import_module(f"sscard.{name}").__doc__
    if not any(isinstance(one, _Finder) for one in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
