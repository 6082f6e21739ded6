// The curve of finished teams over time, with the deadline: a step chart, drawn from the tiles of the page.
// It ends when the board was last heard of.
import uPlot from "./uplot/uPlot.esm.js";
import { WHOLE, chart, colour } from "./charts.js";
import { knownUntil } from "./line.js";

const REDRAW_INTERVAL_MS = 500;
const MARGIN = 0.04; // empty space on each side, as a share of the time shown
const MAX_DEADLINE_DISTANCE = 3; // a deadline farther away than so many times the time so far is not drawn

function drawDeadline(deadline) {
  return (plot) => {
    const at = deadline();
    if (at === null) return;
    const x = Math.round(plot.valToPos(at, "x", true));
    const { left, top, width, height } = plot.bbox;
    if (x < left || x > left + width) return;
    const { ctx } = plot;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour("stuck");
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, top + height);
    ctx.stroke();
    ctx.textAlign = x > left + width / 2 ? "right" : "left";
    ctx.fillText(" deadline ", x, top + 12 * devicePixelRatio);
    ctx.restore();
  };
}

// Returns a function to call when the tiles have changed.
export function curve(element, tiles, deadlineElement) {
  const deadline = () => {
    const shown = deadlineElement();
    return shown ? Number(shown.dataset.deadline) : null;
  };
  const line = {
    stroke: () => colour("finished"),
    fill: () => colour("finished-tint"),
    width: 3,
    paths: uPlot.paths.stepped({ align: 1 }),
    points: { show: false },
  };
  const show = chart(element, [line], {
    font: "14px system-ui, sans-serif",
    steps: WHOLE,
    hooks: { draw: [drawDeadline(deadline)] },
  });
  const draw = () => {
    const times = [...tiles.querySelectorAll("[data-finished]")].map((tile) => Number(tile.dataset.finished));
    times.sort((a, b) => a - b);
    const now = knownUntil() / 1000;
    const first = times[0] ?? now - 60;
    const last = Math.max(now, times.at(-1) ?? now);
    const maxEnd = last + MAX_DEADLINE_DISTANCE * Math.max(60, last - first);
    const end = Math.max(last, Math.min(deadline() ?? last, maxEnd));
    const margin = Math.max(5, MARGIN * (end - first));
    const total = times.length;
    show([
      [first - margin, ...times, last, end + margin],
      [0, ...times.map((_, index) => index + 1), total, null],
    ]);
    element.setAttribute("aria-label", `chart: ${total} ${total === 1 ? "team has" : "teams have"} finished so far`);
  };
  let waiting = null;
  draw();
  setInterval(draw, 30000);
  return () => {
    waiting ??= setTimeout(() => {
      waiting = null;
      draw();
    }, REDRAW_INTERVAL_MS);
  };
}
