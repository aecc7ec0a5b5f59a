// Records of the last 24 hours, one bar an hour: what was mapped, and above it what was refused.

import { svg } from "./dom.js";
import { plural } from "./text.js";

const WIDTH = 5;
const GAP = 1;

/** A small chart of `hours`, oldest first. */
export function sparkline(hours, height = 28) {
  const most = Math.max(1, ...hours.map((hour) => hour.events + hour.rejects));
  const width = hours.length * (WIDTH + GAP) - GAP;
  const bars = hours.flatMap((hour, index) => bar(hour, index * (WIDTH + GAP), height - 1, most));
  const sum = (name) => hours.reduce((total, hour) => total + hour[name], 0);
  const label = `Last 24 hours: ${plural(sum("events"), "event")}, ${plural(sum("rejects"), "record")} refused`;
  return svg(
    "svg",
    {
      class: "spark",
      viewBox: `0 0 ${width} ${height}`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": label,
    },
    svg("title", {}, label),
    svg("rect", { class: "base", x: 0, y: height - 1, width, height: 1 }),
    bars,
  );
}

function bar({ events, rejects }, x, room, most) {
  // Whatever there was can be seen.
  const tall = (number) => (number === 0 ? 0 : Math.max(1.5, (number / most) * room));
  const refused = Math.min(tall(rejects), room);
  const mapped = Math.min(tall(events), room - refused);
  return [
    mapped > 0 && svg("rect", { class: "events", x, y: room - mapped, width: WIDTH, height: mapped }),
    refused > 0 &&
      svg("rect", { class: "rejects", x, y: room - mapped - refused, width: WIDTH, height: refused }),
  ].filter(Boolean);
}
