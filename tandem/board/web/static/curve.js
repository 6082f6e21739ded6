// How many teams have finished, over time, against the deadline: a staircase, drawn from the tiles of the page.
import uPlot from "./uplot/uPlot.esm.js";
import { WHOLE, chart, colour } from "./charts.js";

const PACE = 500; // ms between two drawings
const ROOM = 0.04; // of the time on either side
const FAR = 3; // a deadline is drawn if it is not farther away than so many times what has been

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
export function curve(place, tiles, deadlineElement) {
  const deadline = () => {
    const element = deadlineElement();
    return element ? Number(element.dataset.deadline) : null;
  };
  const line = {
    stroke: () => colour("finished"),
    fill: () => colour("finished-tint"),
    width: 3,
    paths: uPlot.paths.stepped({ align: 1 }),
    points: { show: false },
  };
  const show = chart(place, [line], {
    font: "14px system-ui, sans-serif",
    steps: WHOLE,
    hooks: { draw: [drawDeadline(deadline)] },
  });
  const draw = () => {
    const times = [...tiles.querySelectorAll("[data-finished]")].map((tile) => Number(tile.dataset.finished));
    times.sort((a, b) => a - b);
    const now = Date.now() / 1000;
    const first = times[0] ?? now - 60;
    const last = Math.max(now, times.at(-1) ?? now);
    const far = last + FAR * Math.max(60, last - first);
    const end = Math.max(last, Math.min(deadline() ?? last, far));
    const room = Math.max(5, ROOM * (end - first));
    const most = times.length;
    show([
      [first - room, ...times, last, end + room],
      [0, ...times.map((_, index) => index + 1), most, null],
    ]);
    place.setAttribute("aria-label", `a chart: ${most} ${most === 1 ? "team has" : "teams have"} finished so far`);
  };
  let waiting = null;
  draw();
  setInterval(draw, 30000);
  return () => {
    waiting ??= setTimeout(() => {
      waiting = null;
      draw();
    }, PACE);
  };
}
