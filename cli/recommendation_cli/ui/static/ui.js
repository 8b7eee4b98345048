// Shortcuts, copying links and following. Everything else works without this file. Text from recommendations is only
// ever written as text: no markup is parsed here.
"use strict";

const FOLLOWED = 1000; // entries; older ones leave the page
const PAGES = { i: "/", f: "/follow", s: "/search", d: "/diff", t: "/stats" };

const said = document.getElementById("said");
const help = document.getElementById("shortcuts");
const copy = document.getElementById("copy");
let hiding = 0;

function say(text) {
  said.textContent = text;
  said.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => { said.hidden = true; }, 4000);
}

async function copyLink() {
  const path = copy.dataset.path;
  try {
    await navigator.clipboard.writeText(path);
    say(`Copied ${path}`);
  } catch {
    say(`Copy it yourself: ${path}`);
  }
}

// Moving through the entries of a list.
let position = -1;

function entries() {
  return Array.from(document.querySelectorAll("[data-entry]:not(.progress *)")); // those so far stay, hidden
}

function move(step) {
  const all = entries();
  if (all.length === 0) return;
  all[position]?.classList.remove("chosen");
  position = Math.min(Math.max(position + step, 0), all.length - 1);
  const entry = all[position];
  entry.classList.add("chosen");
  entry.querySelector("a")?.focus({ preventScroll: true });
  entry.scrollIntoView({ block: "nearest" });
}

let isGoing = false; // after a `g`

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input, textarea, select, dialog")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (isGoing) {
    isGoing = false;
    if (PAGES[event.key]) location.assign(PAGES[event.key]);
    return;
  }
  const link = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (event.key === "?") help.showModal();
  else if (event.key === "/") document.getElementById("go").focus();
  else if (event.key === "g") isGoing = true;
  else if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "c") copyLink();
  else if (link) location.assign(link.href);
  else return;
  event.preventDefault();
}

// Following by server-sent events. The browser reconnects by itself and says which event it saw last. A hidden page does
// not follow: a browser opens six connections to a server, and more such pages would block all others.
function follow(list) {
  document.getElementById("without-script").remove();
  const state = document.getElementById("state");
  const shown = new Map(); // entries by address, the oldest first
  let source = null;
  let last = "";

  function add(event) {
    last = event.lastEventId;
    const said = JSON.parse(event.data);
    if (shown.has(said.path)) return; // a server that was started again begins again
    const entry = entryOf(said, list.dataset.incident === "");
    list.prepend(entry);
    shown.set(said.path, entry);
    if (shown.size > FOLLOWED) {
      const [oldest, element] = shown.entries().next().value;
      shown.delete(oldest);
      element.remove();
    }
    tell("");
  }

  function tell(why) {
    const now = new Date().toISOString().slice(11, 19);
    const looked = `following, ${shown.size} shown; looked at ${now} UTC`;
    state.textContent = why ? `${now} UTC: retrying (${why}), nothing is missed` : looked;
  }

  function connect() {
    const address = new URL(list.dataset.events, location.href);
    if (last) address.searchParams.set("after", last);
    source = new EventSource(address);
    source.addEventListener("recommendation", add);
    source.addEventListener("waiting", (event) => tell(JSON.parse(event.data).why));
    source.addEventListener("gap", (event) => list.prepend(gapOf(JSON.parse(event.data).missed, list.dataset.incident)));
    source.addEventListener("failed", (event) => {
      source.close();
      document.removeEventListener("visibilitychange", look);
      state.textContent = `Following ended: ${JSON.parse(event.data).message}`;
      state.className = "bad";
    });
    source.addEventListener("error", () => {
      state.textContent = source.readyState === EventSource.CLOSED
        ? "recs ui does not let this page in any more: open the address that it printed."
        : "No answer from recs ui: is it still running? Trying again.";
    });
  }

  function look() {
    source?.close();
    if (document.hidden) state.textContent = "waiting until somebody looks";
    else connect();
  }

  document.addEventListener("visibilitychange", look);
  look();
}

function entryOf(said, isEverything) {
  const entry = document.createElement("li");
  entry.dataset.entry = "";
  entry.className = "new";
  const facts = [said.time, isEverything ? "" : said.execution, said.confidence && `confidence ${said.confidence}`];
  entry.append(
    link(said.path, said.agent),
    " ",
    span(facts.filter(Boolean).join(" · "), "dim"),
  );
  if (isEverything) entry.append(" · ", link(said.incidentPath, said.incident));
  if (said.failed) entry.append(" ", span(`✗ ${said.status}`, "bad"));
  const headline = document.createElement("p");
  headline.dir = "auto";
  headline.textContent = said.headline;
  entry.append(headline);
  return entry;
}

function gapOf(missed, incident) {
  const gap = document.createElement("li");
  gap.className = "warn";
  const where = incident ? "the incident so far has them" : "the incidents have them";
  gap.textContent = `${missed.toLocaleString("en")} recommendations before the next one are not listed here: ${where}.`;
  return gap;
}

function link(path, text) {
  const element = document.createElement("a");
  element.href = path;
  element.textContent = text;
  return element;
}

function span(text, kind) {
  const element = document.createElement("span");
  element.className = kind;
  element.textContent = text;
  return element;
}

document.addEventListener("keydown", press);
document.getElementById("hint").hidden = false;
copy.hidden = false;
copy.addEventListener("click", copyLink);
const feed = document.getElementById("feed");
if (feed) follow(feed);
