// The page's script: what keys and buttons do, how a decision is saved, and how the page follows. No other code runs here.
import { Words } from "./words.js";

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
const KEYS = JSON.parse(document.body.dataset.keys);
const words = new Words(announce);
const RETRY = 1000; // milliseconds

// What each action of the table does; `value` is the table's.
const ACTIONS = {
  accept: () => decide("accept"),
  reject: () => decide("reject"),
  unsure: () => decide("unsure"),
  undo: () => act("undo", {}),
  redo: () => act("redo", {}),
  next_claim: () => go("next_claim"),
  previous_claim: () => go("previous_claim"),
  next_article: () => go("next_article"),
  previous_article: () => go("previous_article"),
  search: () => { showQueue(true); focusField($("#q")); },
  edit: () => focusField($("#field-claim")),
  speaker: () => focusField($("#field-speaker")),
  note: () => focusField($("#field-note")),
  stance: (value) => edit({ stance: value }),
  save: () => $("#alert").textContent || announce("All is saved."), // by leaving the field for the button
  accept_all: (_, button) => act("accept_all", { claims: button.dataset.claims.split(" ") }),
  help: () => $("#help").showModal(),
  missed: () => words.start("missed", $("#text")),
  spans: () => record() ? words.start("spans", $("#text"), current()) : announce("No claim is chosen."),
  save_spans: saveSpans,
  leave_spans: () => { words.leave(); announce("Nothing was changed."); $("#record-title").focus({ preventScroll: true }); },
  no_source: () => words.clear("source"),
};
for (const part of ["source", "cue", "content"]) {
  ACTIONS[`mark_${part}`] = () => words.take(part, false);
  ACTIONS[`more_${part}`] = () => words.take(part, true);
}
for (const name of Words.MOVES) ACTIONS[name] = () => words.move(name);
for (const key of KEYS) if (!ACTIONS[key.action]) throw new Error(`no action ${key.action}`);

// One thing after the other: a key that is pressed before the last one was answered acts on the claim that comes then.
let last = Promise.resolve();
function run(action, value, button) {
  last = last.then(() => ACTIONS[action](value, button)).catch((error) => { alarm(`Something went wrong: ${error.message}. Reload the page.`); throw error; });
  return last;
}

document.addEventListener("keydown", (event) => {
  const third = event.getModifierState("AltGraph"); // by which many keyboards write [ and ]
  if (event.isComposing || (event.altKey && !third) || $("#help").open) return;
  const target = event.target instanceof Element ? event.target : document.body;
  if (target.closest("input, textarea, select")) return inField(event, target);
  if ((event.key === " " || event.key === "Enter") && target.closest("button, a, summary")) return;
  const name = nameOf(event);
  const found = KEYS.find((key) => key.key === name && key.mode === (words.active ? "mark" : "review"));
  if (!found) return;
  event.preventDefault();
  if (!event.repeat || found.mode === "mark" || found.group === "Go") run(found.action, found.value);
});

function nameOf(event) {
  const key = event.key === " " ? "space" : event.key.toLowerCase();
  const letter = /^[a-z]$|^arrow|^enter$|^escape$|^space$/.test(key);
  const command = (event.ctrlKey || event.metaKey) && !event.getModifierState("AltGraph");
  return (command ? "ctrl+" : "") + (event.shiftKey && letter ? "shift+" : "") + key;
}

// In a field all keys write; escape leaves it and enter too, where it begins no line; what is left is saved.
function inField(event, field) {
  if (event.key === "Escape") {
    event.preventDefault();
    field.blur(); // which saves it
    if (field.id === "q") showQueue(false);
    $("#record-title").focus({ preventScroll: true });
  } else if (event.key === "Enter" && field.form?.id === "fields" && (!field.matches("textarea") || event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    field.blur();
    $("#record-title").focus({ preventScroll: true });
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-action]");
  if (button) return void run(button.dataset.action, button.dataset.value, button);
  const link = event.target.closest("a[data-view]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
    event.preventDefault();
    const toClaim = "claim" in link.dataset;
    return void queued(() => visit(link.getAttribute("href"), { focus: toClaim, push: !toClaim, keep: link }));
  }
  const piece = event.target.closest("#text [data-r]");
  if (piece && !words.active && getSelection().isCollapsed) return void queued(() => visitPiece(piece));
  if (event.target.id === "toggle-queue") showQueue(!document.body.classList.contains("with-queue"));
});

function queued(what) {
  last = last.then(what).catch((error) => alarm(`Something went wrong: ${error.message}. Reload the page.`));
  return last;
}

document.addEventListener("submit", (event) => {
  if (event.target.id === "filter") { event.preventDefault(); filter(true); }
  if (event.target.id === "fields") event.preventDefault();
});
document.addEventListener("change", (event) => {
  const field = event.target;
  if (field.form?.id === "filter" && field.id !== "q") filter(false);
  if (field.form?.id === "fields" && !field.matches("select")) saveField(field);
});
// A list that is walked through with the arrow keys is saved when the walk ends.
let walking = null;
document.addEventListener("input", (event) => {
  if (!event.target.matches("#fields select")) return;
  clearTimeout(walking);
  walking = setTimeout(saveField, 400, event.target);
});
document.addEventListener("focusout", (event) => {
  if (event.target.matches("#fields select")) clearTimeout(walking);
  if (event.target.matches("#fields [name]")) saveField(event.target);
});
document.addEventListener("focusin", (event) => {
  if (event.target.matches("#fields input, #fields textarea, #fields select")) event.target.dataset.saved ??= event.target.value;
});
// While a mouse button or a key is down on something, that stays where it is, or the click would go to what is drawn in its place: nowhere.
let pressed = false;
addEventListener("pointerdown", (event) => { pressed = event.button === 0; }, true);
addEventListener("keydown", (event) => { if (event.key === " " && event.target.closest?.("button, summary")) pressed = true; }, true);
for (const name of ["pointerup", "pointercancel", "keyup", "dragend"]) addEventListener(name, () => setTimeout(() => { pressed = false; }), true); // after the click
addEventListener("blur", () => { pressed = false; });
addEventListener("pointermove", (event) => { if (!event.buttons) pressed = false; }, true); // let go of out of our sight

async function released() {
  while (pressed) await new Promise((done) => setTimeout(done, 10));
}

addEventListener("popstate", () => queued(() => visit(location.search || "/?", { focus: false, push: null })));
document.addEventListener("selectionchange", () => words.select());

function filter(focus) {
  const data = new FormData($("#filter"));
  const needless = ([name, value]) => (["q", "min", "max"].includes(name) && !value) || (name === "min" && Number(value) === 0) || (name === "max" && Number(value) === 100) || (name === "order" && value === "article");
  const query = new URLSearchParams([...data].filter((pair) => !needless(pair))); // an empty speaker is one that is chosen: not stated
  return queued(() => visit(`/?${query}`, { focus, push: true, keep: document.activeElement }));
}

const record = () => $(".decide");
const current = () => $("#text").dataset.claims.split(" ").indexOf(record()?.dataset.claim);
const have = () => $("#text")?.dataset.version ?? "";

function decide(verdict) {
  return record() ? act("decide", { verdict }, true) : announce("No claim is chosen.");
}

function edit(changes) {
  return record() ? act("edit", { changes }) : announce("No claim is chosen.");
}

function saveField(field) {
  const before = field.dataset.saved ?? field.defaultValue;
  if (!field.isConnected || field.value === before) return;
  field.dataset.saved = field.value;
  const claim = record()?.dataset.claim;
  queued(() => claim === record()?.dataset.claim ? edit({ [field.name]: field.value }) : null);
}

async function saveSpans() {
  const spans = words.spans();
  if (!spans) return;
  const missed = words.kind === "missed";
  const answer = missed ? await act("add", spans, true) : await edit(spans);
  if (answer?.ok) { words.leave(); highlight(); }
  if (answer?.ok && missed) focusField($("#field-speaker"));
}

// Sends what changes something, until it is answered: the same request twice is done once.
async function act(name, body, focus = false) {
  const own = { ...body, address: location.search, have: have(), request: crypto.randomUUID?.() ?? `${Date.now()} ${Math.random()}` };
  if (record()) Object.assign(own, { claim: record().dataset.claim, seen: Number(record().dataset.seen) });
  const answer = await send(`/${name}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(own) });
  return answer && show(answer, { focus: focus || inRecord(), push: false });
}

async function send(address, options) {
  for (let tries = 0; ; tries++) {
    try {
      const response = await fetch(address, { credentials: "same-origin", ...options });
      if (response.headers.get("content-type")?.startsWith("application/json")) { alarm(""); return { status: response.status, ...(await response.json()) }; }
      const outcome = options?.method !== "POST" ? "" : response.status < 500 ? "Not saved: " : "It is not sure that this was saved: ";
      alarm(`${outcome}${(await response.text()).slice(0, 300) || response.status}`);
      return null;
    } catch {
      const what = options?.method === "POST" ? "Not saved yet: the" : "The";
      alarm(`${what} review does not answer. Trying again… If it was stopped, start it again with accordingto review; all that was said to be saved is there.`);
      await new Promise((done) => setTimeout(done, RETRY));
    }
  }
}

async function go(step) {
  const query = new URLSearchParams(location.search);
  query.set("step", step);
  query.set("have", have());
  const answer = await send(`/go?${query}`);
  return answer && show(answer, { focus: true, push: false });
}

async function visit(address, how) {
  const query = new URLSearchParams(address.replace(/^[/?]+/, ""));
  query.set("have", have());
  const answer = await send(`/view?${query}`);
  return answer && show(answer, how);
}

// A word of several claims leads to the one that stands innermost.
function visitPiece(piece) {
  const marks = piece.dataset.r.split(" ").map((mark) => parseInt(mark, 10));
  const claim = $("#text").dataset.claims.split(" ")[marks.at(-1)];
  const query = new URLSearchParams(location.search);
  query.delete("article");
  query.set("claim", claim);
  return visit(`/?${query}`, { focus: true, push: false });
}

function inRecord() {
  return document.activeElement === document.body || Boolean(document.activeElement?.closest("#record, #text")) && !document.activeElement.matches("#fields [name]");
}

// Makes an element what new HTML says by changing only what differs: of fifty lines mostly one does, and the layout of the others is half of the page's work.
function follow(element, html) {
  if (element.held === html) return;
  element.held = html;
  const template = document.createElement("template");
  template.innerHTML = html;
  liken(element, template.content, true);
}

function liken(old, fresh, whole = false) {
  if (!whole && old.isEqualNode(fresh)) return;
  const [mine, theirs] = [[...old.childNodes], [...fresh.childNodes]];
  const alike = mine.length === theirs.length && mine.every((node, at) => node.nodeName === theirs[at].nodeName && node.id === theirs[at].id);
  if (!alike && whole) return old.replaceChildren(fresh);
  if (old.nodeType !== Node.ELEMENT_NODE || !alike) return old.replaceWith(fresh);
  if (!whole) for (const name of new Set([...old.getAttributeNames(), ...fresh.getAttributeNames()])) {
    const value = fresh.getAttribute(name);
    if (name === "open" || value === old.getAttribute(name)) continue; // what is open is the reader's
    if (value === null) old.removeAttribute(name);
    else old.setAttribute(name, value);
    if (name === "value") old.value = value;
    if (name === "selected") old.selected = value !== null;
  }
  mine.forEach((node, at) => liken(node, theirs[at]));
}

// Puts the parts of an answer in their places and says what happened.
async function show(answer, { focus, push, keep = null }) {
  await released();
  const open = new Set($$("#queue details[open]").map((details) => details.dataset.facet));
  const closed = new Set($$("#queue details:not([open])").map((details) => details.dataset.facet));
  const at = keptFocus(keep);
  const writing = written();
  const scroll = $("#queue").scrollTop;
  for (const [name, html] of Object.entries(answer.parts)) {
    if (name === "queue") follow($("#queue"), html);
    else document.getElementById(name).innerHTML = html;
  }
  for (const details of $$("#queue details")) {
    if (open.has(details.dataset.facet)) details.open = true;
    if (closed.has(details.dataset.facet) && !$("[aria-current]", details)) details.open = false;
  }
  $("#queue").scrollTop = scroll;
  if (push !== null) history[push ? "pushState" : "replaceState"](null, "", answer.address);
  if (answer.parts.article !== undefined) words.leave();
  highlight();
  if (focus) { showQueue(false); $("#record-title").focus({ preventScroll: true }); $("#record").scrollTop = 0; scrollTo(0, 0); }
  else if (writing) writing();
  else at?.();
  const said = answer.said ?? "";
  if (answer.status >= 400) alarm(said);
  else announce(said, focus ? spoken() : "");
  document.dispatchEvent(new CustomEvent("shown"));
  return { ...answer, ok: answer.status < 400 };
}

// Gives a function that puts the focus back into the field that was written in, with what was not saved of it yet.
function written() {
  const field = document.activeElement;
  if (!field?.matches?.("#fields [name]")) return null;
  const [claim, unsaved] = [record()?.dataset.claim, field.value !== (field.dataset.saved ?? field.defaultValue)];
  field.dataset.saved = field.value; // its going is no leaving
  return () => {
    const now = $(`#fields [name="${field.name}"]`);
    now?.focus({ preventScroll: true });
    if (!now || field.matches("select") || record()?.dataset.claim !== claim) return;
    if (unsaved) now.value = field.value;
    now.setSelectionRange(field.selectionStart, field.selectionEnd);
  };
}

// Gives a function that puts the focus back where it was in the queue, whose elements are new.
function keptFocus(keep) {
  const element = keep ?? document.activeElement;
  if (!element?.closest?.("#queue, #article")) return null;
  if (element.id) return () => document.getElementById(element.id)?.focus({ preventScroll: true });
  if (element.dataset.action) return () => $(`[data-action="${element.dataset.action}"]`)?.focus({ preventScroll: true });
  const facet = element.closest("details")?.dataset.facet;
  const label = $(".value", element)?.textContent;
  return () => ($$(`#queue details[data-facet="${facet}"] a`).find((a) => $(".value", a)?.textContent === label) ?? $("#q")).focus({ preventScroll: true });
}

function spoken() {
  const claim = $(".statement p")?.textContent ?? "";
  const who = $(".statement footer")?.textContent ?? "";
  return claim && `${$("#record-title").textContent}: ${who}: ${claim}`;
}

// Marks the words of the claim at hand, and of those inside it; the others stay dim.
function highlight() {
  const text = $("#text");
  for (const piece of $$(".source, .cue, .content, .inner", text ?? document.createElement("p"))) piece.classList.remove("source", "cue", "content", "inner");
  $("#lines a[aria-current]")?.removeAttribute("aria-current");
  const line = record() && $(`#lines a[data-claim="${record().dataset.claim}"]`);
  line?.setAttribute("aria-current", "true");
  line?.scrollIntoView({ block: "nearest" });
  if (!text || !record()) return;
  const number = current();
  const parents = text.dataset.parents.split(" ").map(Number);
  parents.forEach((parent, child) => { if (parent === number && number >= 0) for (const mark of ["s", "c", "o"]) for (const piece of $$(`[data-r~="${child}${mark}"]`, text)) piece.classList.add("inner"); });
  for (const [mark, name] of [["o", "content"], ["s", "source"], ["c", "cue"]]) for (const piece of $$(`[data-r~="${number}${mark}"]`, text)) piece.classList.add(name);
  into(text, $(".cue", text) ?? $(".content", text));
}

// Scrolls to the claim unless all of it is in sight already.
function into(text, piece) {
  if (!piece) return;
  const marked = $$(".source, .cue, .content", text).map((element) => element.getBoundingClientRect());
  const top = Math.min(...marked.map((box) => box.top));
  const bottom = Math.max(...marked.map((box) => box.bottom));
  const frame = text.getBoundingClientRect();
  const scrolls = text.scrollHeight > text.clientHeight + 1;
  const sight = scrolls ? [frame.top, frame.bottom] : [0, innerHeight];
  if (top >= sight[0] + 8 && bottom <= sight[1] - 8) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (scrolls) text.scrollTo({ top: text.scrollTop + Math.min(top, piece.getBoundingClientRect().top) - frame.top - text.clientHeight / 4, behavior: still ? "auto" : "smooth" });
}

function focusField(field) {
  if (!field) return;
  field.focus();
  field.scrollIntoView({ block: "nearest" });
  field.select?.();
}

function showQueue(shown) {
  document.body.classList.toggle("with-queue", shown);
  $("#toggle-queue").setAttribute("aria-expanded", String(shown));
}

let clearing = null;
function announce(message, further = "") {
  if (!message && !further) return;
  const [seen, heard] = $$("#status span");
  const status = $("#status");
  seen.textContent = message === seen.textContent ? `${message}\u00a0` : message; // a change, or it is not read out
  heard.textContent = further;
  if (words.active) $("#marker .said").textContent = message;
  status.classList.toggle("fresh", Boolean(message));
  clearTimeout(clearing);
  clearing = setTimeout(() => status.classList.remove("fresh"), 4000);
}

function alarm(message) {
  if ($("#alert").textContent !== message) $("#alert").textContent = message;
}

// A claim that was chosen by the page's address alone stands in it from now on, so that a reload comes back to it.
if (record() && !new URLSearchParams(location.search).has("claim")) {
  const query = new URLSearchParams(location.search);
  query.set("claim", record().dataset.claim);
  history.replaceState(null, "", `/?${query}`);
}
highlight();
document.documentElement.classList.add("ready");
