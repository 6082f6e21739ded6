// Fits lists into panels: shows as many of the first entries as there is space for, and counts the others.

// Returns a function to call after a list has changed. `panels`: the elements that hold one list each.
export function fit(panels) {
  const fitAll = () => panels.forEach(fitOne);
  const sizes = new ResizeObserver(fitAll);
  panels.forEach((panel) => sizes.observe(panel));
  return fitAll;
}

function fitOne(panel) {
  const entries = [...panel.querySelectorAll("li")];
  const rest = panel.querySelector("[data-more]");
  let shown = entries.length;
  const show = () => {
    entries.forEach((entry, index) => (entry.hidden = index >= shown));
    const more = Number(rest?.dataset.more ?? 0) + entries.length - shown;
    if (rest) rest.textContent = more ? `and ${more} more` : "";
  };
  show();
  while (shown > 1 && panel.scrollHeight > panel.clientHeight) {
    shown--;
    show();
  }
}
