"""All files of one language as one program: which name means what, and who calls whom."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from workbench.codescan.expressions import Call, Expr, Member, Name
from workbench.codescan.facts import Binding, BindingKind, CallFact, FileFacts, Return, Scope
from workbench.codescan.language import Language

__all__ = ["Frame", "Here", "Package", "Program", "last_name"]

_SHORTEST = 3
"""Names of so many letters are too usual to be looked for in a whole tree."""

_MOST_HANDED_ON = 4
"""Through how many packages a name is followed that each only hands on."""

_PLAIN = re.compile(
    r"(?:\.\.\.)?(?:\[\])?(?:[us]?tr(?:ing)?|u?int\d*|bool|String|number|)|.*\bLabels"
)
"""Types of parameters, as written, that may be a label's value; none is written in Python."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The call by which a function was entered: it tells what its parameters are."""

    file: FileFacts
    scope: int
    call: Call
    here: Here


@dataclass(frozen=True, slots=True, eq=False)
class Here:
    """Where an expression stands, and by which call one came there."""

    file: FileFacts
    scope: int
    block: int
    at: int
    frame: Frame | None = None

    def binding(self, file: FileFacts, binding: Binding) -> Here:
        """Where a binding's value stands, which is just before the binding counts."""
        start = binding.value.start if binding.value is not None else binding.start
        return Here(file, binding.scope, binding.block, start, self.frame)

    def entered(self, frame: Frame | None) -> Here:
        """The same place, entered by another call."""
        return replace(self, frame=frame)


@dataclass(slots=True, eq=False)
class Package:
    """The files that see each other's names, and what they hold, by name."""

    key: str
    files: list[FileFacts] = field(default_factory=list)
    values: dict[str, list[tuple[FileFacts, Binding]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    fields: dict[str, list[tuple[FileFacts, Binding]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    elements: dict[str, list[tuple[FileFacts, Binding]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    functions: dict[str, list[tuple[FileFacts, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    calls: dict[str, list[tuple[FileFacts, CallFact]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    enums: dict[str, dict[str, str | None]] = field(default_factory=dict)
    field_types: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    field_order: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _local: dict[tuple[int, int, str], list[Binding]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _returns: dict[tuple[int, int], list[Return]] = field(default_factory=lambda: defaultdict(list))

    def add(self, file: FileFacts) -> None:
        """Take a file in."""
        self.files.append(file)
        self._bindings(file)
        for i, scope in enumerate(file.scopes):
            if scope.name:
                self.functions[scope.name].append((file, i))
        for fact in file.calls:
            name = last_name(fact.call.callee)
            if isinstance(fact.call.callee, Name):
                name = file.imports.get(name, "").partition("#")[2] or name
            self.calls[name].append((file, fact))
        for given in file.returns:
            self._returns[id(file), given.scope].append(given)
        for type_, members in file.enums.items():
            self.enums.setdefault(type_, {}).update(members)
        for (owner, name), type_ in file.fields.items():
            self.field_types[name][owner] = type_
            self.field_order[owner].append(name)

    def _bindings(self, file: FileFacts) -> None:
        for binding in file.bindings:
            if binding.kind is BindingKind.FIELD:
                self.fields[binding.name].append((file, binding))
                continue
            if binding.name.endswith("[]"):
                self.elements[binding.name[:-2]].append((file, binding))
            elif binding.scope == 0:
                self.values[binding.name].append((file, binding))
            self._local[id(file), binding.scope, binding.name].append(binding)

    def holds(self, name: str) -> bool:
        """Whether a variable, function or enum of this name stands in it."""
        return name in self.values or name in self.functions or name in self.enums

    def local(self, file: FileFacts, scope: int, name: str) -> list[Binding]:
        """A name's bindings in one scope, in the order of the text."""
        return self._local.get((id(file), scope, name), [])

    def returns(self, file: FileFacts, scope: int) -> list[Return]:
        """What a function gives back."""
        return self._returns.get((id(file), scope), [])


def last_name(expr: Expr) -> str:
    """The last name of what is called: ``With`` of ``a.b.With``; ``""`` where there is none."""
    if isinstance(expr, Name | Member):
        return expr.name
    return ""


class Program:
    """The packages of a tree, loaded when they are asked for.

    Parameters
    ----------
    language
        Theirs.
    paths
        Every source file of the language, below the scanned folder.
    load
        A path → its facts, or None where it cannot be read.
    facts
        Files that were read already.
    """

    def __init__(
        self,
        language: Language,
        paths: Iterable[str],
        load: Callable[[str], FileFacts | None],
        facts: Mapping[str, FileFacts],
    ) -> None:
        self.language = language
        self._load = load
        self._facts: dict[str, FileFacts | None] = dict(facts)
        self._members: dict[str, list[str]] = defaultdict(list)
        for path in paths:
            self._members[language.package_of(path)].append(path)
        self._imports: dict[tuple[str, str], str | None] = {}
        self.packages: dict[str, Package] = {}

    @property
    def keys(self) -> Iterable[str]:
        """All packages of the tree, loaded or not."""
        return self._members.keys()

    def package(self, key: str) -> Package | None:
        """A package with all its files; None where the tree has none such."""
        if key in self.packages:
            return self.packages[key]
        if key not in self._members:
            return None
        package = self.packages[key] = Package(key)
        for path in self._members[key]:
            if path not in self._facts:
                self._facts[path] = self._load(path)
            file = self._facts[path]
            if file is not None:
                package.add(file)
        return package

    def helpers(self) -> set[str]:
        """Names of functions with parameters that declare metrics or give labels values."""
        names: set[str] = set()
        words = self.language.declaring | self.language.using
        for package in self.packages.values():
            for word in words & package.calls.keys():
                for file, fact in package.calls[word]:
                    function = file.scopes[fact.scope]
                    plain = any(_PLAIN.fullmatch(p.type) for p in function.parameters)
                    if plain and len(function.name) > _SHORTEST:
                        names.add(function.name)
        return names - words

    def package_of(self, file: FileFacts) -> Package:
        """The package of a file."""
        package = self.package(self.language.package_of(file.path))
        assert package is not None
        return package

    def imported(self, name: str, file: FileFacts) -> Package | None:
        """The package of the tree that an imported name stands for."""
        said = file.imports.get(name)
        if said is None:
            return None
        asked = said, file.path.rpartition("/")[0]
        if asked not in self._imports:
            found = self.language.imported(said, file.path, self._members.keys())
            self._imports[asked] = found
        key = self._imports[asked]
        package = None if key is None else self.package(key)
        taken = said.partition("#")[2]
        return self._source(package, taken) if package is not None and taken else package

    def _source(self, package: Package, name: str, depth: int = 0) -> Package:
        """Where a name stands that a package only hands on: ``export * from "./hits"``."""
        if package.holds(name) or depth > _MOST_HANDED_ON:
            return package
        for file in package.files:
            for local, said in file.imports.items():
                if local != name and not local.startswith("*"):
                    continue
                key = self.language.imported(said, file.path, self._members.keys())
                other = self.package(key) if key is not None else None
                if other is None or other is package:
                    continue
                found = self._source(other, name, depth + 1)
                if found.holds(name):
                    return found
        return package

    @staticmethod
    def original(name: str, file: FileFacts) -> str:
        """What an imported name is called where it comes from."""
        return file.imports.get(name, "").partition("#")[2] or name

    def functions(self, callee: Expr, here: Here) -> list[tuple[FileFacts, int]]:
        """The functions of the tree that a call may mean: one, or several methods of one name."""
        own = self.package_of(here.file)
        if isinstance(callee, Name):
            found = own.functions.get(callee.name, [])
            if not found and (package := self.imported(callee.name, here.file)) is not None:
                found = package.functions.get(self.original(callee.name, here.file), [])
            return [(f, s) for f, s in found if not f.scopes[s].owner]
        if not isinstance(callee, Member):
            return []
        if isinstance(callee.of, Name) and callee.of.name in here.file.imports:
            other = self.imported(callee.of.name, here.file)
            found = other.functions.get(callee.name, []) if other is not None else []
            return [(f, s) for f, s in found if not f.scopes[s].owner]
        found = [(f, s) for f, s in own.functions.get(callee.name, []) if f.scopes[s].owner]
        owner = self._owner(callee.of, here)
        return [(f, s) for f, s in found if f.scopes[s].owner == owner] or found

    @staticmethod
    def _owner(expr: Expr, here: Here) -> str:
        scope = here.file.scopes[here.scope]
        return scope.owner if isinstance(expr, Name) and expr.name == scope.receiver else ""

    def callers(self, file: FileFacts, scope: int) -> list[tuple[Call, Here]]:
        """The calls, in the packages that are loaded, that may mean a function of the tree."""
        function = file.scopes[scope]
        own = self.package_of(file)
        result: list[tuple[Call, Here]] = []
        for package in list(self.packages.values()):
            for at, fact in package.calls.get(function.name, []):
                here = Here(at, fact.scope, fact.block, fact.call.start)
                if not _fits(fact.call, function):
                    continue
                if package is not own and not self._reaches(fact.call.callee, here, file, scope):
                    continue
                if package is own and bool(function.owner) != isinstance(fact.call.callee, Member):
                    continue
                result.append((fact.call, here))
        return result

    def _reaches(self, callee: Expr, here: Here, file: FileFacts, scope: int) -> bool:
        function = file.scopes[scope]
        if function.owner:
            # A method is taken to be meant where no other loaded package has one of its name.
            return isinstance(callee, Member) and all(
                p is self.package_of(file) or function.name not in p.functions
                for p in self.packages.values()
            )
        return (file, scope) in self.functions(callee, here)


def _fits(call: Call, function: Scope) -> bool:
    most = len(function.parameters)
    if any(p.type.startswith("...") or p.name.startswith("*") for p in function.parameters):
        return True
    least = sum(p.default is None for p in function.parameters)
    return least <= len(call.args) + len(call.keywords) <= most
