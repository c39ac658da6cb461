"""Gated deep linear networks: graphs of linear layers whose nodes and edges are switched by gates that come with the data.

`GatedNetwork` is the graph, `GatedMoments` what it sees of the data; the solvers of `simulate` take both as they take a chain.
`reduce` tests whether the modes of the task learn independently, and gives the reduced network.
"""

from dlnlib.gated._graph import GatedNetwork, Path
from dlnlib.gated._moments import GatedMoments
from dlnlib.gated._reduction import Reduction, reduce

__all__ = ["GatedMoments", "GatedNetwork", "Path", "Reduction", "reduce"]
