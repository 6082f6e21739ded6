// Lays the tiles out on one screen: finds the largest type at which all of them fit.
//
// All lengths in a tile are multiples of its type size (em), except for its border. For a type size, a tile has one
// height, so a known number of rows fits, and the fewest columns are the widest. Where a type size does not fit, no
// larger one does, so the largest is found by halving.
import { Names, fits } from "./names.js";

const PROJECTOR = matchMedia("(min-width: 60rem) and (min-height: 35rem)"); // the same in board.css
const HALVINGS = 20;
const CORRECTIONS = 4; // of the type size, where the browser draws a name wider than it measured it
const CORRECTION = 0.98;

// Type sizes, as shares of the window's height.
const LARGEST = 0.1;
const READABLE = 0.024; // before names get smaller, the long ones are cut
const SMALLEST = 0.014; // before names get smaller, any of them is cut
const NEVER_CUT = 60; // up to so many tiles, no short name is cut

// The sizes of a tile in board.css, in em.
const GAP = 0.25;
const BLOCK_PADDING = 0.15;
const INLINE = { padding: 0.4, sign: 1.4 }; // `sign`: the icon, and the gap after it
const TIGHT = { padding: 0.2, sign: 1.25 }; // where the tiles take the whole width
const LINE = 1.2; // the height of a line of a name
const STATE = 0.62; // the type size of the state below the name
const BORDER_PX = 2;
const MIN_NAME = 4; // the width of a name; where it would be narrower, the tiles scroll
const SCROLLING_NAME = 10; // its width then

// What is tried, in this order, until the type is large enough. `states`: how many lines the state may take.
// `isWhole`: the tiles take the whole width of the page, and what is beside them is hidden.
const ATTEMPTS = [
  { states: [1, 2], names: "all", atLeast: SMALLEST / STATE, atMost: LARGEST },
  { states: [0], names: "all", atLeast: READABLE, atMost: LARGEST },
  { states: [1, 2], names: "short", atLeast: SMALLEST / STATE, atMost: READABLE },
  { states: [0], names: "short", atLeast: SMALLEST, atMost: READABLE },
  { states: [0], names: "short", atLeast: SMALLEST, atMost: READABLE, isWhole: true },
];

// Returns a function to call after the tiles have changed. `frame`: the element that they fill.
export function fitTiles(frame, tiles) {
  const [names, states] = [new Names(tiles, 600), new Names(tiles, 400)];
  const refit = () => (PROJECTOR.matches ? fit(frame, tiles, names, states) : release(tiles));
  new ResizeObserver(refit).observe(frame);
  return refit;
}

// Leaves the layout to the style sheet: the page scrolls.
function release(tiles) {
  tiles.classList.remove("fitted");
  tiles.closest(".class").classList.remove("stateless", "whole");
  for (const name of tiles.querySelectorAll(".name")) show(name, [name.title]);
}

function fit(frame, tiles, names, states) {
  const elements = [...tiles.querySelectorAll(".name")];
  if (!elements.length || !frame.clientHeight) return;
  const texts = elements.map((element) => element.title);
  const stateTexts = [...tiles.querySelectorAll(".words")].map((element) => element.textContent);
  const page = tiles.closest(".class");
  page.classList.remove("whole"); // both widths are measured with everything beside the tiles in its place
  const beside = { width: frame.clientWidth, height: frame.clientHeight, tiles: elements.length, inside: INLINE };
  const whole = { ...beside, width: page.clientWidth, inside: TIGHT };
  const layout = choose(beside, whole, names.measure(texts), states.measure(stateTexts));
  const rows = names.rows(texts, layout.nameWidth, layout.lines);
  elements.forEach((element, index) => show(element, rows[index]));
  tiles.classList.add("fitted");
  page.classList.toggle("stateless", layout.stateLines === 0);
  page.classList.toggle("whole", layout.isWhole);
  tiles.classList.toggle("scrolling", layout.rows === 0);
  tiles.style.setProperty("--columns", layout.columns);
  tiles.style.setProperty("--rows", layout.rows);
  for (let tries = 0, size = layout.size; ; tries++, size *= CORRECTION) {
    tiles.style.setProperty("--size", `${size}px`);
    if (tries === CORRECTIONS || elements.every((element) => element.scrollWidth <= element.clientWidth)) break;
  }
}

// Shows a name in rows. A blank between two rows stays in the text. Only a name that has changed is touched.
function show(element, rows) {
  const ends = rows.map((row, index) => (row.endsWith(" ") && index < rows.length - 1 ? row.length - 1 : row.length));
  const texts = rows.map((row, index) => row.slice(0, ends[index]));
  if (texts.join("\n") === [...element.children].map((row) => row.textContent).join("\n")) return;
  const row = (text) => Object.assign(document.createElement("span"), { className: "row", textContent: text });
  element.replaceChildren(...texts.flatMap((text, index) => [row(text), rows[index].slice(ends[index])]));
}

// Returns the layout. `beside` and `whole`: the space for the tiles, beside the lists and without them. `names` and
// `states` are what Names.measure returned.
function choose(beside, whole, names, states) {
  const measured = { all: names, short: names.filter(({ isShort }) => isShort) };
  let layout;
  for (const { isWhole = false, ...attempt } of ATTEMPTS) {
    const layouts = shapes(attempt.states, measured[attempt.names], states);
    const space = isWhole ? whole : beside;
    layout = { isWhole, ...best(layouts.map((shape) => largest(space, shape, attempt.atMost * innerHeight))) };
    if (layout.size >= attempt.atLeast * innerHeight) return layout;
  }
  return whole.tiles <= NEVER_CUT ? layout : { isWhole: true, ...smallest(whole, SMALLEST * innerHeight, names) };
}

// Returns the shapes that a tile may have: the lines of its name and of its state, and the widths in em that they need.
function shapes(stateLines, names, states) {
  const widest = (texts, lines) => texts.reduce((most, { need }) => Math.max(most, need[lines]), 0);
  return stateLines.flatMap((state) =>
    [1, 2].map((lines) => ({
      lines,
      stateLines: state,
      minName: widest(names, lines),
      minState: state ? STATE * widest(states, state) : 0,
    })),
  );
}

// Returns the layout with the largest type, up to `atMost` pixels, at which tiles of this shape fit.
function largest(space, shape, atMost) {
  let [fitting, tooLarge] = [0, atMost];
  for (let step = 0; step < HALVINGS; step++) {
    const middle = (fitting + tooLarge) / 2;
    const layout = layoutAt(middle, space, shape);
    if (layout && layout.nameWidth >= shape.minName && layout.stateWidth >= shape.minState) fitting = middle;
    else tooLarge = middle;
  }
  return layoutAt(fitting, space, shape) ?? { ...shape, size: 0 };
}

// Returns the layout at a type size in pixels; undefined if not even one row fits.
function layoutAt(size, space, shape) {
  const gap = GAP * size;
  const height = (shape.lines * LINE + shape.stateLines * STATE * LINE + 2 * BLOCK_PADDING) * size + 2 * BORDER_PX;
  const rows = Math.floor((space.height + gap) / (height + gap));
  if (rows < 1) return undefined;
  const columns = Math.ceil(space.tiles / rows);
  const { padding, sign } = space.inside;
  const inside = (space.width - (columns - 1) * gap) / columns - 2 * padding * size - 2 * BORDER_PX;
  const [stateWidth, nameWidth] = [inside / size, inside / size - sign];
  return { ...shape, size, columns, rows: Math.ceil(space.tiles / columns), nameWidth, stateWidth };
}

// Returns the layout at the smallest type in which the fewest names are cut. If it has no space for names, the tiles
// scroll.
function smallest(space, size, names) {
  const layouts = [1, 2].map((lines) => layoutAt(size, space, { lines, stateLines: 0 }));
  const fitting = layouts.filter((layout) => layout?.nameWidth >= MIN_NAME);
  const uncut = ({ nameWidth, lines }) => names.filter((name) => fits(name, nameWidth, lines)).length;
  const isBetter = (one, other) =>
    uncut(one) > uncut(other) || (uncut(one) === uncut(other) && textWidth(one) > textWidth(other));
  if (fitting.length) return fitting.reduce((one, other) => (isBetter(one, other) ? one : other));
  const width = (SCROLLING_NAME + space.inside.sign + 2 * space.inside.padding) * size + 2 * BORDER_PX;
  const columns = Math.max(1, Math.floor(space.width / (width + GAP * size)));
  return { size, lines: 2, stateLines: 0, columns, rows: 0, nameWidth: SCROLLING_NAME };
}

// Returns the layout with the largest type; of the same type, the one with the most space for a name.
function best(layouts) {
  const isBetter = (one, other) => one.size > other.size || (one.size === other.size && textWidth(one) > textWidth(other));
  return layouts.reduce((found, layout) => (isBetter(layout, found) ? layout : found));
}

function textWidth({ lines, nameWidth }) {
  return lines * nameWidth;
}
