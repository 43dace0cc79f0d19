"use strict";
// The log: puts the lines that come (text/event-stream) on top of those that the page was made with, if they are wanted.

const page = document.getElementById("log");
const words = JSON.parse(page.dataset.words);
const wanted = JSON.parse(page.dataset.filters);
const LEVELS = ["debug", "info", "warning", "error", "critical"], ROWS = 500, AGAIN = 30_000;
const sought = wanted.words.toLowerCase().split(" ").filter(Boolean);
const find = (id) => document.getElementById(id);
const address = new URL(page.dataset.events, location.href);
let source = null, retry = 0, paused = false;

function isWanted(line) {
  const said = line.text.toLowerCase();
  return LEVELS.indexOf(line.level) >= LEVELS.indexOf(wanted.level) && (!wanted.room || wanted.room === line.room)
    && sought.every((one) => said.includes(one));
}

function rowOf(line) {
  const row = find("row").content.firstElementChild.cloneNode(true);
  const [time, level, text] = ["time", "level", "text"].map((name) => row.querySelector(`[data-is=${name}]`));
  time.textContent = line.time;
  level.textContent = words.levels[line.level];
  level.className = `state ${line.look}`;
  text.textContent = line.text;
  return row;
}

function show(event) {
  const told = JSON.parse(event.data), lines = find("lines");
  if (event.lastEventId) address.searchParams.set("after", event.lastEventId);
  if (told.left_out) find("news").textContent = words.left_out.replace("{count}", told.left_out);
  for (const one of (told.lines ?? []).filter(isWanted)) lines.prepend(rowOf(one));
  while (lines.children.length > ROWS) lines.lastElementChild.remove();
  find("empty").hidden = lines.children.length > 0;
}

function close() {
  clearTimeout(retry);
  source?.close();
  source = null;
}

/** Listens while the page is looked at: a browser has six connections to one device, and each page holds one. */
function listen() {
  close();
  if (document.hidden || paused) return;
  source = new EventSource(address);
  source.addEventListener("open", () => { find("news").textContent = ""; });
  source.addEventListener("lines", show);
  source.addEventListener("ping", show);
  source.addEventListener("error", () => {
    find("news").textContent = words.silent;
    if (source?.readyState === EventSource.CLOSED) retry = setTimeout(listen, AGAIN); // refused: too many pages are open
  });
}

const pause = find("pause");
pause.addEventListener("click", () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", String(paused));
  pause.textContent = paused ? words.resume : words.pause;
  find("news").textContent = paused ? words.paused : "";
  listen();
});
pause.hidden = false;
find("refresh").hidden = true;
document.addEventListener("visibilitychange", listen);
addEventListener("pagehide", close);
addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
listen();
