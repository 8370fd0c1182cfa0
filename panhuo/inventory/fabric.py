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
from panhuo.inventory.overlay_rings import Outlines, compiled

GRID_M: Final = 1e-3
"""Points this near are one."""
NOISE_M: Final = 1e-7
"""A strip thinner than this is the arithmetic's own error."""

_Words = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Fabric:
    """The edges of some outlines, in the outlines' order; edges shorter than the grid are left out.

    x, y: points [m]; tail, head: the points an edge runs from and to, with its outline on the left; owner: the position
    of its outline; line: edges with the same ends have the same number; up: whether it runs from the line's lesser end;
    exact: of each line, whether its edges' ends are the same to the last bit; one, two: pairs of edges of two outlines
    on one line, one < two; free: the edges in no such pair.
    """

    x: Floats
    y: Floats
    tail: Ints
    head: Ints
    owner: Ints
    line: Ints
    up: Bools
    exact: Bools
    one: Ints
    two: Ints
    free: Ints

    def ends(self, some: Ints) -> tuple[Floats, Floats]:
        """(start, end) of some edges, each n × 2."""
        tail, head = self.tail[some], self.head[some]
        return np.column_stack([self.x[tail], self.y[tail]]), np.column_stack([self.x[head], self.y[head]])

    def metres(self, some: Ints) -> Floats:
        """The length of some edges."""
        tail, head = self.tail[some], self.head[some]
        length: Floats = np.hypot(self.x[head] - self.x[tail], self.y[head] - self.y[tail])
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


def weave(outlines: Outlines, left: Bools) -> Fabric:
    """The fabric of outlines in one plane [m]; left: of each ring, whether its ground lies left of it."""
    most = len(outlines.x)
    point = np.empty(most, np.uint64)
    tail, head, owner = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    count = _edges(outlines, left, point, tail, head, owner)
    tail, head, owner = tail[:count], head[:count], owner[:count]
    # The upper bits of a word for the two ends and the edge's number in one: a single sort of integers puts edges with
    # the same ends together, lower numbers first.
    bits = np.uint64(count.bit_length())
    packed = ((point[tail] + point[head]) >> bits << bits) | np.arange(count, dtype=np.uint64)
    packed.sort()
    order = (packed & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.int64)
    lines, clear, line, exact = _lines(outlines, point, tail, head, order, packed >> bits)
    if not clear:
        ends = np.sort([point[tail], point[head]], axis=0)
        order = np.lexsort(ends)
        lines, _, line, exact = _lines(outlines, point, tail, head, order, np.arange(count).astype(np.uint64))
    one, two, free = _pairs(order, line, owner)
    up = point[tail] < point[head]
    return Fabric(outlines.x, outlines.y, tail, head, owner, line, up, exact[:lines], one, two, free)


@compiled
def _edges(outlines: Outlines, left: Bools, point: _Words, tail: Ints, head: Ints, owner: Ints) -> int:
    """Fills `point` with a word for each point, and the edges; gives their number."""
    edges = 0
    for ring in range(len(outlines.outline)):
        begin, end = outlines.start[ring], outlines.start[ring + 1]
        for i in range(begin, end):
            # A point is its millimetres, as one word that tells it from all points within 4000 km, stirred so that
            # sums of two seldom agree in their upper bits.
            east = np.uint64(np.int64(np.rint(outlines.x[i] / GRID_M)))
            north = np.uint64(np.int64(np.rint(outlines.y[i] / GRID_M)))
            word = (east << np.uint64(32)) | (north & np.uint64(0xFFFFFFFF))
            word *= np.uint64(0x9E3779B97F4A7C15)
            word ^= word >> np.uint64(31)
            word *= np.uint64(0xD6E8FEB86659FD93)
            word ^= word >> np.uint64(32)
            point[i] = word * np.uint64(0xC2B2AE3D27D4EB4F)
            if i > begin and point[i] != point[i - 1]:
                tail[edges], head[edges] = (i - 1, i) if left[ring] else (i, i - 1)
                owner[edges] = outlines.outline[ring]
                edges += 1
    return edges


@compiled
def _lines(
    outlines: Outlines, point: _Words, tail: Ints, head: Ints, order: Ints, key: _Words
) -> tuple[int, bool, Ints, Bools]:
    """(lines, whether no other ends share a key, the line of each edge, whether a line's ends are exact); order: the
    edges, those of one line together; key: of the edges in that order."""
    line, exact = np.empty(len(order), np.int64), np.ones(len(order), np.bool_)
    lines, clear = 0, True
    for k in range(len(order)):
        edge, before = order[k], order[k - 1]
        along = point[tail[edge]] == point[tail[before]] and point[head[edge]] == point[head[before]]
        against = point[tail[edge]] == point[head[before]] and point[head[edge]] == point[tail[before]]
        if k > 0 and (along or against):
            first, last = (tail[before], head[before]) if along else (head[before], tail[before])
            if (
                outlines.x[tail[edge]] != outlines.x[first]
                or outlines.y[tail[edge]] != outlines.y[first]
                or outlines.x[head[edge]] != outlines.x[last]
                or outlines.y[head[edge]] != outlines.y[last]
            ):
                exact[lines - 1] = False
        else:
            clear = clear and (k == 0 or key[k] != key[k - 1])
            lines += 1
        line[edge] = lines - 1
    return lines, clear, line, exact


@compiled
def _pairs(order: Ints, line: Ints, owner: Ints) -> tuple[Ints, Ints, Ints]:
    """(one, two) of `Fabric`, and the free edges."""
    count, alone = 0, np.ones(len(order), np.bool_)
    for k in range(len(order)):
        other = k - 1
        while other >= 0 and line[order[other]] == line[order[k]]:
            if owner[order[other]] != owner[order[k]]:
                count += 1
                alone[order[other]] = alone[order[k]] = False
            other -= 1
    one, two = np.empty(count, np.int64), np.empty(count, np.int64)
    count = 0
    for k in range(len(order)):
        other = k - 1
        while other >= 0 and line[order[other]] == line[order[k]]:
            if owner[order[other]] != owner[order[k]]:
                one[count], two[count] = order[other], order[k]
                count += 1
            other -= 1
    return one, two, np.flatnonzero(alone)


def doubtful(fabric: Fabric) -> Ints:
    """Some of the valid outlines, such that each piece of ground covered twice or more is partly covered by one of
    them, but for strips as thin as rounding leaves. None: it is proven that no ground is covered twice.

    The lines left over are walked as rings with the ground on the left. Where these are valid shells and holes, and no
    shell lies on another, no point is covered twice. Lines that hang together and fail, and all lines near them, bound
    whatever may be covered twice; their outlines are the doubtful ones.
    """
    edges, many = fabric.left_over()
    tail, head = fabric.ends(edges)
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
