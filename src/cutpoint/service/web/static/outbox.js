// Answers on their way. Each is kept in the browser, with its key, until the server has said that it is on its disk; they
// are sent one after the other, in order. Two windows of one person share the box: the key makes twice into once.

const PAUSES = [1, 2, 4, 8, 15]; // seconds between tries while the server cannot be reached

export function newKey() { // crypto.randomUUID needs https, which a local network may not have
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}

export async function request(path, body) { // {status, data}; status 0 where the server cannot be reached
  const options = body === undefined ? {} : {
    method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" }, keepalive: true,
  };
  try {
    const answer = await fetch(path, { ...options, signal: AbortSignal.timeout(15000), cache: "no-store" });
    const data = await answer.json().catch(() => ({}));
    return { status: answer.status, data, wait: Number(answer.headers.get("retry-after")) || 0 };
  } catch {
    return { status: 0, data: {}, wait: 0 };
  }
}

export class Outbox {
  // told(what, entry, data): what is "sent", "away" (no connection), "refused" (the server cannot store now),
  // "stranger" (the link no longer holds) or "rejected" (this one will never be taken, and has left the box).
  constructor(name, told) {
    this.name = name;
    this.told = told;
    this.memory = [];
    this.tries = 0;
    this.busy = false;
    addEventListener("online", () => this.pump());
  }

  list() {
    try {
      this.memory = JSON.parse(localStorage.getItem(this.name)) ?? [];
    } catch { /* no storage, or not ours to read: what is in memory goes on */ }
    return this.memory;
  }

  keep(entries) {
    this.memory = entries;
    try {
      localStorage.setItem(this.name, JSON.stringify(entries));
    } catch { /* full or forbidden: it stays in memory as long as the page does */ }
  }

  add(path, body) {
    const entry = { path, body: { ...body, key: newKey() } };
    this.keep([...this.list(), entry]);
    return entry;
  }

  remove(entry) {
    this.keep(this.list().filter((other) => other.body.key !== entry.body.key));
  }

  async pump() {
    if (this.busy) return;
    this.busy = true;
    clearTimeout(this.timer);
    let pause = 0;
    while (!pause && this.list().length) pause = await this.send(this.list()[0]);
    this.busy = false;
    if (pause) this.timer = setTimeout(() => this.pump(), pause * 1000);
  }

  async send(entry) { // the seconds until the next try, 0 to go on at once
    const { status, data, wait } = await request(entry.path, entry.body);
    if (status === 0) {
      this.told("away", entry, data);
      return PAUSES[Math.min(this.tries++, PAUSES.length - 1)];
    }
    this.tries = 0;
    if (status >= 500 || status === 429) {
      this.told("refused", entry, data);
      return wait || 5;
    }
    if (status === 401) {
      this.told("stranger", entry, data);
      return 30;
    }
    this.remove(entry);
    this.told(status < 300 ? "sent" : "rejected", entry, data);
    return 0;
  }
}
