"""Tree-sitter grammars by name. A parser is made per call: nothing is kept between files."""

from __future__ import annotations

import ctypes

import tree_sitter


def parse(grammar: str, data: bytes) -> tree_sitter.Tree:
    """Parse `data`, which must be UTF-8. Broken text gives a tree with error nodes; nothing is raised for it.

    `grammar` is one of javascript, typescript, tsx, hcl, yaml.
    """
    return tree_sitter.Parser(tree_sitter.Language(_capsule(_pointer(grammar)))).parse(data)


def _pointer(grammar: str) -> object:
    """Give the language pointer of a grammar's wheel; a wheel is imported only where its language occurs."""
    if grammar == "javascript":
        import tree_sitter_javascript

        return tree_sitter_javascript.language()
    if grammar in ("typescript", "tsx"):
        import tree_sitter_typescript

        is_tsx = grammar == "tsx"
        return tree_sitter_typescript.language_tsx() if is_tsx else tree_sitter_typescript.language_typescript()
    if grammar == "hcl":
        import tree_sitter_hcl

        return tree_sitter_hcl.language()
    import tree_sitter_yaml

    return tree_sitter_yaml.language()


def _capsule(pointer: object) -> object:
    """Wrap a plain address, which older wheels give, in the capsule that tree-sitter asks for."""
    if not isinstance(pointer, int):
        return pointer
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    capsule: object = new(pointer, b"tree_sitter.Language", None)
    return capsule
