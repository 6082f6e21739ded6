// The health page: charts of the servers' figures of the last hour, updated as new ones come.
import { listen } from "./line.js";
import { WHOLE, chart, colour } from "./charts.js";

const HOUR_S = 3600;
const MICRO = 1e6;
const MEGA = 1e6;
const PERIOD_S = 5; // between two samples of a server
const MAX_AGE_S = 3 * PERIOD_S; // an older sample is not the current state

// chart -> its lines: the colour, the number in one server's sample, how the numbers of several servers are combined.
// null: nothing was measured, or there is no sample.
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
const max = (numbers) => Math.max(...numbers);
const CHARTS = {
  visits: [["waiting", (v) => (v.visits * MICRO) / v.period, sum]],
  connections: [["waiting", (v) => v.connections, sum]],
  took: [
    ["waiting", (v) => v.took_p50 / 1000 || null, max, "median"],
    ["stuck", (v) => v.took_p99 / 1000 || null, max, "p99"],
  ],
  commit: [
    ["waiting", (v) => v.commit_p50 / 1000 || null, max, "median"],
    ["stuck", (v) => v.commit_p99 / 1000 || null, max, "p99"],
  ],
  waiting: [["waiting", (v) => v.waiting, sum]],
  commits: [["waiting", (v) => (v.commits * MICRO) / v.period, sum]],
};

const COUNTED = ["connections", "waiting"];

// The indexes of points without a known neighbour: they are drawn as points, others are part of a line.
function isolatedPoints(plot, line) {
  const numbers = plot.data[line];
  const isKnown = (index) => typeof numbers[index] === "number";
  return numbers.map((_, index) => index).filter((i) => isKnown(i) && !isKnown(i - 1) && !isKnown(i + 1));
}

function drawing(id, colours) {
  const series = colours.map((name, index) => ({
    stroke: () => colour(name),
    width: 2,
    dash: index ? [6, 4] : undefined,
    points: { show: true, size: 5, filter: isolatedPoints },
  }));
  return chart(document.getElementById(id), series, { steps: COUNTED.includes(id) ? WHOLE : undefined });
}

const drawn = Object.fromEntries(
  Object.entries(CHARTS).map(([id, lines]) => [id, drawing(id, lines.map(([name]) => name))]),
);
const drawDisk = drawing("disk", ["waiting"]);

let samples = [];
let heard = {}; // server -> when it last wrote, in seconds since 1970
let sizes = []; // [seconds since 1970, bytes of the records]
let clockAhead = 0; // seconds by which the board's clock is ahead of this one

// [time, samples of all servers in the same period], in order of time.
function periods() {
  const found = new Map();
  for (const sample of samples) {
    const time = Math.floor(sample.at / (PERIOD_S * MICRO)) * PERIOD_S;
    if (!found.has(time)) found.set(time, new Map());
    found.get(time).set(sample.ground, sample);
  }
  return [...found.entries()].map(([time, servers]) => [time, [...servers.values()]]).sort(([a], [b]) => a - b);
}

// The same up to now, with an empty entry at the start of each gap.
function withGaps(known, now) {
  const found = [];
  const isPast = now > (known.at(-1)?.[0] ?? 0); // false if the clock of a server is ahead
  for (const [time, data] of isPast ? [...known, [now, []]] : known) {
    const before = found.at(-1)?.[0] ?? time;
    if (time - before > MAX_AGE_S) found.push([before + PERIOD_S, []]);
    found.push([time, data]);
  }
  return found;
}

function combined(servers, [, read, combine]) {
  const numbers = servers.map(read).filter((value) => value !== null);
  return numbers.length ? combine(numbers) : null;
}

function number(value) {
  return Number.isInteger(value) || value >= 100 ? value.toFixed(0) : value.toPrecision(2);
}

function asText(servers, lines) {
  const values = lines.map((line) => combined(servers, line));
  const texts = values.map((value, index) => number(value ?? 0) + (lines[index][3] ? ` (${lines[index][3]})` : ""));
  return values.includes(null) ? "-" : texts.join(", ");
}

const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString("en-GB");

function setText(id, text) {
  const element = document.getElementById(id);
  if (element.textContent !== text) element.textContent = text; // screen readers read every change
  return element;
}

function draw() {
  const now = Date.now() / 1000 + clockAhead;
  const all = withGaps(periods(), now);
  const latest = [...new Map(samples.map((sample) => [sample.ground, sample])).values()];
  const running = latest.filter((sample) => heard[sample.ground] >= now - MAX_AGE_S);
  for (const [id, lines] of Object.entries(CHARTS)) {
    const data = lines.map((line) => all.map(([, servers]) => combined(servers, line)));
    drawn[id]([all.map(([time]) => time), ...data]);
    setText(`${id}-now`, samples.length ? asText(running, lines) : "no data yet");
  }
  const newest = max(latest.map((sample) => sample.at)) / MICRO;
  const isSilent = latest.length > 0 && running.length === 0;
  setText("silent", isSilent ? `No server writes its figures. The last ones are from ${clock(newest)}.` : "").hidden = !isSilent;

  const taken = withGaps(sizes, now);
  const megabytes = taken.map(([, bytes]) => (typeof bytes === "number" ? bytes / MEGA : null));
  drawDisk([taken.map(([time]) => time), megabytes]);
}

function showDisk(disk) {
  const size = (bytes) => `${(bytes / 1e9).toFixed(bytes < 1e8 ? 3 : 1)} GB`;
  setText("disk-now", disk ? number(disk.records / MEGA) : "-");
  setText("free", disk ? `${size(disk.free)} of ${size(disk.total)} are free` : "the records are on another machine");
}

function showReadError(error, readAt) {
  const paragraph = document.createElement("p");
  paragraph.className = "trouble";
  const age = readAt ? ` This page shows them as of ${clock(readAt)}.` : "";
  paragraph.textContent = `The records cannot be read at the moment.${age} ${error}`;
  document.getElementById("trouble").replaceChildren(...(error ? [paragraph] : []));
}

listen(document.getElementById("charts").dataset.live, "", (kind, data) => {
  samples = kind === "snapshot" ? data.vitals : samples.concat(data.vitals);
  heard = { ...heard, ...data.heard };
  sizes = kind === "snapshot" ? data.sizes : sizes.concat(data.sizes);
  clockAhead = data.now - Date.now() / 1000;
  samples = samples.filter((sample) => sample.at > (data.now - HOUR_S) * MICRO);
  sizes = sizes.filter(([time]) => time > data.now - HOUR_S);
  showReadError(data.trouble, data.read_at);
  if (!data.trouble) showDisk(data.disk);
  draw();
});
setInterval(draw, PERIOD_S * 1000);
