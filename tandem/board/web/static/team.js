// The page of a team: after each visit of the team the page is fetched again and replaced.
// There is one fetch at a time, so the last one that is shown is the newest; a failed one is repeated.
import { listen } from "./line.js";
import { enableCopyButtons } from "./page.js";

const RETRY_DELAYS_MS = [1000, 2000, 4000, 8000, 15000]; // the last one is repeated

const { live, from } = document.getElementById("team").dataset;
let isOutdated = false; // whether a visit has come since the last fetch began
let isFetching = false;

async function update() {
  isOutdated = true;
  if (isFetching) return;
  isFetching = true;
  for (let failures = 0; isOutdated; ) {
    isOutdated = false;
    try {
      replaceMain(await fetchMain());
      failures = 0;
    } catch {
      isOutdated = true;
      const delay = RETRY_DELAYS_MS[Math.min(failures++, RETRY_DELAYS_MS.length - 1)];
      await new Promise((resolve) => setTimeout(resolve, delay));
    }
  }
  isFetching = false;
}

async function fetchMain() {
  const answer = await fetch(location.href);
  if (!answer.ok) throw new Error(`the board answered ${answer.status}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
}

function replaceMain(fresh) {
  const main = document.getElementById("main");
  const open = [...document.querySelectorAll("details[open]")].map((visit) => visit.id);
  const focus = main.contains(document.activeElement) && locate(document.activeElement);
  main.replaceWith(fresh);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (focus) (find(focus) ?? fresh).focus({ preventScroll: true });
  enableCopyButtons();
}

// The location of an element: the nearest ancestor with an id, and its index among the elements in there.
function locate(element) {
  const ancestor = element.closest("[id]");
  return { id: ancestor.id, index: [...ancestor.querySelectorAll("*")].indexOf(element), tag: element.tagName };
}

function find({ id, index, tag }) {
  const ancestor = document.getElementById(id);
  const element = index < 0 ? ancestor : ancestor?.querySelectorAll("*")[index];
  return element?.tagName === tag ? element : null;
}

listen(live, from, update);
