"""Notification messages: their language, recipients by transition, and delivery. Sections 3.23, 3.24 and 4 of the
semantics.

`parse` parses a text; all other functions use its result. Nothing here reads a clock.
"""

from ddassets.engine.message.conditions import (
    CHECK_TRANSITIONS,
    TRANSITIONS,
    Edge,
    conditions,
)
from ddassets.engine.message.delivery import Delivery, Link, Sender
from ddassets.engine.message.handles import (
    Handle,
    Mention,
    Reach,
    find_handles,
    handles,
    mentions,
    notify,
    reach,
    redirect,
)
from ddassets.engine.message.rendering import Rendered, Unheard, render, render_title, unheard
from ddassets.engine.message.trigger import Trigger, filter_tags, trigger
from ddassets.engine.message.variables import ENTITIES, Attributes, Context, Host
from ddassets.language.message.template import parse
from ddassets.language.message.tree import (
    Branch,
    Condition,
    Fault,
    Literal,
    MessageSyntaxError,
    Template,
    Use,
    position,
)
from ddassets.language.message.vocabulary import BARE_VARIABLES, CONDITIONALS, FLAGS

__all__ = [
    'BARE_VARIABLES',
    'CHECK_TRANSITIONS',
    'CONDITIONALS',
    'ENTITIES',
    'FLAGS',
    'TRANSITIONS',
    'Attributes',
    'Branch',
    'Condition',
    'Context',
    'Delivery',
    'Edge',
    'Fault',
    'Handle',
    'Host',
    'Link',
    'Literal',
    'Mention',
    'MessageSyntaxError',
    'Reach',
    'Rendered',
    'Sender',
    'Template',
    'Trigger',
    'Unheard',
    'Use',
    'conditions',
    'filter_tags',
    'find_handles',
    'handles',
    'mentions',
    'notify',
    'parse',
    'position',
    'reach',
    'redirect',
    'render',
    'render_title',
    'trigger',
    'unheard',
]
