// What all charts have in common: colours of the page, a size that follows the page, a new drawing when either changes.
import uPlot from "./uplot/uPlot.esm.js";

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function axis(more) {
  const ink = () => colour("muted");
  const line = () => colour("line");
  return { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, ...more };
}

// How a time is written on a chart that shows so many seconds at most.
const CLOCKS = [
  [600, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }],
  [86400, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }],
  [Infinity, { day: "2-digit", month: "short" }],
];

// Seconds between two times on an axis. Each is little more than twice the one before, so that a small chart has one, too.
const [MINUTE, HOUR, DAY] = [60, 3600, 86400];
const STEPS = [
  ...[1, 2, 5, 10, 15, 30],
  ...[1, 2, 3, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 5, 10, 30, 60, 120, 365].map((days) => days * DAY),
];

// The same for what is counted: there are no half teams.
export const WHOLE = [0, 1, 2, 3, 4, 5].flatMap((zeros) => [1, 2, 5].map((digit) => digit * 10 ** zeros));

const HALF_A_CLOCK = 32; // px: the last moment may stand at the very end of the axis

function times(plot, moments) {
  const { min, max } = plot.scales.x;
  const [, words] = CLOCKS.find(([seconds]) => max - min < seconds) ?? CLOCKS.at(-1);
  const written = (moment) => new Date(moment * 1000).toLocaleString("en-GB", words);
  return moments.map((moment) => (moment < min || moment > max ? "" : written(moment)));
}

// A chart in `place`; `series` and `plugins` as uPlot has them. Returns a function that shows new data.
export function chart(place, series, options = {}) {
  const size = () => ({ width: Math.max(120, place.clientWidth), height: Math.max(100, place.clientHeight) });
  const font = options.font ?? "13px system-ui, sans-serif";
  const plot = new uPlot(
    {
      ...size(),
      padding: [null, HALF_A_CLOCK, null, null],
      series: [{}, ...series],
      axes: [axis({ font, values: times, space: 70, incrs: STEPS }), axis({ font, size: 46, incrs: options.steps })],
      scales: { x: { time: true, ...options.x }, y: { range: (_, min, max) => [0, Math.max(options.least ?? 1, max ?? 0)] } },
      legend: { show: false },
      cursor: { show: false },
      hooks: options.hooks ?? {},
    },
    [[], ...series.map(() => [])],
    place,
  );
  new ResizeObserver(() => plot.setSize(size())).observe(place);
  addEventListener("themechange", () => plot.redraw());
  return (data) => plot.setData(data);
}
