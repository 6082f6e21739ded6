// The line to the board: an event stream that comes back by itself and goes on where it was.

const SILENCE = 15000; // ms without a sign of life after which the line counts as broken
const AGAIN = 1000; // ms until the next try

const shown = document.getElementById("line");

function show(state) {
  shown.dataset.state = state;
  shown.textContent = { live: "live", off: "connecting again" }[state];
}

// Calls hear(kind, data) for each event. `from`: the id of the last event that the page already shows.
export function listen(url, from, hear) {
  let last = from;
  let source, watch;

  const heard = () => {
    show("live");
    clearTimeout(watch);
    watch = setTimeout(again, SILENCE);
  };
  const again = () => {
    source.close();
    clearTimeout(watch);
    show("off");
    setTimeout(open, AGAIN);
  };
  const open = () => {
    const address = new URL(url, location.href);
    if (last) address.searchParams.set("from", last);
    source = new EventSource(address);
    source.addEventListener("open", heard);
    source.addEventListener("beat", heard);
    source.addEventListener("error", again);
    for (const kind of ["snapshot", "change"]) {
      source.addEventListener(kind, (event) => {
        heard();
        hear(kind, JSON.parse(event.data));
        last = event.lastEventId;
      });
    }
    watch = setTimeout(again, SILENCE);
  };
  open();
  addEventListener("pagehide", () => source.close());
}
