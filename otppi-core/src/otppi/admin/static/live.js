"use strict";
// The monitor: takes the gateway's events (text/event-stream) and puts them into the cards and rows of the page.
// All that is shown is put there as text; words for states come with the page, so that one stream is for all languages.

const page = document.getElementById("monitor");
const words = JSON.parse(page.dataset.words);
const language = document.documentElement.lang;
const ROWS = 50, LIT = 1000, NEWS = 10_000, AGAIN = 30_000;
const still = matchMedia("(prefers-reduced-motion: reduce)");
const find = (id) => document.getElementById(id);
const list = (name) => page.querySelector(`[data-list=${name}]`);

/** Says what comes in all languages, or is the same in each. */
const said = (value) => (value && typeof value === "object" ? value[language] ?? value.en : value) ?? "";
const number = (value, digits = 0) => value == null ? "" : value.toLocaleString(language === "id" ? "id-ID" : "en-GB",
  { minimumFractionDigits: digits, maximumFractionDigits: digits });
const clock = (time) => language === "id" ? time.replaceAll(":", ".") : time;
const origin = (name) => words.origins[name] ?? name;
const sinceProblem = (one) => `${words.since} ${said(one.since)}${said(one.problem) ? `: ${said(one.problem)}` : ""}`;

const SHOWN = {
  source: (one) => ({ title: said(one.title), since_problem: sinceProblem(one) }),
  modem: (one) => ({
    title: one.name,
    since_problem: sinceProblem(one),
    operator: one.operator,
    signal: one.signal == null ? "" : `${said(one.signal_word)} (${one.signal} dBm)`,
    queued: number(one.queued),
    today: number(one.today),
    balance: number(one.balance),
    next_step: one.next_step ? countdown(one.next_step) : "",
  }),
  message: (one) => ({
    time: clock(one.time),
    from: one.sender ? `${origin(one.source)} (${one.sender})` : origin(one.source),
    receiver: one.receiver,
    modem: one.modem,
    segments: one.segments ? String(one.segments) : "",
    seconds: one.seconds == null ? "" : `${number(one.seconds, 1)} ${words.second}`,
    cause: said(one.cause),
  }),
  gateway: (one) => ({ started: said(one.started), queued: number(one.queued), version: one.version }),
};

let source = null, retry = 0, paused = false, ahead = 0, modems = [];
const news = { count: new Set(), failed: new Set(), said: 0 };

/** Says a step of recovery, and in how many seconds it comes by the device's clock. */
function countdown(step) {
  const left = Math.round(step.at - Date.now() / 1000 - ahead);
  return left > 0 ? `${said(step.step)}, ${number(left)} ${words.second}` : said(step.step);
}

/** Puts values into the places that are named by them; a line without one is not shown. */
function fill(element, values, one, table) {
  for (const place of element.querySelectorAll("[data-is]")) {
    const name = place.dataset.is;
    if (name === "state") {
      const [level, word] = words[table][one.state] ?? ["off", one.state];
      place.className = `state ${level}`;
      place.textContent = word;
    } else if (place.textContent !== values[name]) {
      place.textContent = values[name];
    }
    if (place.tagName === "DD") place.parentElement.hidden = values[name] === "";
  }
}

/** Finds the element of a thing by its key, or makes one of the page's pattern. */
function elementOf(parent, pattern, key) {
  const known = [...parent.children].find((one) => one.dataset.key === key);
  if (known) return known;
  const made = find(pattern).content.firstElementChild.cloneNode(true);
  made.dataset.key = key;
  return made;
}

function showParts(name, pattern, parts) {
  const parent = list(name);
  parent.replaceChildren(...parts.map((one) => {
    const element = elementOf(parent, pattern, one.name);
    fill(element, SHOWN[pattern](one), one, "parts");
    return element;
  }));
  parent.nextElementSibling.hidden = parts.length > 0;
}

function showMessages(messages, fresh) {
  const rows = list("messages");
  for (const one of [...messages].reverse()) { // the newest comes first, and is put on top last
    const row = elementOf(rows, "message", one.id);
    fill(row, SHOWN.message(one), one, "messages");
    Object.assign(row.dataset, { source: one.source, modem: one.modem, state: one.state });
    if (!row.isConnected) rows.prepend(row);
    if (!fresh) continue;
    news.count.add(one.id);
    if (words.messages[one.state]?.[0] === "bad") news.failed.add(one.id);
    light(list("sources"), one.source);
    if (one.modem) light(list("modems"), one.modem);
  }
  while (rows.children.length > ROWS) rows.lastElementChild.remove();
  messages.forEach((one) => { offer(find("source"), one.source, origin(one.source)); offer(find("modem"), one.modem, one.modem); });
  filter();
}

/** Lights what a message came by, for a moment. */
function light(parent, key) {
  const card = [...parent.children].find((one) => one.dataset.key === key);
  for (const one of card && !still.matches ? [card, find("gateway")] : []) {
    one.classList.add("lit");
    clearTimeout(one.unlit);
    one.unlit = setTimeout(() => one.classList.remove("lit"), LIT);
  }
}

/** Offers a name to filter by. */
function offer(select, name, word) {
  if (name && ![...select.options].some((one) => one.value === name)) select.append(new Option(word, name));
}

function filter() {
  const wanted = [...new FormData(find("filters"))].filter(([, value]) => value);
  const rows = [...list("messages").children];
  for (const row of rows) row.hidden = wanted.some(([name, value]) => row.dataset[name] !== value);
  find("empty").hidden = rows.some((row) => !row.hidden);
}

function show(data, fresh) {
  if (data.now) ahead = data.now - Date.now() / 1000;
  if (data.gateway) {
    fill(find("gateway"), SHOWN.gateway(data.gateway), data.gateway, "parts");
    const warnings = find("warnings");
    warnings.replaceChildren(...data.gateway.warnings.map((one) => {
      const line = document.createElement("li");
      line.textContent = said(one);
      return line;
    }));
    warnings.hidden = !warnings.children.length;
  }
  if (data.sources) showParts("sources", "source", data.sources);
  if (data.modems) showParts("modems", "modem", modems = data.modems);
  if (!fresh) list("messages").replaceChildren();
  if (data.messages || !fresh) showMessages(data.messages ?? [], fresh);
}

/** Says now and then how much came, for those who hear the page instead of seeing it. */
function tellNews() {
  if (!news.count.size || Date.now() - news.said < NEWS || !source) return;
  news.said = Date.now();
  find("news").textContent = words.news.replace("{count}", number(news.count.size)).replace("{failed}", number(news.failed.size));
  news.count.clear();
  news.failed.clear();
}

function close() {
  clearTimeout(retry);
  source?.close();
  source = null;
}

/** Watches while the page is looked at: a browser has six connections to one device, and each page holds one. */
function watch() {
  close();
  if (document.hidden || paused) return;
  source = new EventSource(page.dataset.events);
  source.addEventListener("open", () => { find("news").textContent = ""; });
  source.addEventListener("snapshot", (event) => show(JSON.parse(event.data), false));
  source.addEventListener("change", (event) => show(JSON.parse(event.data), true));
  source.addEventListener("ping", (event) => show(JSON.parse(event.data), true));
  source.addEventListener("error", () => {
    find("news").textContent = words.silent;
    if (source?.readyState === EventSource.CLOSED) retry = setTimeout(watch, AGAIN); // refused: too many pages are open
  });
}

const pause = find("pause");
pause.addEventListener("click", () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", String(paused));
  pause.textContent = paused ? words.resume : words.pause;
  find("news").textContent = paused ? words.paused : "";
  watch();
});
pause.hidden = false;
find("refresh").hidden = find("filter").hidden = true;
find("filters").addEventListener("change", filter);
document.addEventListener("visibilitychange", watch);
addEventListener("pagehide", close);
addEventListener("pageshow", (event) => { if (event.persisted) watch(); });
setInterval(() => {
  if (!source) return;
  tellNews();
  if (modems.some((one) => one.next_step)) showParts("modems", "modem", modems);
}, 1000);
watch();
