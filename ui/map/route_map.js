/* Draws a FleetDesk route map with Leaflet. Text from the data is only ever set as text. */
function fleetdeskMap(map, layers, groups) {
  "use strict";
  const data = JSON.parse(document.getElementById("fleetdesk-data").textContent);
  const small = window.matchMedia("(max-width: 720px)");
  const mine = [], lots = [];

  map.attributionControl.setPrefix(false);
  L.control.scale({ imperial: false }).addTo(map);
  for (const [name, height] of [["roads", 300], ["cells", 350], ["vehicles", 390], ["ground", 580], ["dots", 590]]) {
    map.createPane(name).style.zIndex = height;
  }
  drawGround();
  const stopDots = L.svg({ pane: "dots", padding: 0.3 });
  data.cells.forEach(drawCell);
  data.demand.forEach(drawDemand);
  data.zones.forEach(drawZone);
  const dots = L.canvas({ pane: "vehicles", padding: 0.3 });
  data.vehicles.forEach(drawVehicle);
  data.parkings.forEach(drawParking);
  data.dropped.forEach(drawDropped);
  data.routes.forEach(drawRoute);
  drawDepots();
  suitScreen();
  map.on("zoomend overlayadd overlayremove", suitZoom);
  suitZoom();

  /* Pictures of a tile server, else the window's map of the city, else roads, else nothing. */
  function drawGround() {
    if (data.roads) drawRoads();
    if (data.tiles) drawTiles();
    else if (window.fleetdeskCity) drawCity(window.fleetdeskCity);
    else map.attributionControl.addAttribution(underneath());
    map.attributionControl.addAttribution(escaped(say("drawn with Leaflet")));
  }

  function underneath() {
    return escaped([say("no basemap"), ...roadsBy()].join(", "));
  }

  function roadsBy() {
    return data.roads ? [say("roads: {}", data.roadsBy)] : [];
  }

  function drawTiles() {
    const credit = map.attributionControl;
    const missing = `${escaped(say("map pictures cannot be reached"))}, ${underneath()}`;
    let instead = false, there = false;
    const draw = (roads) => {
      if (there || instead === roads) return;
      instead = roads;
      credit[roads ? "addAttribution" : "removeAttribution"](missing);
      if (groups.roads) map[roads ? "addLayer" : "removeLayer"](groups.roads);
    };
    const patience = setTimeout(() => draw(true), 4000);
    L.tileLayer(data.tiles.from, { maxZoom: 19, attribution: escaped(data.tiles.by) })
      .on("tileerror", () => draw(true))
      .once("tileload", () => {
        clearTimeout(patience);
        draw(false);
        there = true;
      })
      .addTo(map);
  }

  /* Beside the plan there is nothing to see of it; where it covers a part only, roads stay. */
  function drawCity(city) {
    const credit = map.attributionControl, bounds = L.latLngBounds(city.bounds);
    if (data.frame && !bounds.intersects(data.frame)) {
      credit.addAttribution(underneath());
      return;
    }
    protomapsL.leafletLayer({
      url: city.from, maxDataZoom: city.zoom, flavor: "light", lang: document.documentElement.lang,
      attribution: "Protomaps © OpenStreetMap",
    }).addTo(map);
    if (data.frame && bounds.contains(data.frame)) {
      if (groups.roads) map.removeLayer(groups.roads);
    } else roadsBy().forEach((by) => credit.addAttribution(escaped(by)));
  }

  /* Steps of 1e-5 degrees, from the most important class to the least, which is drawn first. */
  function drawRoads() {
    const pencil = L.canvas({ pane: "roads", padding: 0.3 });
    const wide = [4, 3, 2, 1], from = [0, 0, 12, 14];
    const drawn = data.roads.reverse().map(([kind, lines]) => [kind, L.polyline(lines.map(unfolded), {
      pane: "roads", renderer: pencil, interactive: false, color: kind ? "#dbd8cf" : "#f0d98f",
    }).addTo(groups.roads)]);
    const suit = () => drawn.forEach(([kind, line]) => line.setStyle({
      weight: wide[kind] * 2 ** ((Math.min(map.getZoom(), 18) - 15) / 2), stroke: map.getZoom() >= from[kind],
    }));
    map.on("zoomend", suit);
    suit();
  }

  function unfolded(steps) {
    const way = [];
    for (let i = 0, lat = 0, lon = 0; i < steps.length; i += 2) {
      lat += steps[i];
      lon += steps[i + 1];
      way.push([lat / 1e5, lon / 1e5]);
    }
    return way;
  }

  function escaped(text) {
    return element("i", "", text).innerHTML;
  }

  function drawCell(cell) {
    L.rectangle(cell.box, {
      pane: "cells", stroke: true, color: "#ffffff", weight: 1, fillColor: cell.fill, fillOpacity: 0.5,
    })
      .bindTooltip(() => element("div", "tip",
        `Cell ${cell.cell}: ${data.roi} ${cell.roi} from ${count(cell.tasks, "task")}` +
        (cell.rate === null ? "" : ` · ${cell.rate} per vehicle hour`)), { sticky: true })
      .addTo(groups.cells);
  }

  function drawDemand(cell) {
    const lack = cell.short < 0 ? `vehicles for ${-cell.short} trips too many`
      : cell.short > 0 ? `vehicles for ${cell.short} trips missing` : "vehicles enough";
    L.rectangle(cell.box, {
      pane: "cells", stroke: true, color: "#ffffff", weight: 1, fillColor: cell.fill, fillOpacity: 0.5,
    })
      .bindTooltip(() => element("div", "tip",
        `Cell ${cell.cell}: ${cell.trips} trips a day start here, ${count(cell.here, "vehicle")} for rent now · ${lack}`),
        { sticky: true })
      .addTo(groups.demand);
  }

  function drawZone(zone) {
    L.polygon(zone.polygons, {
      pane: "cells", color: "#8a3c00", weight: 1.5, dashArray: "5 4", fillColor: "#8a3c00", fillOpacity: 0.08,
    })
      .bindTooltip(() => element("div", "tip", `${zone.name}: no vehicle may stand here, unless another rule opens a part of it`), { sticky: true })
      .addTo(groups.zones);
  }

  function drawVehicle(item) {
    const battery = item.pct === null ? "battery unknown" : `${item.pct} %`;
    const idle = item.idle === null ? "" : `idle ${item.idle} h`;
    for (const [fill, group] of [[item.fill, groups.vehicles], [item.idleFill, groups.idle]]) {
      L.circleMarker(item.at, {
        renderer: dots, radius: 4.5, weight: 1, color: "#4d5259", fillColor: fill, fillOpacity: 0.95,
      })
        .bindTooltip(() => element("div", "tip", [item.vehicle, battery, idle, item.phase].filter(Boolean).join(" · ")))
        .addTo(group);
    }
  }

  function drawParking(item) {
    const low = item.n !== null && item.n < item.min;
    const text = item.n === null ? "P" : `P ${item.n}/${item.target}${low ? " !" : ""}`;
    const sign = element("span", low ? "parking low" : "parking", text);
    lots.push({ at: item.at, sign, text, low });
    place(item.at, sign, item.name, low ? 200 : 0, "ground")
      .bindPopup(() => card(item.name, say("parking"), item.n === null ? [] : [
        ["Vehicles now", String(item.n)], ["Minimum", String(item.min)], ["Target", String(item.target)],
      ]))
      .addTo(groups.parkings);
  }

  function drawDropped(item) {
    place(item.at, element("span", "dropped", "×"), `${item.vehicle} · not planned`, -200, "ground")
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
    for (const here of route.places) drawDot(route, here, group);
    const arrows = L.layerGroup().addTo(group), signs = L.layerGroup().addTo(group);
    mine.push({ line, arrows, signs, colour: route.colour, group, route });
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

  function drawStops(route, at, label, stops) {
    const pin = element("span", `pin ${shape(stops)}${route.dashed ? " ringed" : ""} ${marks(stops)}`, label);
    pin.style.setProperty("--c", route.colour);
    pin.style.setProperty("--t", route.ink);
    return place(at, pin, said({ label, stops }), 1000).bindPopup(() => cards(route, stops), { maxHeight: 300 });
  }

  /* Every stop has a dot at every zoom; numbers stand at those that have room for one. */
  function drawDot(route, here, group) {
    L.circleMarker(here.at, {
      renderer: stopDots, radius: 4.5, weight: 1.5, color: route.dashed ? "#000000" : "#ffffff",
      fillColor: route.colour, fillOpacity: 1,
    })
      .bindTooltip(() => element("div", "tip", said(here)))
      .bindPopup(() => cards(route, here.stops), { maxHeight: 300 })
      .addTo(group);
  }

  function said(here) {
    const first = here.stops[0];
    const more = here.stops.length > 1 ? ` ${say("and {} more", here.stops.length - 1)}` : "";
    return `${here.label} · ${first.at} · ${first.do} · ${first.vehicle}${more}`;
  }

  function cards(route, stops) {
    const all = element("div", "stops");
    for (const stop of stops) all.append(stopCard(route, stop));
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
    if (data.frame) map.fitBounds(data.frame, { padding: [48, 32], maxZoom: 16, animate: false });
  }

  /* Signs that would cover others are left out at this zoom: starts come first, then breaks, the ends
     of routes, the longest stretches of near stops, and parkings with what is left of the room. */
  function suitZoom() {
    const shown = mine.filter(({ group }) => map.hasLayer(group));
    const signs = fleetdeskSigns(getComputedStyle(document.body).fontFamily);
    for (const { route } of mine) {
      if (route.start) signs.take(pixel(route.start), signs.wide(say("Start"), 12, 18), 22);
    }
    for (const route of shown) {
      route.signs.clearLayers();
      for (const pause of route.route.pauses) drawPause(route, pause, signs);
    }
    numberStops(shown, signs);
    for (const lot of lots.sort((a, b) => b.low - a.low)) {
      const at = pixel(lot.at).add([0, 23]);
      const fits = map.getZoom() >= 13 && signs.find(at, signs.wide(lot.text, 11, 13) - 2, 20, [[0, 0]]);
      lot.sign.classList.toggle("small", !fits);
    }
    for (const route of mine) {
      route.arrows.clearLayers();
      const pixels = route.line.map(pixel);
      for (let i = 1; i < pixels.length; i += 1) {
        const length = pixels[i].distanceTo(pixels[i - 1]);
        if (length > 70) route.arrows.addLayer(arrow(pixels[i - 1], pixels[i], route.colour));
      }
    }
  }

  /* Routes take turns, so that none has all the room. */
  function numberStops(shown, signs) {
    const waiting = shown.map(({ route }) => signs.stretches(route.places, pixel));
    for (let turn = 0; waiting.some((stretches) => turn < stretches.length); turn += 1) {
      shown.forEach((route, index) => {
        const one = waiting[index][turn];
        const middle = one && signs.find(one.at, signs.wide(one.label, 12, 14) + 2, 25);
        if (!middle) return;
        const to = L.point(middle.x, middle.y);
        if (to.distanceTo(one.at) > 1) route.signs.addLayer(stem(one.here.at, to));
        route.signs.addLayer(drawStops(route.route, map.unproject(to), one.label, one.stops));
      });
    }
  }

  function drawPause(route, pause, signs) {
    const below = [[0, 1], [0, -1], [0, 2], [1, 0], [-1, 0]];
    const middle = signs.find(pixel(pause.at), signs.wide(pause.times, 11, 12), 20, below);
    if (!middle) return;
    const label = `${route.route.worker} · ${pause.what} ${pause.times}`;
    const sign = element("span", "pause", pause.times);
    route.signs.addLayer(place(map.unproject(L.point(middle.x, middle.y)), sign, label, 950));
  }

  function stem(at, to) {
    return L.polyline([at, map.unproject(to)], {
      pane: "dots", renderer: stopDots, color: "#23272b", weight: 1, interactive: false,
    });
  }

  function pixel(at) {
    return map.project(at);
  }

  function arrow(from, to, colour) {
    const sign = element("span", "arrow");
    sign.style.setProperty("--c", colour);
    sign.style.transform = `rotate(${Math.atan2(to.y - from.y, to.x - from.x)}rad)`;
    return L.marker(map.unproject(from.add(to).divideBy(2)), {
      icon: L.divIcon({ html: sign, className: "sign", iconSize: [0, 0] }), interactive: false, keyboard: false,
    });
  }

  function place(at, sign, label, height, pane = "markerPane") {
    return L.marker(at, {
      icon: L.divIcon({ html: sign, className: "sign", iconSize: [0, 0] }),
      pane, alt: label, zIndexOffset: height, riseOnHover: true,
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
    for (const value of values) text = text.replace("{}", () => value);
    return text;
  }
}
