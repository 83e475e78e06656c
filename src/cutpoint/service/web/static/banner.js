// What a person must know of answers on their way, on top of every page: of how many items and why; and which were never
// taken, until they have read it.
import { Kept } from "./kept.js";
import { Outbox } from "./outbox.js";

const box = document.getElementById("banner");
const answering = document.querySelector(".label, form[data-kept]") !== null;
let trouble = "", forgetful = answering && !Kept.able();

const TROUBLE = {
  away: () => "No connection to the server. It is tried again by itself.",
  stranger: (data) => data.error,
  refused: (data) => data.error || "The server cannot store answers at the moment. It is tried again by itself.",
};

const FORGETFUL = "This browser cannot store anything for this page: its storage is full or forbidden, as in some private"
  + " windows. What you answer is kept in this page alone until the server has it; keep the page open until then.";
const ADVICE = "None of this is stored, and it is not sent again. Items that still need an answer are asked again. If an answer"
  + " of yours is missing on My answers, tell whoever runs this campaign which item it was, and why it was not taken.";

// The person's outbox; told(what, entry, data) as the outbox tells it, after the banner shows it.
export const outbox = new Outbox(document.body.dataset.box, (what, entry, data) => {
  if (what in TROUBLE) noteTrouble(what, data);
  else noteTrouble("");
  for (const listener of listeners) listener(what, entry, data);
});
const listeners = [];
export const onTold = (listener) => listeners.push(listener);

export function noteTrouble(what, data = {}) { // "" once there is none
  trouble = what && TROUBLE[what](data);
  show();
}

export const troubled = () => trouble !== "";

function show() {
  const now = trouble ? [make("p", trouble + kept())] : forgetful ? noticed() : [];
  box.replaceChildren(...now, ...lost(outbox.rejected.list()));
  box.hidden = !box.childNodes.length;
}

function kept() { // of how many items, and where
  const items = new Set(outbox.list().map((entry) => entry.body.item)).size; // an answer and its undo are of one
  if (!items) return "";
  const said = ` What you said of ${items} ${items === 1 ? "item" : "items"} is kept`;
  if (!outbox.unstored()) return `${said} in this browser until then.`;
  const part = outbox.unstored() < outbox.list().length ? "partly " : "";
  return `${said} ${part}in this page alone, since this browser cannot store it: keep the page open until then.`;
}

addEventListener("beforeunload", (event) => outbox.unstored() && event.preventDefault()); // the browser asks

const make = (name, textContent) => Object.assign(document.createElement(name), { textContent });

function lost(entries) { // what was never taken, and what to do about it
  if (!entries.length) return [];
  const list = make("ul");
  list.append(...entries.map((entry) => make("li", `${entry.words} was not taken: ${entry.error}`)));
  return [list, make("p", ADVICE), understood(() => entries.forEach((entry) => outbox.rejected.remove(entry)))];
}

const noticed = () => [make("p", FORGETFUL), understood(() => { forgetful = false; })];

function understood(then) { // a button to go on
  const close = make("button", "Understood");
  close.addEventListener("click", () => { then(); show(); });
  return close;
}

addEventListener("storage", show); // another window of this person sent something, or has read it
show();
