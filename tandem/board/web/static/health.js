// The health page: an hour of the ground's own figures, drawn anew as each comes.
import { listen } from "./line.js";
import { WHOLE, chart, colour } from "./charts.js";

const HOUR = 3600;
const MICRO = 1e6;
const MEGA = 1e6;
const PERIOD = 5; // seconds: so often a ground writes its figures, or a little less often
const FRESH = 3 * PERIOD; // seconds: what was told longer ago is not how it is now

// chart -> its lines: the colour, how one ground's figures give a number, how several grounds' numbers become one.
// Nothing is null: where nothing was measured, or nobody has told.
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
const most = (numbers) => Math.max(...numbers);
const CHARTS = {
  visits: [["waiting", (v) => (v.visits * MICRO) / v.period, sum]],
  connections: [["waiting", (v) => v.connections, sum]],
  took: [
    ["waiting", (v) => v.took_p50 / 1000 || null, most, "median"],
    ["stuck", (v) => v.took_p99 / 1000 || null, most, "99 of 100"],
  ],
  commit: [
    ["waiting", (v) => v.commit_p50 / 1000 || null, most, "median"],
    ["stuck", (v) => v.commit_p99 / 1000 || null, most, "99 of 100"],
  ],
  waiting: [["waiting", (v) => v.waiting, sum]],
  commits: [["waiting", (v) => (v.commits * MICRO) / v.period, sum]],
};

const COUNTED = ["connections", "waiting"];

// A point is drawn only where it stands alone: between two others there is the line.
function alone(plot, line) {
  const numbers = plot.data[line];
  const isKnown = (place) => typeof numbers[place] === "number";
  return numbers.map((_, place) => place).filter((at) => isKnown(at) && !isKnown(at - 1) && !isKnown(at + 1));
}

function drawing(id, colours) {
  const series = colours.map((name, place) => ({
    stroke: () => colour(name),
    width: 2,
    dash: place ? [6, 4] : undefined,
    points: { show: true, size: 5, filter: alone },
  }));
  return chart(document.getElementById(id), series, { steps: COUNTED.includes(id) ? WHOLE : undefined });
}

const drawn = Object.fromEntries(
  Object.entries(CHARTS).map(([id, lines]) => [id, drawing(id, lines.map(([name]) => name))]),
);
const drawDisk = drawing("disk", ["waiting"]);

let rows = []; // what grounds have told
let heard = {}; // ground -> when it told the last time, in seconds
let sizes = []; // when, in seconds, and how many bytes the records were
let ahead = 0; // seconds by which the board's clock is ahead of this one

// One moment for all grounds that wrote in the same five seconds.
function moments() {
  const found = new Map();
  for (const row of rows) {
    const moment = Math.floor(row.at / (PERIOD * MICRO)) * PERIOD;
    if (!found.has(moment)) found.set(moment, new Map());
    found.get(moment).set(row.ground, row);
  }
  return [...found.entries()].map(([moment, grounds]) => [moment, [...grounds.values()]]).sort(([a], [b]) => a - b);
}

// The same up to now, with a moment of which nothing is known wherever it was silent for long.
function withGaps(known, now) {
  const found = [];
  const isOver = now > (known.at(-1)?.[0] ?? 0); // not yet by the clock of a ground that is ahead
  for (const [moment, what] of isOver ? [...known, [now, []]] : known) {
    const before = found.at(-1)?.[0] ?? moment;
    if (moment - before > FRESH) found.push([before + PERIOD, []]);
    found.push([moment, what]);
  }
  return found;
}

function joined(grounds, [, read, join]) {
  const numbers = grounds.map(read).filter((value) => value !== null);
  return numbers.length ? join(numbers) : null;
}

function number(value) {
  return Number.isInteger(value) || value >= 100 ? value.toFixed(0) : value.toPrecision(2);
}

function inWords(grounds, lines) {
  const values = lines.map((line) => joined(grounds, line));
  const words = values.map((value, place) => number(value ?? 0) + (lines[place][3] ? ` (${lines[place][3]})` : ""));
  return values.includes(null) ? "-" : words.join(", ");
}

const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString("en-GB");

function say(id, words) {
  const place = document.getElementById(id);
  if (place.textContent !== words) place.textContent = words; // who listens hears it once
  return place;
}

function draw() {
  const now = Date.now() / 1000 + ahead;
  const all = withGaps(moments(), now);
  const last = [...new Map(rows.map((row) => [row.ground, row])).values()];
  const alive = last.filter((row) => heard[row.ground] >= now - FRESH);
  for (const [id, lines] of Object.entries(CHARTS)) {
    const data = lines.map((line) => all.map(([, grounds]) => joined(grounds, line)));
    drawn[id]([all.map(([moment]) => moment), ...data]);
    say(`${id}-now`, rows.length ? inWords(alive, lines) : "nothing yet");
  }
  const newest = most(last.map((row) => row.at)) / MICRO;
  const isSilent = last.length > 0 && alive.length === 0;
  say("silent", isSilent ? `No ground tells how it is: last figures from ${clock(newest)}.` : "").hidden = !isSilent;

  const taken = withGaps(sizes, now);
  const megabytes = taken.map(([, bytes]) => (typeof bytes === "number" ? bytes / MEGA : null));
  drawDisk([taken.map(([moment]) => moment), megabytes]);
}

function showDisk(disk) {
  const size = (bytes) => `${(bytes / 1e9).toFixed(bytes < 1e8 ? 3 : 1)} GB`;
  say("disk-now", disk ? number(disk.records / MEGA) : "-");
  say("free", disk ? `${size(disk.free)} of ${size(disk.total)} are free` : "the records are on another machine");
}

function showTrouble(trouble, at) {
  const words = document.createElement("p");
  words.className = "trouble";
  const from = at ? `: what is shown is from ${clock(at)}` : "";
  words.textContent = `The records cannot be read just now${from}. ${trouble}`;
  document.getElementById("trouble").replaceChildren(...(trouble ? [words] : []));
}

listen(document.getElementById("charts").dataset.live, "", (kind, data) => {
  rows = kind === "snapshot" ? data.vitals : rows.concat(data.vitals);
  heard = { ...heard, ...data.heard };
  sizes = kind === "snapshot" ? data.sizes : sizes.concat(data.sizes);
  ahead = data.now - Date.now() / 1000;
  rows = rows.filter((row) => row.at > (data.now - HOUR) * MICRO);
  sizes = sizes.filter(([moment]) => moment > data.now - HOUR);
  showTrouble(data.trouble, data.read_at);
  if (!data.trouble) showDisk(data.disk);
  draw();
});
setInterval(draw, PERIOD * 1000);
