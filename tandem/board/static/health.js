// The health page: an hour of the ground's own figures, drawn anew as each comes.
import { listen } from "./line.js";
import { WHOLE, chart, colour } from "./charts.js";

const HOUR = 3600;
const MICRO = 1e6;
const PERIOD = 5; // seconds: so often a ground writes its figures, or a little less often

// chart -> its lines: the colour, how one ground's figures give a number, how several grounds' numbers become one
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
const most = (numbers) => Math.max(...numbers);
const CHARTS = {
  visits: [["waiting", (v) => (v.visits * MICRO) / v.period, sum]],
  connections: [["waiting", (v) => v.connections, sum]],
  took: [
    ["waiting", (v) => v.took_p50 / 1000, most, "median"],
    ["stuck", (v) => v.took_p99 / 1000, most, "99 of 100"],
  ],
  commit: [
    ["waiting", (v) => v.commit_p50 / 1000, most, "median"],
    ["stuck", (v) => v.commit_p99 / 1000, most, "99 of 100"],
  ],
  waiting: [["waiting", (v) => v.waiting, sum]],
  commits: [["waiting", (v) => (v.commits * MICRO) / v.period, sum]],
};

const COUNTED = ["connections", "waiting"];

const drawn = Object.fromEntries(
  Object.entries(CHARTS).map(([id, lines]) => {
    const series = lines.map(([name], place) => ({
      stroke: () => colour(name),
      width: 2,
      dash: place ? [6, 4] : undefined,
      points: { show: false },
    }));
    return [id, chart(document.getElementById(id), series, { steps: COUNTED.includes(id) ? WHOLE : undefined })];
  }),
);

let rows = [];

// One moment for all grounds that wrote in the same five seconds.
function moments() {
  const found = new Map();
  for (const row of rows) {
    const moment = Math.floor(row.at / (PERIOD * MICRO)) * PERIOD;
    if (!found.has(moment)) found.set(moment, new Map());
    found.get(moment).set(row.ground, row);
  }
  return [...found.entries()].sort(([a], [b]) => a - b);
}

function number(value) {
  return Number.isInteger(value) || value >= 100 ? value.toFixed(0) : value.toPrecision(2);
}

function draw() {
  const all = moments();
  const times = all.map(([moment]) => moment);
  for (const [id, lines] of Object.entries(CHARTS)) {
    const data = lines.map(([, read, join]) => all.map(([, grounds]) => join([...grounds.values()].map(read))));
    drawn[id]([times, ...data]);
    const words = lines.map(([, , , name], place) => `${number(data[place].at(-1) ?? 0)}${name ? ` (${name})` : ""}`);
    document.getElementById(`${id}-now`).textContent = all.length ? words.join(", ") : "nothing yet";
  }
}

function showDisk(disk) {
  const size = (bytes) => `${(bytes / 1e9).toFixed(bytes < 1e8 ? 3 : 1)} GB`;
  document.getElementById("disk").textContent = disk
    ? `the records take ${size(disk.records)}; ${size(disk.free)} of ${size(disk.total)} are free`
    : "the records are on another machine";
}

listen(document.getElementById("charts").dataset.live, "", (kind, data) => {
  rows = kind === "snapshot" ? data.vitals : rows.concat(data.vitals);
  const newest = rows.at(-1)?.at ?? 0;
  rows = rows.filter((row) => row.at > newest - HOUR * MICRO);
  showDisk(data.disk);
  draw();
});
