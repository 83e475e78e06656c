// Entries that outlive the page, each under a name of its own in the browser's storage: windows that write at the same
// time, or see each other's writing late, never undo one another. What the browser will not store, the page remembers.

const PLACE = /^\d+:[0-9a-f]+$/; // when it was added, and its key

export class Kept {
  constructor(name) {
    this.name = name;
    this.memory = new Map(); // place: entry, of those that are nowhere else
    this.adopt();
    this.last = this.list().at(-1)?.at ?? 0;
  }

  list() { // the oldest first
    return [...new Map([...this.stored(), ...this.memory]).values()].sort((one, other) => one.at - other.at);
  }

  static able() { // whether this browser stores anything now
    const place = "cutpoint:try";
    try {
      localStorage.setItem(place, "");
      localStorage.removeItem(place);
      return true;
    } catch {
      return false;
    }
  }

  unstored() { // how many are lost with this page
    return this.memory.size;
  }

  add(entry) { // behind all others of this window, whatever its clock says
    this.last = Math.max(Date.now(), this.last + 1);
    this.put({ ...entry, at: this.last });
  }

  put(entry) {
    try {
      localStorage.setItem(this.place(entry), JSON.stringify(entry));
      this.memory.delete(this.place(entry));
    } catch { // full or forbidden
      this.memory.set(this.place(entry), entry);
    }
  }

  remove(entry) {
    this.memory.delete(this.place(entry));
    try {
      localStorage.removeItem(this.place(entry));
    } catch { /* forbidden: it was in memory alone */ }
  }

  place(entry) {
    return `${this.name}:${entry.at}:${entry.body.key}`;
  }

  stored() { // [place, entry] each
    const own = (place) => place.startsWith(`${this.name}:`) && PLACE.test(place.slice(this.name.length + 1));
    try {
      return Object.keys(localStorage).filter(own).map((place) => [place, JSON.parse(localStorage.getItem(place))]);
    } catch {
      return []; // forbidden
    }
  }

  adopt() { // what an earlier version kept, all under one name; two windows that do it put each at the same place
    try {
      const older = JSON.parse(localStorage.getItem(this.name)) ?? [];
      localStorage.removeItem(this.name);
      older.forEach((entry, at) => this.put({ ...entry, at }));
    } catch { /* forbidden: there is none */ }
  }
}
