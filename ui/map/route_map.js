/* Draws a FleetDesk route map with Leaflet. Text from the data is only ever set as text. */
function fleetdeskMap(map, layers, groups) {
  "use strict";
  const data = JSON.parse(document.getElementById("fleetdesk-data").textContent);
  const small = window.matchMedia("(max-width: 720px)");
  const mine = [];

  map.attributionControl.setPrefix(false).addAttribution(say("no basemap · drawn with Leaflet"));
  L.control.scale({ imperial: false }).addTo(map);
  for (const [name, height] of [["cells", 350], ["vehicles", 390], ["dots", 590]]) {
    map.createPane(name).style.zIndex = height;
  }
  const pins = L.canvas({ pane: "dots", padding: 0.3 });
  data.cells.forEach(drawCell);
  const dots = L.canvas({ pane: "vehicles", padding: 0.3 });
  data.vehicles.forEach(drawVehicle);
  data.parkings.forEach(drawParking);
  data.dropped.forEach(drawDropped);
  data.routes.forEach(drawRoute);
  drawDepots();
  suitScreen();
  map.on("zoomend", suitZoom);
  suitZoom();

  function drawCell(cell) {
    L.rectangle(cell.box, {
      pane: "cells", stroke: true, color: "#ffffff", weight: 1, fillColor: cell.fill, fillOpacity: 0.5,
    })
      .bindTooltip(() => element("div", "tip",
        `Cell ${cell.cell}: ${data.roi} ${cell.roi} from ${count(cell.tasks, "task")}` +
        (cell.rate === null ? "" : ` · ${cell.rate} per vehicle hour`)), { sticky: true })
      .addTo(groups.cells);
  }

  function drawVehicle(item) {
    const battery = item.pct === null ? "battery unknown" : `${item.pct} %`;
    L.circleMarker(item.at, {
      renderer: dots, radius: 4, weight: 1, color: "#ffffff", fillColor: item.fill, fillOpacity: 0.95,
    })
      .bindTooltip(() => element("div", "tip", [item.vehicle, battery, item.phase].filter(Boolean).join(" · ")))
      .addTo(groups.vehicles);
  }

  function drawParking(item) {
    const low = item.n !== null && item.n < item.min;
    const text = item.n === null ? "P" : `P ${item.n}/${item.target}${low ? " !" : ""}`;
    const sign = element("span", low ? "parking low" : "parking", text);
    place(item.at, sign, item.name, low ? 200 : 0)
      .bindPopup(() => card(item.name, say("parking"), item.n === null ? [] : [
        ["Vehicles now", String(item.n)], ["Minimum", String(item.min)], ["Target", String(item.target)],
      ]))
      .addTo(groups.parkings);
  }

  function drawDropped(item) {
    place(item.at, element("span", "dropped", "×"), `${item.vehicle} · not planned`, -200)
      .bindPopup(() => card(item.vehicle, "not planned", [["Why not", item.why], ["Would help", item.help]]))
      .addTo(groups.dropped);
  }

  function drawRoute(route, index) {
    const group = groups["route" + index];
    const line = [route.start, ...route.line, route.end].filter(Boolean);
    L.polyline(line, { color: "#ffffff", weight: 6, opacity: 0.9, interactive: false }).addTo(group);
    for (const leg of legs(route, line)) {
      L.polyline(leg.way, {
        color: route.colour, weight: 3 + Math.min(leg.load, 10) * 0.6, dashArray: route.dashed ? "8 5" : null,
      })
        .bindTooltip(() => element("div", "tip",
          `${route.worker} · ${route.leaves}–${route.returns} · ${count(leg.load, "vehicle")} ${say("on board")}`), { sticky: true })
        .addTo(group);
    }
    const arrows = L.layerGroup().addTo(group), pins = L.layerGroup().addTo(group);
    mine.push({ line, arrows, pins, colour: route.colour, group, route });
    for (const pause of route.pauses) {
      place(pause.at, element("span", "pause", pause.times), `${route.worker} · ${pause.what} ${pause.times}`, 950)
        .addTo(group);
    }
  }

  /* The line cut where the load changes, so that its width can show what is on board. */
  function legs(route, line) {
    const loads = route.start ? route.loads : route.loads.slice(1), found = [];
    for (let i = 1; i < line.length; i += 1) {
      const load = loads[Math.min(i - 1, loads.length - 1)], last = found[found.length - 1];
      if (last && last.load === load) last.way.push(line[i]);
      else found.push({ load, way: [line[i - 1], line[i]] });
    }
    return found;
  }

  function drawStops(route, here, group) {
    const pin = element("span", `pin ${shape(here.stops)}${route.dashed ? " ringed" : ""} ${marks(here.stops)}`, here.label);
    pin.style.setProperty("--c", route.colour);
    pin.style.setProperty("--t", route.ink);
    pin.style.setProperty("--stack", here.stack);
    place(here.at, pin, said(here), 1000).bindPopup(() => cards(route, here), { maxHeight: 300 }).addTo(group);
  }

  /* Drawn, not built: thousands of signs would make zooming slow. */
  function drawDot(route, here, group) {
    L.circleMarker(here.at, {
      renderer: pins, radius: 5.5, weight: 1.5, color: route.dashed ? "#000000" : "#ffffff",
      fillColor: route.colour, fillOpacity: 1,
    })
      .bindTooltip(() => element("div", "tip", said(here)))
      .bindPopup(() => cards(route, here), { maxHeight: 300 })
      .addTo(group);
  }

  function said(here) {
    const first = here.stops[0];
    const more = here.stops.length > 1 ? ` ${say("and {} more", here.stops.length - 1)}` : "";
    return `${here.label} · ${first.at} · ${first.do} · ${first.vehicle}${more}`;
  }

  function cards(route, here) {
    const all = element("div", "stops");
    for (const stop of here.stops) all.append(stopCard(route, stop));
    return all;
  }

  function stopCard(route, stop) {
    return card(`${say("Stop")} ${stop.n} · ${stop.at}`, route.worker, [
      [say("Do"), stop.do],
      [say("Vehicle"), stop.vehicle],
      [say("Place"), stop.place],
      ["Battery", stop.from === null ? "" : stop.from === stop.to ? `${stop.from} %` : `${stop.from} % → ${stop.to} %`],
      [say("In the van"), `${count(stop.load, "vehicle")}, ${count(stop.left, "battery", "batteries")} ${say("left")}`],
      ["Adds", stop.adds],
      ["Lock", stop.mark.includes("locked") ? "kept where you put it" : ""],
      [say("Duty"), stop.mark.includes("must") ? say("must be done") : ""],
      ["Why", stop.why],
    ], route.colour);
  }

  function shape(stops) {
    const has = (word) => stops.some((stop) => stop.does.includes(word));
    const swap = has("swap"), up = has("up"), down = has("down");
    return [swap ? "" : "move", up && !down ? "up" : "", down && !up && !swap ? "down" : ""].join(" ").trim();
  }

  function marks(stops) {
    return ["locked", "must"].filter((mark) => stops.some((stop) => stop.mark.includes(mark))).join(" ");
  }

  function drawDepots() {
    const depots = new Map();
    data.routes.forEach((route, index) => {
      if (!route.start) return;
      const key = route.start.join();
      if (!depots.has(key)) depots.set(key, { at: route.start, rows: [], index });
      depots.get(key).rows.push([route.worker, say("leaves {}, back {}", route.leaves, route.returns)]);
    });
    for (const depot of depots.values()) {
      place(depot.at, element("span", "depot", say("Start")), depot.rows.map((row) => row[0]).join(", "), 900)
        .bindPopup(() => card(say("Start"), "", depot.rows))
        .addTo(map);
    }
  }

  function suitScreen() {
    const legend = document.getElementById("legend");
    fold();
    small.addEventListener("change", fold);
    for (const button of document.querySelectorAll("[data-route]")) {
      button.addEventListener("click", () => {
        const route = mine[Number(button.dataset.route)];
        map.addLayer(route.group);
        if (small.matches) legend.open = false;
        map.off("resize", showAll).invalidateSize({ animate: false });
        map.fitBounds(L.latLngBounds(route.line), { padding: [32, 32], maxZoom: 17 });
      });
    }
    legend.addEventListener("toggle", () => map.invalidateSize());
    for (const moment of ["beforeprint", "afterprint"]) {
      window.addEventListener(moment, () => map.invalidateSize({ animate: false }));
    }
    // At another size all is shown anew, until the reader has chosen what to look at.
    map.on("resize", showAll);
    for (const hand of ["pointerdown", "wheel", "keydown"]) {
      map.getContainer().addEventListener(hand, () => map.off("resize", showAll), { passive: true });
    }
    showAll();
  }

  /* Legend and layers are folded where they would cover the map. */
  function fold() {
    document.getElementById("legend").open = !small.matches;
    layers.options.collapsed = small.matches;
    layers.remove();
    layers.addTo(map);
    map.invalidateSize({ animate: false });
  }

  function showAll() {
    if (data.frame) map.fitBounds(data.frame, { padding: [32, 32], maxZoom: 16, animate: false });
  }

  /* Where most stops would cover each other, near ones of a route share a sign, and where that does
     not help they shrink to dots; arrows need a leg that can carry one. */
  function suitZoom() {
    const whole = mine.map((route) => route.route.places);
    const shared = crowding(whole) > 0.25 ? gathered(whole) : whole;
    const far = crowding(shared) > 0.4;
    mine.forEach((route, index) => {
      route.pins.clearLayers();
      const draw = far ? drawDot : drawStops;
      for (const here of far ? whole[index] : shared[index]) draw(route.route, here, route.pins);
    });
    for (const route of mine) {
      route.arrows.clearLayers();
      const pixels = route.line.map((at) => map.project(at));
      for (let i = 1; i < pixels.length; i += 1) {
        const length = pixels[i].distanceTo(pixels[i - 1]);
        if (length > 70) route.arrows.addLayer(arrow(pixels[i - 1], pixels[i], route.colour));
      }
    }
    map.getContainer().classList.toggle("far", far);
    // An empty canvas would still catch the clicks for the lines below it.
    map.getPane("dots").style.display = far ? "" : "none";
    map.getContainer().classList.toggle("low-zoom", map.getZoom() < 13);
  }

  /* Places of one route whose signs would cover each other, as one; a sign that would cover a start
     or another route's sign stands up to two signs higher or lower. */
  function gathered(routes) {
    const covers = (one, other) => Math.abs(one.x - other.x) < 68 && Math.abs(one.y - other.y) < 24;
    const taken = mine.filter(({ route }) => route.start).map(({ route }) => map.project(route.start));
    return routes.map((places) => {
      const signs = [];
      for (const here of places) {
        const at = map.project(here.at), sign = signs.find((other) => covers(other.at, at));
        if (sign) sign.near.push(here);
        else signs.push({ at, near: [here] });
      }
      return signs.map(({ at, near }) => {
        const higher = (stack) => L.point(at.x, at.y - 24 * stack);
        const free = (stack) => !taken.some((other) => covers(other, higher(stack)));
        const stack = [0, 1, -1, 2, -2].find(free) || 0;
        taken.push(higher(stack));
        const stops = near.flatMap((here) => here.stops).sort((a, b) => a.n - b.n);
        const label = ranges(stops.map((stop) => stop.n));
        return { at: near[0].at, stack, stops, label: label.length > 9 ? count(stops.length, "stop") : label };
      });
    });
  }

  function ranges(numbers) {
    const spans = [];
    for (const number of numbers) {
      const last = spans[spans.length - 1];
      if (last && number === last[1] + 1) last[1] = number;
      else spans.push([number, number]);
    }
    return spans.map(([a, b]) => (a === b ? String(a) : `${a}\u2013${b}`)).join(", ");
  }

  function crowding(routes) {
    const squares = new Map();
    let pins = 0;
    for (const places of routes) {
      for (const here of places) {
        const key = map.project(here.at).divideBy(28).floor().toString();
        squares.set(key, (squares.get(key) || 0) + 1);
        pins += 1;
      }
    }
    return pins ? 1 - squares.size / pins : 0;
  }

  function arrow(from, to, colour) {
    const sign = element("span", "arrow");
    sign.style.setProperty("--c", colour);
    sign.style.transform = `rotate(${Math.atan2(to.y - from.y, to.x - from.x)}rad)`;
    return L.marker(map.unproject(from.add(to).divideBy(2)), {
      icon: L.divIcon({ html: sign, className: "sign", iconSize: [0, 0] }), interactive: false, keyboard: false,
    });
  }

  function place(at, sign, label, height) {
    return L.marker(at, {
      icon: L.divIcon({ html: sign, className: "sign", iconSize: [0, 0] }),
      alt: label, zIndexOffset: height, riseOnHover: true,
    }).bindTooltip(() => element("div", "tip", label), { direction: "top", offset: [0, -12] });
  }

  function card(title, aside, rows, colour) {
    const box = element("div", "card");
    const top = element("h3", "", title);
    if (aside) top.append(element("span", "", aside));
    if (colour) top.style.setProperty("--c", colour);
    box.append(top);
    const list = element("dl", "");
    for (const [name, value] of rows) {
      if (value) list.append(element("dt", "", name), element("dd", "", value));
    }
    box.append(list);
    return box;
  }

  function element(tag, kind, text) {
    const made = document.createElement(tag);
    if (kind) made.className = kind;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function count(number, one, many) {
    return `${number} ${say(number === 1 ? one : many || one + "s")}`;
  }

  /* The text in the reader's language, with what is to stand for each {} in it. */
  function say(english, ...values) {
    let text = data.words[english] || english;
    for (const value of values) text = text.replace("{}", value);
    return text;
  }
}
