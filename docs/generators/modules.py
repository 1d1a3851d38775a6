"""Every module of the product, imported."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

SERVICES = ("auth", "processor")
_PACKAGES = ("shared", *(f"services.{name}" for name in SERVICES))
_NOT_THE_PRODUCT = ("shared.testing",)


def product_modules() -> Iterator[ModuleType]:
    """In the order of their names. Importing a module of ours does nothing, save `__main__`, which is left out."""
    for package in _PACKAGES:
        root = importlib.import_module(package)
        for found in pkgutil.walk_packages(root.__path__, f"{package}."):
            if not found.name.endswith("__main__") and not found.name.startswith(_NOT_THE_PRODUCT):
                yield importlib.import_module(found.name)


def part_of(module: str) -> str:
    """`shared`, `auth` or `processor`."""
    first, second, *_ = [*module.split("."), ""]
    return second if first == "services" else first
