// The common part of all charts: the colours and the size of the page, and a new drawing when either changes.
import uPlot from "./uplot/uPlot.esm.js";

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function axis(more) {
  const ink = () => colour("muted");
  const line = () => colour("line");
  return { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, ...more };
}

// The format of times on a chart that shows so many seconds at most.
const CLOCKS = [
  [600, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }],
  [86400, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }],
  [Infinity, { day: "2-digit", month: "short" }],
];

// Seconds between two labels of the time axis. Each is about twice the previous one, so even a small chart has labels.
const [MINUTE, HOUR, DAY] = [60, 3600, 86400];
const STEPS = [
  ...[1, 2, 5, 10, 15, 30],
  ...[1, 2, 3, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 5, 10, 30, 60, 120, 365].map((days) => days * DAY),
];

// Steps of an axis that counts things: whole numbers only.
export const WHOLE = [0, 1, 2, 3, 4, 5].flatMap((zeros) => [1, 2, 5].map((digit) => digit * 10 ** zeros));

const HALF_LABEL_PX = 32; // space for the label of a time at the end of the axis

function timeLabels(plot, times) {
  const { min, max } = plot.scales.x;
  const [, format] = CLOCKS.find(([seconds]) => max - min < seconds) ?? CLOCKS.at(-1);
  const label = (time) => new Date(time * 1000).toLocaleString("en-GB", format);
  return times.map((time) => (time < min || time > max ? "" : label(time)));
}

// Draws a chart in `element`; `series` as in uPlot. Returns a function that shows new data.
export function chart(element, series, options = {}) {
  const size = () => ({ width: Math.max(120, element.clientWidth), height: Math.max(100, element.clientHeight) });
  const font = options.font ?? "13px system-ui, sans-serif";
  const plot = new uPlot(
    {
      ...size(),
      padding: [null, HALF_LABEL_PX, null, null],
      series: [{}, ...series],
      axes: [axis({ font, values: timeLabels, space: 70, incrs: STEPS }), axis({ font, size: 46, incrs: options.steps })],
      scales: { x: { time: true, ...options.x }, y: { range: (_, min, max) => [0, Math.max(options.least ?? 1, max ?? 0)] } },
      legend: { show: false },
      cursor: { show: false },
      hooks: options.hooks ?? {},
    },
    [[], ...series.map(() => [])],
    element,
  );
  new ResizeObserver(() => plot.setSize(size())).observe(element);
  addEventListener("themechange", () => plot.redraw());
  return (data) => plot.setData(data);
}
