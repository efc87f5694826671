// Draws static/gallery/world.svg: land and borders of Natural Earth (public domain, through
// the package world-atlas), a degree as long everywhere, to a tenth of a degree.
import { readFileSync, writeFileSync } from "node:fs";
import { feature, mesh } from "topojson-client";

const world = JSON.parse(
  readFileSync(new URL("node_modules/world-atlas/countries-110m.json", import.meta.url)),
);

// Steps in tenths of a degree from point to point; those that do not move are left out.
function drawn(line, isClosed) {
  const points = line.map(([east, north]) => [Math.round((east + 180) * 10), Math.round((90 - north) * 10)]);
  let [x, y] = points[0];
  let path = `M${x / 10} ${y / 10}`;
  let moved = "";
  for (const [nextX, nextY] of points.slice(1)) {
    if (nextX === x && nextY === y) continue;
    const step = (value) => `${value / 10}`.replace(/^(-?)0\./, "$1.");
    moved += `${moved ? " " : ""}${step(nextX - x)} ${step(nextY - y)}`;
    [x, y] = [nextX, nextY];
  }
  path += moved ? `l${moved.replaceAll(" -", "-")}` : "";
  return path + (isClosed ? "z" : "");
}

const land = feature(world, world.objects.land).features
  .flatMap(({ geometry }) => (geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates))
  .flatMap((polygon) => polygon.map((ring) => drawn(ring, true)));
const borders = mesh(world, world.objects.countries, (a, b) => a !== b)
  .coordinates.map((line) => drawn(line, false));

writeFileSync(
  new URL("../../../static/gallery/world.svg", import.meta.url),
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 360 180"><path id="land" d="${land.join("")}"/><path id="borders" d="${borders.join("")}"/></svg>\n`,
);
