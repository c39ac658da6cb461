"""Gated deep linear networks: graphs of linear layers whose nodes and edges are switched by gates that come with the data.

`GatedNetwork` is the graph, `GatedMoments` what it sees of the data; the solvers of `simulate` take both as they take a chain.
`reduce` tests whether the modes of the task learn independently, and gives the reduced network.
Closed forms: the race of a shared with private paths, the routing network, XOR.
`python -m dlnlib.gated` computes the stored runs of the routing network anew; it takes some minutes.
"""

from dlnlib.gated._blocks import RoutingRun, routing_chain, routing_descent
from dlnlib.gated._graph import GatedNetwork, Path
from dlnlib.gated._moments import GatedMoments
from dlnlib.gated._race import race_end, race_flow, race_network, race_private, race_strengths, race_task, race_time
from dlnlib.gated._reduction import Reduction, reduce
from dlnlib.gated._routing import (
    blocks,
    circulant,
    components,
    hub,
    routing_end,
    routing_network,
    routing_strengths,
    routing_table,
    routing_task,
    routing_time,
    staircase,
)
from dlnlib.gated._table import GAINS, TOPOLOGIES, routing_cell, routing_topology, small_cell, stored_routing, stored_small
from dlnlib.gated._xor import xor_loss, xor_network, xor_strength, xor_task

__all__ = [
    "GAINS",
    "TOPOLOGIES",
    "GatedMoments",
    "GatedNetwork",
    "Path",
    "Reduction",
    "RoutingRun",
    "blocks",
    "circulant",
    "components",
    "hub",
    "race_end",
    "race_flow",
    "race_network",
    "race_private",
    "race_strengths",
    "race_task",
    "race_time",
    "reduce",
    "routing_cell",
    "routing_chain",
    "routing_descent",
    "routing_end",
    "routing_network",
    "routing_strengths",
    "routing_table",
    "routing_task",
    "routing_time",
    "routing_topology",
    "small_cell",
    "staircase",
    "stored_routing",
    "stored_small",
    "xor_loss",
    "xor_network",
    "xor_strength",
    "xor_task",
]
