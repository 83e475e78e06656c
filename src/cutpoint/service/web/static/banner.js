// What a person must know of answers on their way, on top of every page: of how many items and why, which were not taken.
import { Outbox } from "./outbox.js";

const box = document.getElementById("banner");
const rejected = [];
let trouble = "";

const TROUBLE = {
  away: () => "No connection to the server. It is tried again by itself.",
  stranger: (data) => data.error,
  refused: (data) => data.error || "The server cannot store answers at the moment. It is tried again by itself.",
};

// The person's outbox; told(what, entry, data) as the outbox tells it, after the banner shows it.
export const outbox = new Outbox(document.body.dataset.box, (what, entry, data) => {
  if (what === "rejected") rejected.push(`${entry.words} was not taken: ${data.error}`);
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
  const items = new Set(outbox.list().map((entry) => entry.body.item)).size; // an answer and its undo are of one
  const kept = items ? ` What you said of ${items} ${items === 1 ? "item" : "items"} is kept in this browser until then.` : "";
  const list = document.createElement("ul");
  list.append(...rejected.map((line) => Object.assign(document.createElement("li"), { textContent: line })));
  const close = Object.assign(document.createElement("button"), { textContent: "Understood", className: "quiet" });
  close.addEventListener("click", () => { rejected.length = 0; show(); });
  box.replaceChildren(...(trouble ? [trouble + kept] : []), ...(rejected.length ? [list, close] : []));
  box.hidden = !box.childNodes.length;
}
