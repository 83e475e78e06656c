// Answers on their way. Each is kept in the browser, with its key, until the server has said that it is on its disk; they
// are sent one after the other, in order. Two windows of one person share the box: one sends at a time where the browser
// can see to it, and the key makes twice into once. What the server will never take lies beside them, until the person
// has read it.
import { Kept } from "./kept.js";

const PAUSES = [1, 2, 4, 8, 15]; // seconds between tries while the server cannot be reached

export function newKey() { // crypto.randomUUID needs https, which a local network may not have
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}

// {status, data}; status 0 where our server cannot be reached. It says everything in JSON objects, so that anything else
// comes from somebody in between, whatever its status: a network's login page, a proxy.
export async function request(path, body) {
  const headers = { "x-cutpoint-for": encodeURIComponent(document.body.dataset.for) }; // the browser's link may be another's
  const options = body === undefined ? {} : { method: "POST", body: JSON.stringify(body), keepalive: true };
  if (body !== undefined) headers["content-type"] = "application/json";
  try {
    const answer = await fetch(path, { ...options, headers, signal: AbortSignal.timeout(15000), cache: "no-store" });
    const data = await answer.json();
    if (data === null || typeof data !== "object") throw new TypeError("not one of our answers");
    return { status: answer.status, data, wait: Number(answer.headers.get("retry-after")) || 0 };
  } catch {
    return { status: 0, data: {}, wait: 0 };
  }
}

const NEVER = [400, 404, 409, 413, 422]; // with our reason: this entry will be refused however often it is sent

function verdict(status, data, entry) {
  if (status >= 200 && status < 300) {
    return data.item === entry.body.item && typeof data.status === "string" ? "sent" : "away";
  }
  if (typeof data.error !== "string") return "away";
  if (status === 401 || status === 403) return "stranger";
  if (status === 500) return "failed";
  return NEVER.includes(status) ? "rejected" : "refused";
}

async function alone(name, work) { // one window at a time
  try {
    return await navigator.locks.request(name, { signal: AbortSignal.timeout(20000) }, work);
  } catch { // they need https, too; or the window whose turn it is has been asleep all the time
    return work();
  }
}

function between(name) { // the person's windows
  try {
    return new BroadcastChannel(name);
  } catch {
    return { postMessage() {} }; // forbidden, as the storage is then: there is nothing that two windows share
  }
}

export class Outbox {
  // name: of the person's box, with the campaign's identity: another campaign at this address has boxes of its own.
  // told(what, entry, data): what is "sent", "away" (our server was not reached), "refused" (it cannot store now),
  // "stranger" (the link no longer holds, or is another person's) or "rejected" (this one will never be taken, and is
  // among the rejected); "empty", without an entry, once nothing is left to send. A window is told of what it sends, and
  // of what another one sends for it.
  constructor(name, told) {
    this.waiting = new Kept(name);
    this.rejected = new Kept(`${name}:rejected`);
    this.told = told;
    this.own = new Set(); // keys of what was added here
    this.windows = between(name); // whichever sends an entry tells the one that it comes from
    this.windows.onmessage = ({ data: [what, entry, data] }) => this.own.has(entry.body.key) && told(what, entry, data);
    this.tries = 0;
    this.busy = false;
    addEventListener("online", () => this.pump());
  }

  list() {
    return this.waiting.list();
  }

  unstored() {
    return this.waiting.unstored();
  }

  add(path, body, words) { // words: what to call it if it is not taken
    const entry = { path, words, body: { ...body, key: newKey() } };
    this.waiting.add(entry);
    this.own.add(entry.body.key);
    return entry;
  }

  async pump() {
    if (this.busy) return;
    this.busy = true;
    clearTimeout(this.timer);
    const failed = new Map(); // item: [entry, data] at which the server broke; what else is said of it waits behind that
    let pause = 0;
    while (!pause && this.next(failed)) pause = await alone(this.waiting.name, () => this.send(failed));
    this.busy = false;
    const [broken] = failed.values();
    if (broken && !pause) {
      this.told("refused", ...broken);
      pause = 5;
    }
    if (pause) this.timer = setTimeout(() => this.pump(), pause * 1000);
    else this.told("empty");
  }

  next(failed) {
    return this.list().find((entry) => !failed.has(entry.body.item));
  }

  async send(failed) { // the next one: the seconds until another try, 0 to go on at once
    const entry = this.next(failed);
    if (!entry) return 0; // another window sent it
    const { status, data, wait } = await request(entry.path, entry.body);
    const what = verdict(status, data, entry);
    if (what === "failed") failed.set(entry.body.item, [entry, data]);
    if (what === "rejected") this.rejected.put({ ...entry, error: data.error });
    if (what === "sent" || what === "rejected") this.waiting.remove(entry);
    if (what !== "failed") this.told(what, entry, data);
    if (what === "sent" || what === "rejected") this.windows.postMessage([what, entry, data]);
    if (what === "away") return PAUSES[Math.min(this.tries++, PAUSES.length - 1)];
    this.tries = 0;
    return { refused: wait || 5, stranger: 5 }[what] ?? 0;
  }
}
