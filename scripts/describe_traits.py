# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Describe the configurable classes of the installed JupyterHub packages, as JSON.

python scripts/describe_traits.py FILE [MODULE ...]

scripts/record_chart.py runs this in an environment with the packages of the hub's image, and nothing else;
scripts/record_jupyterhub.py in one with the packages of a hub on a machine. MODULEs are described besides packages.
"""

import contextlib
import importlib
import inspect
import json
import pkgutil
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import traitlets
from jupyterhub.auth import Authenticator
from traitlets.config import Configurable

#: Packages whose Configurable classes run in a hub.
PACKAGES = re.compile(r"jupyterhub|oauthenticator|[a-z]+authenticator|kubespawner")
#: Modules of these that run elsewhere (users' servers, services, tools), or have side effects when imported.
ELSEWHERE = re.compile(r"jupyterhub\.(singleuser|services\.auth|alembic)\b|.*\b(tests|__main__)\b")
#: Types of JupyterHub that accept more than their traitlets base class.
OWN_TYPES = {
    "ByteSpecification": ["memory"],
    "Command": ["list", "text"],
    "URLPrefix": ["text"],
}
#: The first match counts; traits that convert their value accept any.
TYPES = (
    ((traitlets.CUnicode, traitlets.CInt, traitlets.CFloat, traitlets.CBool), "any"),
    (traitlets.Callable, "callable"),
    (traitlets.Bool, "bool"),
    (traitlets.Int, "int"),
    (traitlets.Float, "number"),
    (traitlets.Unicode, "text"),
    (traitlets.Bytes, "bytes"),
    (traitlets.Type, "text"),
    (traitlets.Set, "set"),
    ((traitlets.List, traitlets.Tuple), "list"),
    (traitlets.Dict, "dict"),
)
#: Sets of text whose element type JupyterHub does not declare.
USERS = ("admin_users", "allowed_users", "blocked_users")
#: Traits that contain a secret; db_url may contain a password.
SECRET = re.compile(r"(secret|password|secret_key|(auth|api|service)_tokens?|^keys|^db_url)$")


def main() -> int:
    """Write the description of all classes and the names of authenticators."""
    modules = [module for name in packages() for module in modules_of(name)]
    modules += [importlib.import_module(name) for name in sys.argv[2:]]
    classes = sorted({*ancestors_too(modules)}, key=lambda entry: entry.__name__)
    names = [entry.__name__ for entry in classes]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"several classes have the same name: {', '.join(sorted(twice))}")
    Path(sys.argv[1]).write_text(
        json.dumps(
            {
                "classes": {entry.__name__: describe_class(entry) for entry in classes},
                "authenticators": dict(sorted(authenticators(modules))),
            }
        ),
        encoding="utf-8",
    )
    return 0


def packages() -> list[str]:
    """Return the names of the installed packages to describe."""
    return sorted(name for name in metadata.packages_distributions() if PACKAGES.fullmatch(name))


def modules_of(package: str) -> Iterator[ModuleType]:
    """Yield a package and its modules that run in a hub."""
    yield (parent := importlib.import_module(package))
    for module in pkgutil.iter_modules(getattr(parent, "__path__", []), f"{package}."):
        if ELSEWHERE.match(module.name):
            continue
        if module.ispkg:
            yield from modules_of(module.name)
        else:
            with optional_dependencies():
                yield importlib.import_module(module.name)


@contextlib.contextmanager
def optional_dependencies() -> Iterator[None]:
    """Pass over a module whose optional dependency is not installed: such a hub cannot use it either."""
    try:
        yield
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] in packages():
            raise


def configurables(modules: list[ModuleType]) -> Iterator[tuple[str, type[Configurable]]]:
    """Yield (dotted name, class) for every name under which a module holds a configurable class."""
    for module in modules:
        for name, value in vars(module).items():
            if inspect.isclass(value) and issubclass(value, Configurable) and not ELSEWHERE.match(value.__module__):
                yield f"{module.__name__}.{name}", value


def ancestors_too(modules: list[ModuleType]) -> Iterator[type[Configurable]]:
    """Yield the public configurable classes, and those they inherit traits from."""
    for _name, found in configurables(modules):
        if not found.__name__.startswith("_"):
            yield from parents(found, itself=True)


def parents(found: type[Configurable], itself: bool = False) -> list[type[Configurable]]:
    """Return the classes whose configuration sections a class reads, its own or its nearest first."""
    return [
        entry
        for entry in found.__mro__
        if issubclass(entry, Configurable) and entry is not Configurable and (itself or entry is not found)
    ]


def authenticators(modules: list[ModuleType]) -> Iterator[tuple[str, str]]:
    """Yield (value of authenticator_class, name of the class)."""
    for point in metadata.entry_points(group="jupyterhub.authenticators"):
        with optional_dependencies():
            yield point.name.lower(), point.load().__name__
    for name, found in configurables(modules):
        # Only in its own module or a parent package, not where it is merely imported.
        if issubclass(found, Authenticator) and found.__module__.startswith(name.rpartition(".")[0]):
            yield name, found.__name__


def describe_class(found: type[Configurable]) -> dict[str, Any]:
    """Return the ancestors of a class and the traits that it adds or changes."""
    login = issubclass(found, Authenticator)
    traits = {}
    for name, trait in sorted(found.class_own_traits(config=True).items()):
        traits[name] = describe_trait(trait)
        if SECRET.search(name) and traits[name]["type"] not in ("int", "bool"):
            traits[name]["secret"] = True
        if login and name in USERS:
            traits[name]["elements"] = {"type": "text"}
        if login and is_rule(name, traits[name]):
            traits[name]["rule"] = True
    every = found.class_traits(config=True)
    for old, (new, removed) in sorted(aliases(found).items()):
        if new in every:
            traits.setdefault(old, describe_trait(every[new]))["alias_of"] = new
            if removed:
                traits[old]["removed"] = True
    described: dict[str, Any] = {"parents": [entry.__name__ for entry in parents(found)], "traits": traits}
    # Without __init__, which may need a database; defaults do not.
    if login and found.__new__(found).allow_all:
        described["allows_all"] = True
    return described


def is_rule(name: str, described: dict[str, Any]) -> bool:
    """Return whether a trait of an authenticator decides who may log in: a list of users, or a boolean."""
    lists = name.startswith("allowed_") and described["type"] in ("set", "list", "dict")
    return lists or name in ("allow_all", "allow_existing_users", "idps")


def aliases(found: type[Configurable]) -> dict[str, tuple[str, bool]]:
    """Return the old names that a class itself declares: (new name, whether JupyterHub rejects the old one)."""
    declared: dict[str, tuple[Any, ...]] = {}
    for attribute in ("_deprecated_aliases", "_deprecated_oauth_aliases", "_deprecated_traits"):
        declared.update(vars(found).get(attribute, {}))
    # In OAuthenticator, a third field says whether the old name still works.
    result = {old: (entry[0], len(entry) > 2 and not entry[2]) for old, entry in declared.items()}
    return {old: (result.get(new, (new,))[0], removed) for old, (new, removed) in result.items()}


def describe_trait(trait: traitlets.TraitType[Any, Any]) -> dict[str, Any]:
    """Return the description of a trait."""
    members = trait.trait_types if isinstance(trait, traitlets.Union) else [trait]
    types = list(dict.fromkeys(name for member in members for name in types_of(member)))
    described: dict[str, Any] = {"type": types[0] if len(types) == 1 else types}
    if trait.allow_none or any(member.allow_none for member in members):
        described["nullable"] = True
    choices = choices_of(trait)
    if choices:
        described["choices"] = choices
    elements = [describe_trait(element) for element in map(element_of, members) if element]
    if len(elements) == 1 and elements[0]["type"] != "any":
        described["elements"] = elements[0]
    return described


def types_of(trait: traitlets.TraitType[Any, Any]) -> list[str]:
    """Return the names of the JSON types that a trait accepts."""
    kind = type(trait)
    if kind.__name__ in OWN_TYPES:
        return OWN_TYPES[kind.__name__]
    if choices_of(trait):
        return ["text"] if all(isinstance(choice, str) for choice in choices_of(trait)) else ["any"]
    # JupyterHub's own class, older than that of traitlets.
    if kind.__name__ == "Callable":
        return ["callable"]
    if kind.__module__ != "traitlets.traitlets" and kind.__name__ != "EntryPointType":
        return ["any"]
    return [next((name for classes, name in TYPES if isinstance(trait, classes)), "any")]


def choices_of(trait: traitlets.TraitType[Any, Any]) -> list[Any]:
    """Return the values that a trait is limited to, or none."""
    if isinstance(trait, traitlets.UseEnum):
        return [member.name for member in trait.enum_class]
    return list(trait.values) if isinstance(trait, traitlets.Enum) else []


def element_of(trait: traitlets.TraitType[Any, Any]) -> Any:
    """Return the trait of the elements of a list, set or dict, or None."""
    if isinstance(trait, traitlets.Dict):
        return trait._value_trait
    if isinstance(trait, (traitlets.List, traitlets.Set)):
        return trait._trait
    return None


if __name__ == "__main__":
    sys.exit(main())
