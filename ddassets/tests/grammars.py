"""Write the tables of the grammars: `make grammars`. Lark computes them; `ddassets.language.grammar` parses by them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from lark import Lark
from lark.lexer import BasicLexer, ContextualLexer

LANGUAGE = Path(__file__).parents[1] / 'src' / 'ddassets' / 'language'
#: Each grammar and where a text of it may start.
GRAMMARS = {
    LANGUAGE / 'query' / 'metrics.lark': ('monitor', 'queries', 'query', 'threshold_query'),
    LANGUAGE / 'message' / 'expression.lark': ('start',),
    LANGUAGE / 'downtime_scope.lark': ('start',),
    LANGUAGE / 'notification_scope.lark': ('start',),
}


def build(grammar: Path, **options: Any) -> Lark:
    """Return lark's own parser of a grammar."""
    return Lark(
        grammar.read_text(encoding='utf-8'),
        parser='lalr',
        lexer='contextual',
        start=list(GRAMMARS[grammar]),
        maybe_placeholders=False,
        **options,
    )


def compute(grammar: Path) -> dict[str, Any]:
    """Return the tables of a grammar, with stable numbers: lark's differ from run to run."""
    lark = build(grammar)
    table: Any = lark.parser.parser._parse_table
    lexer: Any = lark.parser.lexer
    assert isinstance(lexer, ContextualLexer)
    states = _in_order(table.states, [table.start_states[start] for start in GRAMMARS[grammar]])
    number = {state: index for index, state in enumerate(states)}
    rules = sorted({rule for state in states for rule in _reduced(table.states[state])}, key=lambda rule: str(rule))
    lexers = [_terminals(lexer.root_lexer)]
    lexer_of = []
    for state in states:
        names = _terminals(lexer.lexers[state])
        # Lark would name such a match by the text in quotes.
        assert not cast(BasicLexer, lexer.lexers[state]).callback, (
            f'{grammar}: a text in quotes is also a match of an expression'
        )
        if names not in lexers:
            lexers.append(names)
        lexer_of.append(lexers.index(names))
    return {
        'terminals': {terminal.name: terminal.pattern.to_regexp() for terminal in sorted(lark.terminals, key=str)},
        'ignored': sorted(lark.ignore_tokens),
        'starts': {
            start: [number[table.start_states[start]], number[table.end_states[start]]] for start in GRAMMARS[grammar]
        },
        'rules': [_rule(rule) for rule in rules],
        'lexers': lexers,
        'lexer_of': lexer_of,
        'states': [
            {
                name: -1 - rules.index(argument) if repr(action) == 'Reduce' else number[argument]
                for name, (action, argument) in sorted(table.states[state].items())
            }
            for state in states
        ],
    }


def render(tables: dict[str, Any]) -> str:
    """Return the tables as JSON, a line for each entry."""
    parts = []
    for key, value in tables.items():
        items = (
            [f'{json.dumps(name)}: {json.dumps(item)}' for name, item in value.items()]
            if isinstance(value, dict)
            else [json.dumps(item) for item in value]
        )
        opening, closing = '{}' if isinstance(value, dict) else '[]'
        separator = ', ' if key == 'lexer_of' else ',\n'
        parts.append(f'{json.dumps(key)}: {opening}\n{separator.join(items)}\n{closing}')
    return '{\n' + ',\n'.join(parts) + '\n}\n'


def _in_order(states: dict[Any, Any], starts: list[Any]) -> list[Any]:
    """Return the states in the order of a walk by sorted symbols."""
    order = dict.fromkeys(starts)
    pending = list(starts)
    while pending:
        for _, (action, argument) in sorted(states[pending.pop(0)].items()):
            if repr(action) == 'Shift' and argument not in order:
                order[argument] = None
                pending.append(argument)
    return list(order)


def _reduced(actions: dict[str, Any]) -> Iterator[Any]:
    return (argument for action, argument in actions.values() if repr(action) == 'Reduce')


def _rule(rule: Any) -> list[Any]:
    parts = rule.expansion
    assert not rule.options.keep_all_tokens and not rule.options.template_source
    assert not any(part.is_term and part.filter_out for part in parts), f'{rule}: name its terminals'
    name = rule.alias or rule.origin.name
    expand = [index for index, part in enumerate(parts) if not part.is_term and part.name.startswith('_')]
    passes = bool(rule.options.expand1 and not rule.alias)
    return [rule.origin.name, '' if name.startswith('_') else name, len(parts), passes, expand]


def _terminals(lexer: Any) -> list[str]:
    """Return the terminals in the order in which the lexer tries them."""
    assert isinstance(lexer, BasicLexer)
    return [terminal.name for terminal in lexer.scanner.terminals]


if __name__ == '__main__':
    for grammar in GRAMMARS:
        path = grammar.with_suffix('.json')
        path.write_text(render(compute(grammar)), encoding='utf-8')
        print(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
