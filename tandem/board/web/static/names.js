// The names in tiles: how wide each one is in one line and in two, and how it is cut where that is too wide.
//
// Widths are in em. They are proportional to the type size: board.css draws tiles with `geometricPrecision`.

const MEASURED_PX = 100;
const SHORT_LETTERS = 24; // a longer name is cut first
const LONG_WORD = 16; // letters; only such a word may be broken to get larger type
const ELLIPSIS = "…";
const TAIL = 0.4; // the end of a name that is cut in one line, as a share of the line
const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" }); // one emoji is several characters

const graphemes = (text) => [...segmenter.segment(text)].map(({ segment }) => segment);

// The names that are shown, in the font of an element.
export class Names {
  #pen = document.createElement("canvas").getContext("2d");
  #names = new Map(); // name -> its widths and breaks; those of the last call of `measure`

  constructor(element, weight) {
    this.#pen.font = `${weight} ${MEASURED_PX}px ${getComputedStyle(element).fontFamily}`;
    this.#pen.textRendering = "geometricPrecision";
  }

  // Returns what is known of each name: `need`, its width in one and in two lines, and whether it `isShort`.
  measure(names) {
    const before = this.#names;
    this.#names = new Map(names.map((name) => [name, before.get(name) ?? this.#measured(name)]));
    return names.map((name) => this.#names.get(name));
  }

  // Returns the rows of each name in lines of this width. Of different names no two are shown alike.
  rows(names, width, lines) {
    const known = this.measure(names);
    const whole = new Map(known.map((name) => [name.text, wholeRows(name, width, lines)]));
    const taken = new Set([...whole].filter(([, rows]) => rows).map(([text]) => text));
    for (const name of known) {
      if (!whole.get(name.text)) whole.set(name.text, this.#cut(name, width, lines, taken));
    }
    return names.map((name) => whole.get(name));
  }

  #measured(text) {
    const letters = graphemes(text);
    const one = this.#width(text);
    const atSpace = this.#best([...text.matchAll(/ /g)].map(({ index }) => [text.slice(0, index + 1), text.slice(index + 1)]));
    const half = this.#prefix(letters, one / 2);
    const split = (at) => [letters.slice(0, at).join(""), letters.slice(at).join("")];
    const inWord = this.#best([split(half), split(half + 1)]);
    const hasLongWord = text.split(" ").some((word) => graphemes(word).length > LONG_WORD);
    const two = Math.min(one, atSpace.width, hasLongWord ? inWord.width : Infinity);
    return { text, letters, atSpace, inWord, need: { 1: one, 2: two }, isShort: letters.length <= SHORT_LETTERS };
  }

  // The break into two rows whose wider row is the narrowest. A space at the end of a row takes no width.
  #best(breaks) {
    const found = breaks.map((rows) => ({ rows, width: Math.max(...rows.map((row) => this.#width(row.trimEnd()))) }));
    return found.reduce((best, each) => (each.width < best.width ? each : best), { rows: [], width: Infinity });
  }

  // Cuts out the middle. If another name looks like that, a number takes the place of the middle.
  #cut({ letters }, width, lines, taken) {
    for (let number = 1; ; number++) {
      const middle = number === 1 ? ELLIPSIS : `${ELLIPSIS}${number}${ELLIPSIS}`;
      const rows = lines < 2 ? this.#cutInOne(letters, width, middle) : this.#cutInTwo(letters, width, middle);
      const shown = rows.join("");
      if (taken.has(shown)) continue;
      taken.add(shown);
      return rows;
    }
  }

  #cutInOne(letters, width, middle) {
    const space = width - this.#width(middle);
    const tail = this.#suffix(letters, TAIL * space);
    const end = letters.slice(letters.length - tail).join("");
    const start = letters.slice(0, this.#prefix(letters, space - this.#width(end))).join("");
    return [`${start}${middle}${end}`];
  }

  #cutInTwo(letters, width, middle) {
    const tail = this.#suffix(letters, width - this.#width(middle));
    return [
      letters.slice(0, this.#prefix(letters, width)).join(""),
      `${middle}${letters.slice(letters.length - tail).join("")}`,
    ];
  }

  // How many letters of the beginning fit into the width: found by halving.
  #prefix(letters, width) {
    return mostThat((count) => this.#width(letters.slice(0, count).join("")) <= width, letters.length);
  }

  #suffix(letters, width) {
    return mostThat((count) => this.#width(letters.slice(letters.length - count).join("")) <= width, letters.length);
  }

  #width(text) {
    return this.#pen.measureText(text).width / MEASURED_PX;
  }
}

// Returns whether a name that was measured fits into lines of this width without being cut.
export function fits(name, width, lines) {
  return wholeRows(name, width, lines) !== null;
}

// Returns the rows of the whole name, broken at a blank if that fits, else inside a word; null if it does not fit.
function wholeRows(name, width, lines) {
  if (name.need[1] <= width) return [name.text];
  if (lines < 2) return null;
  return [name.atSpace, name.inWord].find((each) => each.width <= width)?.rows ?? null;
}

// The largest number up to `most` that is right, if every smaller one is.
function mostThat(isRight, most) {
  let [right, wrong] = [0, most + 1];
  while (wrong - right > 1) {
    const middle = (right + wrong) >> 1;
    if (isRight(middle)) right = middle;
    else wrong = middle;
  }
  return right;
}
