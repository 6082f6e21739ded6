// The connection to the board: an event stream that reconnects by itself and continues after the last event.
// While there is none, a banner says so, and since when the page is not live.

const SILENCE_TIMEOUT_MS = 4500; // without an event, after which the connection counts as broken: three heartbeats
const RECONNECT_DELAY_MS = 1000;

const shown = document.getElementById("line");
const banner = document.getElementById("offline");
let heardMs = Date.now(); // when the board last sent something, or made the page

// Returns the time up to which the page is right, in milliseconds since 1970.
export const knownUntil = () => heardMs;

function show(state) {
  shown.dataset.state = state;
  setText(shown, { live: "live", off: "reconnecting" }[state]);
}

function showBanner(text) {
  banner.hidden = !text;
  setText(banner, text);
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text; // screen readers read every change
}

function warn() {
  const since = new Date(heardMs).toLocaleTimeString("en-GB");
  showBanner(`The board does not answer. This page shows what was known at ${since}.`);
}

// Calls onEvent(kind, data) for each event. `from`: the id of the last event that the page already shows.
export function listen(url, from, onEvent) {
  let last = from;
  let source;
  let next; // timer: of the next attempt to connect, or of the end of this one
  let warning = setTimeout(warn, SILENCE_TIMEOUT_MS);

  const alive = () => {
    heardMs = Date.now();
    show("live");
    showBanner("");
    clearTimeout(next);
    clearTimeout(warning);
    next = setTimeout(reconnect, SILENCE_TIMEOUT_MS);
    warning = setTimeout(warn, SILENCE_TIMEOUT_MS);
  };
  const reconnect = () => {
    source.close();
    clearTimeout(next);
    show("off");
    next = setTimeout(open, RECONNECT_DELAY_MS);
  };
  const open = () => {
    const address = new URL(url, location.href);
    if (last) address.searchParams.set("from", last);
    source = new EventSource(address);
    source.addEventListener("open", alive);
    source.addEventListener("beat", alive);
    source.addEventListener("error", reconnect);
    for (const kind of ["snapshot", "change"]) {
      source.addEventListener(kind, (event) => {
        alive();
        onEvent(kind, JSON.parse(event.data));
        last = event.lastEventId;
      });
    }
    next = setTimeout(reconnect, SILENCE_TIMEOUT_MS);
  };
  open();
  addEventListener("pagehide", () => source.close());
}
