"""WeCom's XML as a tree of dicts, read by expat itself with everything but elements and text refused.

Forbidding the DTD forbids entities with it, and so expansion, external files and addresses. defusedxml does the same by
the same handler, at 30 µs instead of 12 for an event of ten fields, which every callback pays.
"""

from typing import TypeAlias
from xml.parsers import expat

from bot.wecom.errors import Unreadable

Tree: TypeAlias = "str | dict[str, Tree] | list[Tree]"
DEEPEST = 16  # elements; WeCom's own nest four deep


def read(xml: bytes) -> dict[str, Tree]:
    """The children of the root by name: text, a dict of children, or a list where a name comes more than once.

    xml: UTF-8 whatever it declares (but for a byte order mark of UTF-16), at most 1 MiB (the caller's check).
    Attributes, comments and text beside child elements are left out. Raises Unreadable.
    """
    open_elements: list[dict[str, Tree]] = [{}]
    text: list[str] = []

    def start(name: str, _attributes: object) -> None:
        if len(open_elements) > DEEPEST:
            raise Unreadable(f"the XML is more than {DEEPEST} elements deep")
        open_elements.append({})
        text.clear()

    def end(name: str) -> None:
        node: Tree = open_elements.pop() or "".join(text)
        siblings = open_elements[-1]
        before = siblings.get(name)
        if before is None:
            siblings[name] = node
        elif isinstance(before, list):
            before.append(node)
        else:
            siblings[name] = [before, node]

    def doctype(*_: object) -> None:
        raise Unreadable("the XML has a DTD")

    parser = expat.ParserCreate("UTF-8")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = text.append
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise Unreadable(f"the XML is not well-formed: {expat.errors.messages[error.code]}") from None
    root = next(iter(open_elements[0].values()))
    if not isinstance(root, dict):
        raise Unreadable("the XML has no fields")
    return root
