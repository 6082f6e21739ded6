// The connection to the board: an event stream that reconnects by itself and continues after the last event.

const SILENCE_TIMEOUT_MS = 15000; // without an event, after which the connection counts as broken
const RECONNECT_DELAY_MS = 1000;

const shown = document.getElementById("line");

function show(state) {
  shown.dataset.state = state;
  shown.textContent = { live: "live", off: "reconnecting" }[state];
}

// Calls onEvent(kind, data) for each event. `from`: the id of the last event that the page already shows.
export function listen(url, from, onEvent) {
  let last = from;
  let source, timeout;

  const alive = () => {
    show("live");
    clearTimeout(timeout);
    timeout = setTimeout(reconnect, SILENCE_TIMEOUT_MS);
  };
  const reconnect = () => {
    source.close();
    clearTimeout(timeout);
    show("off");
    setTimeout(open, RECONNECT_DELAY_MS);
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
    timeout = setTimeout(reconnect, SILENCE_TIMEOUT_MS);
  };
  open();
  addEventListener("pagehide", () => source.close());
}
