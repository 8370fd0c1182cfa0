"""The edges of many outlines in one plane woven together: which run on one line, and what is left over of them.

Most edges of a cadastral map are drawn twice, once for each side. Take those pairs out, and the few lines left over
tell whether any ground is covered twice: around each point they turn as often as all the outlines together do.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from panhuo.inventory.geometry import Bools, Floats, Ints
from panhuo.inventory.overlay_vertices import Vertices, spans

GRID_M: Final = 1e-3
"""Points this near are one."""
NOISE_M: Final = 1e-7
"""A strip thinner than this is the arithmetic's own error."""

_Words = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Fabric:
    """The edges of some outlines, in the outlines' order; edges shorter than the grid are left out.

    xy: (points, 2) [m]; tail, head: the points an edge runs from and to, with its outline on the left; owner: the
    position of its outline; line: edges with the same ends have the same number; up: whether it runs from the line's
    lesser end; order, begins: the edges by line, and where each line begins among them; exact: of each line, whether
    its edges' ends are the same to the last bit.
    """

    xy: Floats
    tail: Ints
    head: Ints
    owner: Ints
    line: Ints
    up: Bools
    order: Ints
    begins: Ints
    exact: Bools

    def shared(self) -> tuple[Ints, Ints]:
        """(one, two): edges of two outlines on one line, one < two."""
        size = np.diff(self.begins)
        pairs = [(np.empty(0, np.int64), np.empty(0, np.int64))]
        for lag in range(1, int(size.max(initial=1))):
            more = size > lag
            at = spans(self.begins[:-1][more], size[more] - lag)
            one, two = self.order[at], self.order[at + lag]
            apart = self.owner[one] != self.owner[two]
            pairs.append((one[apart], two[apart]))
        one, two = (np.concatenate(side) for side in zip(*pairs, strict=True))
        return one, two

    def free(self) -> Ints:
        """The edges that share their line with no other outline."""
        alone = np.ones(len(self.owner), bool)
        for edges in self.shared():
            alone[edges] = False
        return np.flatnonzero(alone)

    def edges(self, some: Ints) -> tuple[Floats, Floats, Ints]:
        """(start, end, owner) of some edges."""
        return self.xy[self.tail[some]], self.xy[self.head[some]], self.owner[some]

    def metres(self, edges: Ints) -> Floats:
        """The length of some edges."""
        length: Floats = np.hypot(*(self.xy[self.head[edges]] - self.xy[self.tail[edges]]).T)
        return length

    def left_over(self) -> tuple[Ints, Bools]:
        """The edges without those drawn from both sides, each line once, and which of them lie on a line that has more
        than one outline too many on a side."""
        side = np.where(self.up, 1.0, -1.0)
        net = np.bincount(self.line, side, len(self.exact))
        over = np.flatnonzero(self.exact[self.line] & (side == np.sign(net)[self.line]))
        _, once = np.unique(self.line[over], return_index=True)
        edges = np.concatenate([over[once], np.flatnonzero(~self.exact[self.line])])
        return edges, self.exact[self.line[edges]] & (np.abs(net[self.line[edges]]) > 1)


def weave(outlines: Vertices, area: Floats) -> Fabric:
    """The fabric of outlines in one plane [m]; area: of each, its sign tells which way its shells turn."""
    xy = np.column_stack([outlines.x, outlines.y])
    # A point is its millimetres, as one word that tells it from all points within 4000 km.
    grid = np.rint(xy / GRID_M).astype(np.int64).astype(np.uint64)
    point = _mixed((grid[:, 0] << np.uint64(32)) | (grid[:, 1] & np.uint64(0xFFFFFFFF)))
    tail = np.flatnonzero(~outlines.ends_ring[:-1] & (point[:-1] != point[1:]))
    owner = np.repeat(np.arange(len(outlines)), np.diff(outlines.start))[tail]
    head = tail + 1
    back = (area < 0)[owner]
    tail, head = np.where(back, head, tail), np.where(back, tail, head)
    up = point[tail] < point[head]
    low, high = np.where(up, tail, head), np.where(up, head, tail)
    order, begins_line = _by_line(point[low], point[high])
    begins = np.append(np.flatnonzero(begins_line), len(order))
    number = np.cumsum(begins_line) - 1
    line = np.empty(len(order), np.int64)
    line[order] = number
    exact = np.ones(len(begins) - 1, bool)
    one, two = order[:-1][~begins_line[1:]], order[1:][~begins_line[1:]]
    same = (xy[low[one]] == xy[low[two]]).all(1) & (xy[high[one]] == xy[high[two]]).all(1)
    exact[line[one[~same]]] = False
    return Fabric(xy, tail, head, owner, line, up, order, begins, exact)


def _mixed(words: _Words) -> _Words:
    """The words stirred so that sums of two seldom agree in their upper bits; different ones stay different."""
    words = words * np.uint64(0x9E3779B97F4A7C15)
    words ^= words >> np.uint64(31)
    words *= np.uint64(0xD6E8FEB86659FD93)
    words ^= words >> np.uint64(32)
    return words * np.uint64(0xC2B2AE3D27D4EB4F)


def _by_line(low: _Words, high: _Words) -> tuple[Ints, Bools]:
    """The edges in an order that puts those of the same ends together, lower numbers first, and where a line
    begins."""
    # The upper bits of a word for the two ends and the edge's number in one: a single sort of integers does it.
    bits = np.uint64(len(low).bit_length())
    packed = ((low + high) >> bits << bits) | np.arange(len(low), dtype=np.uint64)
    packed.sort()
    order = (packed & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.int64)
    key = packed >> bits
    alike = key[1:] == key[:-1]
    one, two = order[:-1][alike], order[1:][alike]
    if ((low[one] != low[two]) | (high[one] != high[two])).any():
        order = np.lexsort((high, low))
        alike = (low[order[1:]] == low[order[:-1]]) & (high[order[1:]] == high[order[:-1]])
    return order, np.append(True, ~alike)[: len(order)]


def doubtful(fabric: Fabric) -> Ints:
    """Some of the valid outlines, such that each piece of ground covered twice or more is partly covered by one of
    them, but for strips as thin as rounding leaves. None: it is proven that no ground is covered twice.

    The lines left over are walked as rings with the ground on the left. Where these are valid shells and holes, and no
    shell lies on another, no point is covered twice. Lines that hang together and fail, and all lines near them, bound
    whatever may be covered twice; their outlines are the doubtful ones.
    """
    edges, many = fabric.left_over()
    tail, head = fabric.xy[fabric.tail[edges]], fabric.xy[fabric.head[edges]]
    if not len(edges):
        return np.empty(0, np.int64)
    ends, point = np.unique(np.concatenate([tail, head]).view(np.complex128).ravel(), return_inverse=True)
    links = coo_matrix((np.ones(len(edges), bool), tuple(point.reshape(2, -1))), shape=(len(ends), len(ends)))
    parts, part_of_point = connected_components(links, directed=False)
    part = part_of_point[point[: len(edges)]]
    fails = np.zeros(parts, bool)
    fails[part[many]] = True
    after, stuck = _next_edges(tail, head, point)
    fails[part[stuck]] = True
    whole = np.flatnonzero(~fails[part])
    if len(whole):
        fails[_failing_parts(tail, part, whole, after)] = True
    boxes = _boxes(tail, part, parts)
    near = shapely.STRtree(boxes).query(boxes[fails], predicate="intersects")[1]
    fails[near] = True
    return np.unique(fabric.owner[edges[fails[part]]])


def _failing_parts(tail: Floats, part: Ints, whole: Ints, after: Ints) -> Ints:
    """Parts of the lines left over with a ring that is not valid or a shell that lies on another."""
    place = np.full(len(tail), -1)
    place[whole] = np.arange(len(whole))
    order, ring = _cycles(place[after[whole]])
    order = whole[order]
    begin = np.flatnonzero(np.diff(ring, prepend=-1))
    thick = np.repeat(~_thin(tail[order], begin), np.diff(np.append(begin, len(ring))))
    order, ring = order[thick], ring[thick]
    if not len(order):
        return order
    begin = np.flatnonzero(np.diff(ring, prepend=-1))
    part_of_ring = part[order[begin]]
    shapes = _polygons(tail[order], begin)
    valid = shapely.is_valid(shapes)
    shells = np.flatnonzero(valid & shapely.is_ccw(shapely.get_exterior_ring(shapes)))
    one, two = shapely.STRtree(shapes[shells]).query(shapes[shells], predicate="intersects")
    one, two = shells[one[one < two]], shells[two[one < two]]
    over = shapely.relate_pattern(shapes[one], shapes[two], "T********")
    return np.concatenate([part_of_ring[~valid], part_of_ring[one[over]], part_of_ring[two[over]]])


def _next_edges(tail: Floats, head: Floats, point: Ints) -> tuple[Ints, Bools]:
    """The edge to go on with after each, keeping the ground between them on the left, and which edges end where lines
    do not come and go in turn; point: a number for each tail, then for each head."""
    count = len(tail)
    away = np.concatenate([head - tail, tail - head])
    order = np.lexsort((np.arctan2(away[:, 1], away[:, 0]), point))
    begin = np.flatnonzero(np.diff(point[order], prepend=-1))
    before = np.roll(order, 1)
    before[begin] = order[np.append(begin[1:], len(order)) - 1]
    coming = order >= count
    after, stuck = np.zeros(count, np.int64), np.zeros(count, bool)
    after[order[coming] - count] = before[coming]
    # As many come as go unless two come in a row.
    stuck[after >= count] = True
    return after, stuck


def _cycles(after: Ints) -> tuple[Ints, Ints]:
    """The cycles of a permutation one behind another, and the number of the cycle each member belongs to."""
    following, seen = after.tolist(), bytearray(len(after))
    order: list[int] = []
    length: list[int] = []
    for first in range(len(following)):
        before, member = len(order), first
        while not seen[member]:
            seen[member] = 1
            order.append(member)
            member = following[member]
        if len(order) > before:
            length.append(len(order) - before)
    return np.array(order, np.int64), np.repeat(np.arange(len(length)), length)


def _thin(points: Floats, begin: Ints) -> Bools:
    """Which rings (points one behind another, each from `begin`) lie within a strip of noise along their longest
    edge."""
    count = np.diff(np.append(begin, len(points)))
    ring = np.repeat(np.arange(len(begin)), count)
    following = np.arange(1, len(points) + 1)
    following[begin + count - 1] = begin
    step = points[following] - points
    length = np.hypot(*step.T)
    longest = np.lexsort((-length, ring))[begin]
    along = (step[longest] / np.maximum(length[longest], GRID_M)[:, None])[ring]
    off = points - points[longest][ring]
    aside = np.abs(along[:, 0] * off[:, 1] - along[:, 1] * off[:, 0])
    thin: Bools = np.maximum.reduceat(aside, begin) <= NOISE_M / 2
    return thin


def _polygons(points: Floats, begin: Ints) -> NDArray[np.object_]:
    """Polygons of one ring each, of points one behind another, each ring from `begin`."""
    count = np.diff(np.append(begin, len(points)))
    at = np.insert(np.arange(len(points)), begin + count, begin)
    # A ring of two points goes there and back; it needs a fourth point to be drawn and is not valid.
    short = begin[count == 2] + np.flatnonzero(count == 2) + 2
    at = np.insert(at, short, at[short])
    starts = np.concatenate([[0], np.cumsum(np.maximum(count + 1, 4))])
    polygons: NDArray[np.object_] = shapely.from_ragged_array(
        shapely.GeometryType.POLYGON, points[at], (starts, np.arange(len(count) + 1))
    )
    return polygons


def _boxes(points: Floats, part: Ints, parts: int) -> NDArray[np.object_]:
    """A box around the points of each part."""
    order = np.argsort(part, kind="stable")
    begin = np.searchsorted(part[order], np.arange(parts))
    low = np.minimum.reduceat(points[order], begin, axis=0)
    high = np.maximum.reduceat(points[order], begin, axis=0)
    boxes: NDArray[np.object_] = shapely.box(*low.T, *high.T)
    return boxes
