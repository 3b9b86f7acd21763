"""The shape of a QIR function's forward branches: where the two sides of a branch meet again."""

from __future__ import annotations

from antiphon.frontends.qir_reader import Block, Function

EXIT = ""
"""The name of the point after every return."""


def successors(block: Block) -> tuple[str, ...]:
    """The blocks that may follow."""
    return block.instructions[-1].successors if block.instructions else ()


def topological_order(function: Function) -> list[str] | None:
    """The reachable blocks, each before those that may follow it; None when a branch goes back."""
    blocks = {block.name: block for block in function.blocks}
    order: list[str] = []
    state: dict[str, int] = {}  # 1 while its successors are visited, 2 when done
    stack = [(function.blocks[0].name, False)]
    while stack:
        name, is_done = stack.pop()
        if is_done:
            state[name] = 2
            order.append(name)
            continue
        if state.get(name):
            continue
        state[name] = 1
        stack.append((name, True))
        for following in successors(blocks[name]):
            if state.get(following) == 1:
                return None
            if following not in state:
                stack.append((following, False))
    return order[::-1]


def meeting_points(function: Function, order: list[str]) -> dict[str, str]:
    """For each block, the first block that every way from it passes (its immediate post-dominator), or EXIT."""
    blocks = {block.name: block for block in function.blocks}
    rank = {name: i for i, name in enumerate(order)} | {EXIT: len(order)}
    meets: dict[str, str] = {}
    for name in reversed(order):
        ways = successors(blocks[name]) or (EXIT,)
        point = ways[0]
        for other in ways[1:]:
            while point != other:
                if rank[point] < rank[other]:
                    point = meets[point]
                else:
                    other = meets[other]
        meets[name] = point
    return meets
