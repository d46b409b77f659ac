"""What is in a query: selectors, with what is done to them.

The grammar is promql-parser's; this only walks its tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser as grammar

SET_OPERATORS = {"and", "unless"}

# Values of the variables with which a query is valid PromQL; which ones does not matter.
PLACEHOLDERS = {
    "__rate_interval": "1m",
    "__interval": "1m",
    "__range": "1h",
    "property": "1",
    "window": "30m",
    "job": "job",
    "instance": "instance",
}


@dataclass(frozen=True)
class Selector:
    """A selector with the operations around it, the outermost first: aggregations and functions by their names, and
    `filter` for the right side of `and` and `unless`."""

    node: grammar.VectorSelector
    around: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.node.name or ""

    @property
    def matchers(self) -> dict[str, tuple[str, str]]:
        """Operator and value by label."""
        return {matcher.name: (str(matcher.op), matcher.value) for matcher in self.node.matchers.matchers}


def selectors(query: str) -> list[Selector]:
    return list(_walk(grammar.parse(query), ()))


def _walk(node: grammar.Expr, around: tuple[str, ...]) -> Iterator[Selector]:
    match node:
        case grammar.VectorSelector():
            yield Selector(node, around)
        case grammar.MatrixSelector():
            yield Selector(node.vector_selector, around)
        case grammar.AggregateExpr():
            yield from _walk(node.expr, (*around, str(node.op)))
        case grammar.Call():
            for argument in node.args:
                yield from _walk(argument, (*around, node.func.name))
        case grammar.BinaryExpr():
            yield from _walk(node.lhs, around)
            filters = str(node.op) in SET_OPERATORS
            yield from _walk(node.rhs, (*around, "filter") if filters else around)
        case grammar.ParenExpr() | grammar.UnaryExpr() | grammar.SubqueryExpr():
            yield from _walk(node.expr, around)
