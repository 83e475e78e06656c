// The labelling page. The item after the one shown is already here, its picture decoded: a key shows it at once, and the
// answer goes its own way through the outbox.
import { noteTrouble, onTold, outbox, troubled } from "./banner.js";
import { below } from "./below.js";
import { refresh } from "./fresh.js";
import { keyOf } from "./keys.js";
import { request } from "./outbox.js";
import { progress } from "./progress.js";
import { found, seek } from "./seek.js";
import { countdown, emptyNode, kind, node, restNode, strip } from "./show.js";
import { enlarge, put, reduce, scroll, stage } from "./stage.js";
import { toast, unheard } from "./toast.js";
import { why } from "./why.js";

const $ = (id) => document.getElementById(id);
const page = document.body.dataset;
const LISTEN = 10000; // milliseconds between two looks whether there is something new, while somebody is here
const AHEAD = 2; // items held: the one shown, and the next
const GLANCE = 100; // milliseconds: nobody has seen an item that fast, so the key was meant for the one before
const REMEMBERED = 50; // answers that z can go back through

let shown = null, since = 0, coming = [], past = [], retry = 0, redrawn = 0, lastActive = Date.now();
let filling = null, resting = false; // the request for more items that is on its way; whether the person has stopped

// ---- what is asked

function refill(anyway = false) {
  if (filling || resting || (!anyway && shown && coming.length >= AHEAD - 1)) return;
  if (outbox.busy) return later(0.5); // it is not known whether the item of an answer on its way is held still
  filling = ask().finally(() => { filling = null; });
}

async function ask() {
  const pending = new Set(outbox.list().map((entry) => entry.body.item));
  const { status, data } = await request(`/api/next?n=${Math.min(AHEAD + pending.size, 8)}`);
  if (status !== 200 || !Array.isArray(data.items)) {
    const stranger = status === 401 || status === 403;
    noteTrouble(data.error ? (stranger ? "stranger" : "refused") : "away", data);
    if (stranger) closed();
    else if (!shown) stand(data.error ? "refused" : "away");
    later(stranger ? 10 : 5);
    return;
  }
  if (troubled() && !outbox.list().length) noteTrouble(""); // else the outbox knows better
  progress(data.progress);
  learn(data.classes);
  const here = new Set([...(shown ? [shown.item] : []), ...coming.map((one) => one.item)]);
  const still = new Set(outbox.list().map((entry) => entry.body.item)); // answered while we asked
  for (const item of data.items) {
    if (!here.has(item.item) && !still.has(item.item) && !pending.has(item.item)) coming.push(prepare(item));
  }
  if (resting) return; // what came is given back with the others
  if (!shown && coming.length) present(coming.shift());
  else if (!shown) nothing(data);
  if (shown && !coming.length) later(data.seconds);
}

function later(seconds) {
  clearTimeout(retry);
  retry = setTimeout(refill, seconds * 1000);
}

const attended = () => document.visibilityState === "visible" && Date.now() - lastActive < 120000;
setInterval(() => shown && attended() && refill(true), LISTEN);

function prepare(item) {
  item.node = node(item, () => held(item));
  item.drawn = strip(item);
  leased(item, item);
  return item;
}

const held = (item) => shown === item || coming.includes(item);

function leased(item, { lease, seconds }) {
  item.lease = lease;
  item.until = lease ? performance.now() + seconds * 1000 : Infinity;
  keepLease(item);
}

function present(item) {
  shown = item;
  since = performance.now();
  put(item.node, kind(item));
  stage.dataset.item = item.item;
  buttons(true);
  explain(item);
}

function clear(node) { // the stage, of items
  shown = null;
  buttons(false);
  delete stage.dataset.item;
  why.hidden = true;
  put(node, "empty");
}

function closed() { // this page's link holds no longer, or the browser has another's: the banner says which
  coming = [];
  clear(emptyNode("There are no questions here now"));
}

function stand(trouble) { // until something comes by itself; said once
  const words = trouble === "away" ? "Waiting for the connection" : "Waiting for the server";
  if (stage.querySelector(".empty strong")?.textContent === words) return;
  clear(emptyNode(words, "What you answered is kept. This goes on by itself."));
}

function nothing(data) {
  const box = emptyNode(data.reason);
  clear(box);
  if (data.seconds < 1) return later(data.seconds); // too short to count down
  clearTimeout(retry);
  countdown(box, data.seconds, refill);
}

async function explain(item) {
  why.hidden = !item.why;
  $("reason").textContent = item.why ?? "";
  const { drawing, words, again } = await item.drawn;
  if (shown !== item) return;
  $("strip").replaceChildren(...(drawing ? [drawing] : []));
  $("ends").hidden = !drawing;
  $("ends").querySelector("bdi").textContent = classes[item.class] ?? "it";
  $("now").textContent = words;
  clearTimeout(redrawn);
  if (again) redrawn = setTimeout(redraw, 1000);
}

function redraw() { // the explanation, as it is now
  if (!shown?.strip) return;
  shown.drawn = strip(shown);
  explain(shown);
}

function keepLease(item) { // as long as somebody is here; nothing is kept for the absent
  clearTimeout(item.timer);
  if (!item.lease) return;
  item.timer = setTimeout(async () => {
    if (!held(item)) return;
    if (attended()) {
      const { status, data } = await request("/api/extend", { lease: item.lease });
      if (status === 200) item.until = performance.now() + data.seconds * 1000;
    }
    keepLease(item);
  }, Math.max(5000, (item.until - performance.now()) * 0.6));
}

document.addEventListener("visibilitychange", () => { // back after the lease ran out: it may be with somebody else now
  if (document.visibilityState !== "visible") return;
  const fresh = (item) => item.until > performance.now();
  coming = coming.filter(fresh);
  if (shown && !fresh(shown)) shown = null;
  refill();
});

// ---- classes

let classes = JSON.parse(page.classes), learning = false;

async function learn(names) { // classes are only ever added; all that shows them is made anew, and nothing else
  if (learning || names.length <= classes.length) return;
  learning = true;
  const fresh = await refresh(true);
  learning = false;
  if (!fresh) return; // with the next questions
  const added = names.slice(classes.length).map((name) => `“${name}”`);
  classes = JSON.parse(fresh.body.dataset.classes);
  $("main").className = fresh.getElementById("main").className;
  buttons(shown !== null);
  toast(`${added.length === 1 ? "New class" : "New classes"}: ${added.join(", ")}`, undefined, false);
}

// ---- answers

function send(path, body, words, colour) {
  if (!shown) return false;
  if (performance.now() - since < GLANCE) return unheard("Too fast, not counted");
  const item = shown;
  const entry = outbox.add(path, { item: item.item, lease: item.lease ?? null, ...body }, `“${words}” for ${item.id}`);
  found();
  past = [...past, { item, key: entry.body.key, words, colour }].slice(-REMEMBERED);
  toast(words, colour);
  shown = null;
  if (coming.length) present(coming.shift());
  else if (troubled()) stand("away");
  else clear(emptyNode("One moment"));
  later(2); // should nothing else ask for more
  outbox.pump();
  return true;
}

function answer(label) { // whether it counts
  if (label < classes.length) return send("/api/answer", { label }, classes[label], label % 10);
  return shown && unheard(`No class has the key ${label + 1}`);
}

const pass = (why, words) => send("/api/pass", { why }, words);

function undo() {
  const last = past.pop();
  if (!last) return toast("Nothing to take back", undefined, false);
  resting = false;
  outbox.add("/api/undo", { item: last.item.item }, `Taking ${last.item.id} back`);
  if (shown) coming.unshift(shown);
  leased(last.item, { lease: null }); // the receipt brings a new one
  last.item.node = node(last.item, () => held(last.item));
  present(last.item);
  toast("Taken back", undefined, false);
  outbox.pump();
}

onTold((what, entry, data) => {
  if (what === "sent") {
    progress(data.progress);
    if (data.note) remark(entry, data.note);
    if (data.lease) again(entry, data);
    if (why.open) redraw();
  }
  if (["away", "refused"].includes(what) && !shown && !resting) stand(what);
  if (["sent", "rejected", "empty", "refused"].includes(what)) refill();
  if (what === "stranger") closed();
});

function again(entry, receipt) { // what was taken back is leased anew, which somebody who has stopped does not need
  if (resting && outbox.own.has(entry.body.key)) return request("/api/give_back", { leases: [receipt.lease] });
  const item = [shown, ...coming].find((one) => one?.item === receipt.item);
  if (item) leased(item, receipt);
}

// ---- what is said

function remark(entry, note) { // beside what it is about, which can be undone as long as it is the last
  const said = past.find((one) => one.key === entry.body.key);
  toast(`${said?.words ?? entry.words}. ${note}`, said?.colour, said !== undefined && said === past.at(-1), true);
}

function buttons(on) {
  for (const button of document.querySelectorAll(".answers button, [data-pass]")) button.disabled = !on;
}

// ---- keys and clicks

const guide = $("guide");
const toggleGuide = () => (guide.open ? guide.close() : guide.showModal());
const KEYS = {
  " ": () => pass("skip", "Skipped"), u: () => pass("unsure", "Unsure"), b: () => pass("broken", "Reported as broken"),
  z: undo, g: toggleGuide, w: () => { why.open = !why.open; },
  e: () => enlarge(), Escape: () => { reduce(); found(); },
};

document.addEventListener("keydown", (event) => {
  lastActive = Date.now();
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target instanceof HTMLInputElement) return;
  const key = keyOf(event);
  if (guide.open && key !== "g") return;
  if (/^[1-9]$/.test(key)) {
    if (answer(key - 1)) document.querySelector(`[data-label="${key - 1}"]`).classList.add("pressed");
  } else if (KEYS[key] && !(key === " " && event.target.closest("button, summary, a"))) {
    event.preventDefault();
    KEYS[key]();
  } else if (key === "/" ? seek() : scroll(key)) {
    event.preventDefault();
  }
});
document.addEventListener("keyup", () => document.querySelectorAll(".pressed").forEach((b) => b.classList.remove("pressed")));
document.addEventListener("pointerdown", () => { lastActive = Date.now(); });
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.label) answer(Number(button.dataset.label));
  if (button.dataset.pass) KEYS[button.dataset.key]();
  if (button.dataset.do === "undo") undo();
  if (button.dataset.do === "guide") toggleGuide();
  if (button.dataset.do === "stop") stop();
  if (event.detail && !guide.open && !resting) stage.focus({ preventScroll: true }); // after a mouse click, space skips again
});

async function stop() { // give the open items back to the others
  resting = true;
  clearTimeout(retry);
  await filling;
  const leases = [shown, ...coming].filter((one) => one?.lease).map((one) => one.lease);
  coming = [];
  const { status, data } = await request("/api/give_back", { leases });
  const how = status === 200 ? "went back to the others" : "will go back by themselves, since there is no connection now";
  const many = status === 200 ? data.given_back : leases.length;
  clear(restNode(`You have stopped. ${many} ${many === 1 ? "question" : "questions"} ${how}.`, goOn));
  stage.querySelector("button").focus({ preventScroll: true });
}

function goOn() {
  resting = false;
  refill();
}

addEventListener("online", refill);
below($("answers"));
below(why);
buttons(false);
outbox.pump();
refill();
