"""Queues on a virtual clock: the engine's own rules of picking, holds and shares, over synthetic or recorded arrivals.

Nothing here runs programs or stores anything. `workload` says what is asked, `targets` when it can be served,
`queue_run` runs one queue, `run` all of them, and `measure` says what came of it.
"""
