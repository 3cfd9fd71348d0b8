"""How far a layer's rules reach: whether they speak of one finding at a time, and which facts of it they come to.

Only a large run asks, and reading it off the syntax trees takes longer than a small decision: so it waits until then.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property

from secgate.policy.handed import Handling, Parameter, by_fact, handed, handlings
from secgate.policy.singly import depends_on_several, speaks_singly
from secgate.policy.tree import Module


class Reach:
    """What is read off a layer's modules. `ground` is the shipped layer's, None for that layer itself."""

    def __init__(
        self, modules: Sequence[Module], *, sets: Collection[str], rules: Collection[str], ground: Reach | None
    ) -> None:
        """Read nothing yet. `sets` are those that the layer speaks by, `rules` the packages that are not ground."""
        self._modules = tuple(modules)
        self._sets = frozenset(sets)
        self._rules = frozenset(rules)
        self._ground = ground

    @cached_property
    def several(self) -> frozenset[str]:
        """Full names whose value may depend on several findings; see `policy.singly`."""
        return depends_on_several(self._modules, known=self._ground.several if self._ground is not None else ())

    @cached_property
    def speaks_singly(self) -> bool:
        """Every rule speaks of one finding at a time, so that the layer says the same of a large run in parts."""
        # Of the shipped rules a test says so: what they gather over findings is asked for by a finding's own key.
        return self._ground is None or speaks_singly(self._modules, sets=self._sets, several=self.several)

    @cached_property
    def facts(self) -> frozenset[str]:
        """Facts of a finding that the layer's rules can come to, those of the ground below them with theirs."""
        ground = self if self._ground is None else self._ground
        rules = {package: one for package, one in self.handlings.items() if package in self._rules}
        below = {package: one for package, one in ground.handlings.items() if package not in ground.rules}
        return handed(rules, below)

    @property
    def judging(self) -> tuple[Module, ...]:
        """The module that reads what the rules say, in the ground alone."""
        return tuple(module for module in self._modules if module.package == "secgate.main")

    @property
    def rules(self) -> frozenset[str]:
        """Packages of its rules, the sentinel left out."""
        return self._rules

    @cached_property
    def handlings(self) -> Mapping[str, Handling]:
        """What each package does with findings."""
        return handlings(self._modules, parameters=self.parameters)

    @cached_property
    def parameters(self) -> frozenset[Parameter]:
        """Parameters of functions, from which facts alone are taken."""
        return by_fact(self._modules, known=self._ground.parameters if self._ground is not None else ())
