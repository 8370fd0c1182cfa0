// Where the phone is, how far from an outline, and the picture of both.
import type { Along, Fix } from "./types";

const DEGREE_M = 111_195;
type Point = [number, number];

export function here(): Promise<Fix> {
  return new Promise((resolve, reject) =>
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => resolve({ lon: coords.longitude, lat: coords.latitude, accuracy_m: coords.accuracy }), reject,
      { enableHighAccuracy: true, timeout: 30_000, maximumAge: 0 },
    ));
}

function plane(lon0: number, lat0: number): (p: Point) => Point {
  const squeeze = Math.cos((lat0 * Math.PI) / 180);
  return ([lon, lat]) => [(lon - lon0) * squeeze * DEGREE_M, (lat - lat0) * DEGREE_M];
}

/** Metres from a position to a parcel's outline, 0 inside; to its point where it has no outline; null where it has none. */
export function distance(fix: Fix, parcel: Along): number | null {
  const flat = plane(fix.lon, fix.lat);
  if (!parcel.outline.length)
    return parcel.lon === null || parcel.lat === null ? null : Math.hypot(...flat([parcel.lon, parcel.lat]));
  let inside = false;
  let least = Infinity;
  for (const ring of parcel.outline) {
    const points = ring.map(flat);
    for (let i = 1; i < points.length; i++) {
      const [[ax, ay], [bx, by]] = [points[i - 1], points[i]];
      if (ay > 0 !== by > 0 && ax - (ay * (bx - ax)) / (by - ay) > 0) inside = !inside;
      const [dx, dy] = [bx - ax, by - ay];
      const t = Math.max(0, Math.min(1, -(ax * dx + ay * dy) / (dx * dx + dy * dy || 1)));
      least = Math.min(least, Math.hypot(ax + t * dx, ay + t * dy));
    }
  }
  return inside ? 0 : least;
}

/** The outline with the position in it, as an SVG; null where there is no outline. */
export function sketch(parcel: Along, fix: Fix | null): SVGSVGElement | null {
  if (!parcel.outline.length) return null;
  const [[lon0, lat0]] = parcel.outline[0];
  const flat = plane(lon0, lat0);
  const rings = parcel.outline.map((ring) => ring.map(flat));
  const dot = fix && flat([fix.lon, fix.lat]);
  const all = [...rings.flat(), ...(dot ? [dot] : [])];
  const [xs, ys] = [all.map((p) => p[0]), all.map((p) => p[1])];
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const edge = Math.max(x1 - x0, y1 - y0, 1) * 0.08;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `${x0 - edge} ${-y1 - edge} ${x1 - x0 + 2 * edge} ${y1 - y0 + 2 * edge}`);
  svg.setAttribute("class", "sketch");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", rings.map((ring) => `M${ring.map(([x, y]) => `${x.toFixed(1)},${(-y).toFixed(1)}`).join("L")}Z`).join(""));
  svg.append(path);
  if (dot) {
    const circle = document.createElementNS(svg.namespaceURI, "circle");
    for (const [name, value] of [["cx", dot[0]], ["cy", -dot[1]], ["r", edge / 2]] as const) circle.setAttribute(name, value.toFixed(1));
    svg.append(circle);
  }
  return svg;
}
