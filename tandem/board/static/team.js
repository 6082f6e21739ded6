// A team's page: when the board tells that something came from the team, the page is fetched anew and put in place.
import { listen } from "./line.js";
import { wakeButtons } from "./page.js";

const { live, from } = document.getElementById("team").dataset;

async function fetchAnew() {
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
  const open = [...document.querySelectorAll("details[open]")].map((visit) => visit.id);
  document.getElementById("main").replaceWith(fresh);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  wakeButtons();
}

listen(live, from, fetchAnew);
