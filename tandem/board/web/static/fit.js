// Lists that must not be cut: shows as many of their first entries as there is room for, and counts the others.

// Returns a function to call when a list has changed. `panels`: what the lists stand in, and must not be larger than.
export function fit(panels) {
  const fitAll = () => panels.forEach(fitOne);
  const sizes = new ResizeObserver(fitAll);
  panels.forEach((panel) => sizes.observe(panel));
  return fitAll;
}

function fitOne(panel) {
  const entries = [...panel.querySelectorAll("li")];
  const words = panel.querySelector("[data-more]");
  let shown = entries.length;
  const show = () => {
    entries.forEach((entry, place) => (entry.hidden = place >= shown));
    const more = Number(words?.dataset.more ?? 0) + entries.length - shown;
    if (words) words.textContent = more ? `and ${more} more` : "";
  };
  show();
  while (shown > 1 && panel.scrollHeight > panel.clientHeight) {
    shown--;
    show();
  }
}
