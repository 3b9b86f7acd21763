"""The shape of a QIR function: where the ways of a branch meet again, and which branches lead back to themselves."""

from __future__ import annotations

from antiphon.frontends.qir_reader import Block, Function

EXIT = ""
"""The name of the point after every return."""


def successors(block: Block) -> tuple[str, ...]:
    """The blocks that may follow."""
    return block.instructions[-1].successors if block.instructions else ()


class Flow:
    """What follows what in one function.

    Attributes:
        blocks: Blocks by name.
        first: Where the function begins.
        meets: For each block, the first block that every way from it to a return passes (its immediate
            post-dominator), or EXIT; a block from which no way leads to a return has none.
    """

    def __init__(self, function: Function) -> None:
        self.blocks = {block.name: block for block in function.blocks}
        self.first = function.blocks[0].name
        self._ways = {block.name: successors(block) or (EXIT,) for block in function.blocks}
        self.meets = _meeting_points(self._ways)
        self._returning: dict[tuple[str, str], bool] = {}

    @property
    def has_loop(self) -> bool:
        """Whether some way leads back to where it was."""
        state: dict[str, int] = {}  # 1 while its successors are visited, 2 when done
        stack = [(self.first, False)]
        while stack:
            name, is_done = stack.pop()
            if is_done:
                state[name] = 2
            elif name not in state and name != EXIT:
                state[name] = 1
                stack.append((name, True))
                if any(state.get(way) == 1 for way in self._ways[name]):
                    return True
                stack.extend((way, False) for way in self._ways[name])
        return False

    def leads_back(self, start: str, block: str) -> bool:
        """Whether a way from `start` comes to `block` before it comes to where the ways of `block` meet."""
        key = (start, block)
        if key not in self._returning:
            stop = self.meets.get(block, EXIT)
            seen: set[str] = set()
            stack = [start]
            while stack and block not in seen:
                name = stack.pop()
                if name not in seen and name not in {stop, EXIT}:
                    seen.add(name)
                    stack.extend(self._ways[name])
            self._returning[key] = block in seen
        return self._returning[key]


def _meeting_points(ways: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Immediate post-dominators, by the algorithm of Cooper, Harvey and Kennedy on the reversed graph."""
    before: dict[str, list[str]] = {}
    for name, following in ways.items():
        for way in following:
            before.setdefault(way, []).append(name)
    order = _postorder(before)
    rank = {name: place for place, name in enumerate(order)}
    meets = {EXIT: EXIT}
    changed = True
    while changed:
        changed = False
        for name in reversed(order):
            if name == EXIT:
                continue
            found = ""
            known = [way for way in ways[name] if way in meets]
            for place, way in enumerate(known):
                found = way if place == 0 else _common(found, way, meets, rank)
            if known and meets.get(name) != found:
                meets[name] = found
                changed = True
    del meets[EXIT]
    return meets


def _common(left: str, right: str, meets: dict[str, str], rank: dict[str, int]) -> str:
    while left != right:
        while rank[left] < rank[right]:
            left = meets[left]
        while rank[right] < rank[left]:
            right = meets[right]
    return left


def _postorder(before: dict[str, list[str]]) -> list[str]:
    """Blocks from which a return is reached, in postorder of the reversed graph, EXIT last."""
    order: list[str] = []
    seen = {EXIT}
    stack = [(EXIT, iter(before.get(EXIT, ())))]
    while stack:
        name, waiting = stack[-1]
        following = next((way for way in waiting if way not in seen), None)
        if following is None:
            order.append(name)
            stack.pop()
        else:
            seen.add(following)
            stack.append((following, iter(before.get(following, ()))))
    return order
