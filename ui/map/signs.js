/* Chooses what a FleetDesk map writes beside its dots, so that no sign covers another.
   Sizes and places are in pixels at the zoom of the moment. */
function fleetdeskSigns(fontFamily) {
  "use strict";
  const BESIDE = [[0, 0], [0, -1], [0, 1], [1, 0], [-1, 0], [1, -1], [-1, -1], [1, 1], [-1, 1], [0, -2], [0, 2]];
  const pen = document.createElement("canvas").getContext("2d"), taken = [];

  return { stretches, find, take, wide };

  /* What a route does, cut into stretches of stops so near each other that one sign tells them all,
     the most telling first: the route's ends, then stops with a mark, then the longest. */
  function stretches(places, pixel) {
    const stops = places.flatMap((here) => here.stops.map((stop) => ({ stop, here, at: pixel(here.at) })));
    stops.sort((a, b) => a.stop.n - b.stop.n);
    const found = [];
    for (const next of stops) {
      const last = found[found.length - 1];
      if (last && near(last.at, next.at, 30, 20)) last.stops.push(next.stop);
      else found.push({ at: next.at, here: next.here, stops: [next.stop] });
    }
    if (found.length) found[0].end = found[found.length - 1].end = true;
    return shared(found).sort((a, b) => weight(b) - weight(a) || a.stops[0].n - b.stops[0].n);
  }

  /* Stretches at one place share a sign while it stays short: "17, 113". */
  function shared(found) {
    const kept = [];
    for (const one of found) {
      const other = kept.find((earlier) => near(earlier.at, one.at, 8, 8) &&
        label(earlier.stops.concat(one.stops)).length <= 11);
      if (other) {
        other.stops.push(...one.stops);
        other.end = other.end || one.end;
      } else kept.push(one);
    }
    for (const one of kept) one.label = label(one.stops);
    return kept;
  }

  function weight(one) {
    return (one.end ? 1e6 : 0) + (one.stops.some((stop) => stop.mark) ? 1e4 : 0) + one.stops.length;
  }

  /* Where a sign of this size has room, at its place or beside it; undefined where it has none. */
  function find(at, width, height, beside = BESIDE) {
    for (const [right, down] of beside) {
      const middle = { x: at.x + right * (width / 2 + 9), y: at.y + down * (right ? height / 2 + 2 : height + 1) };
      const box = { x: middle.x, y: middle.y, w: width / 2, h: height / 2 };
      if (taken.some((other) => Math.abs(other.x - box.x) < other.w + box.w && Math.abs(other.y - box.y) < other.h + box.h)) continue;
      taken.push(box);
      return middle;
    }
    return undefined;
  }

  function take(at, width, height) {
    taken.push({ x: at.x, y: at.y, w: width / 2, h: height / 2 });
  }

  function wide(text, size, around) {
    pen.font = `600 ${size}px ${fontFamily}`;
    return Math.max(pen.measureText(text).width + around, 24);
  }

  function near(one, other, width, height) {
    return Math.abs(one.x - other.x) < width && Math.abs(one.y - other.y) < height;
  }

  /* "3", "3–5" or "3, 7–8" for ascending numbers. */
  function label(stops) {
    const spans = [];
    for (const { n } of stops) {
      const last = spans[spans.length - 1];
      if (last && n === last[1] + 1) last[1] = n;
      else spans.push([n, n]);
    }
    return spans.map(([a, b]) => (a === b ? String(a) : `${a}\u2013${b}`)).join(", ");
  }
}
