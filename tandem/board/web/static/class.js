// The page of a class: applies every change that the board sends. The board makes and escapes all HTML.
import { listen } from "./line.js";
import { curve } from "./curve.js";
import { fit } from "./fit.js";
import { fitTiles } from "./tiles.js";

const page = document.getElementById("class");
const tiles = document.getElementById("tiles");

function element(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}

function replaceTile([key, html, nextKey]) {
  const fresh = element(html);
  const old = document.getElementById(key);
  if (old) old.replaceWith(fresh);
  else tiles.insertBefore(fresh, nextKey && document.getElementById(nextKey));
  fresh.classList.add("fresh");
}

const redraw = curve(document.getElementById("curve"), tiles, () => document.querySelector("[data-deadline]"));
const layOut = fitTiles(tiles.parentElement, tiles);
const refit = fit([document.getElementById("mistakes"), document.getElementById("stuck")]);

listen(page.dataset.live, page.dataset.from, (kind, data) => {
  if (kind === "snapshot") tiles.innerHTML = data.all;
  else {
    for (const key of data.gone) document.getElementById(key)?.remove();
    data.tiles.forEach(replaceTile);
  }
  for (const [id, html] of Object.entries(data.pieces)) document.getElementById(id).innerHTML = html;
  layOut();
  refit();
  redraw();
});
