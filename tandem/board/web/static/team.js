// A team's page: when the board tells that something came from the team, the page is fetched anew and put in place.
// One fetch at a time, so that the last one shown is the last one made; one that failed is made again.
import { listen } from "./line.js";
import { wakeButtons } from "./page.js";

const PAUSES = [1000, 2000, 4000, 8000, 15000]; // ms until the next try; the last one from then on

const { live, from } = document.getElementById("team").dataset;
let isOld = false; // has something come since the last fetch began?
let isFetching = false;

async function bringUpToDate() {
  isOld = true;
  if (isFetching) return;
  isFetching = true;
  for (let failures = 0; isOld; ) {
    isOld = false;
    try {
      put(await fetched());
      failures = 0;
    } catch {
      isOld = true;
      const pause = PAUSES[Math.min(failures++, PAUSES.length - 1)];
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  isFetching = false;
}

async function fetched() {
  const answer = await fetch(location.href);
  if (!answer.ok) throw new Error(`the board answered ${answer.status}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
}

function put(fresh) {
  const main = document.getElementById("main");
  const open = [...document.querySelectorAll("details[open]")].map((visit) => visit.id);
  const focus = main.contains(document.activeElement) && placeOf(document.activeElement);
  main.replaceWith(fresh);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (focus) (found(focus) ?? fresh).focus({ preventScroll: true });
  wakeButtons();
}

// Where an element stands: in which one that has a name, and as which of what is in there.
function placeOf(element) {
  const home = element.closest("[id]");
  return { id: home.id, step: [...home.querySelectorAll("*")].indexOf(element), tag: element.tagName };
}

function found({ id, step, tag }) {
  const home = document.getElementById(id);
  const element = step < 0 ? home : home?.querySelectorAll("*")[step];
  return element?.tagName === tag ? element : null;
}

listen(live, from, bringUpToDate);
