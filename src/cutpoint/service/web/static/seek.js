// Where there are more classes than keys: one of them found by its name. While something is sought, its buttons are those
// that match, the best first; what is said is heard, too.
import { stage } from "./stage.js";

const box = document.getElementById("seek"), list = document.getElementById("answers");
const OUT = 4; // the rank of what does not match
let marked = null; // the button that Enter presses

const field = () => box.querySelector("input"); // made anew with the classes; none where each has a key
const buttons = () => [...list.children].sort((a, b) => a.dataset.label - b.dataset.label);
const matching = () => [...list.children].filter((button) => !button.hidden);
const plain = (words) => words.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

function rank(name, term) { // the name itself, before one that begins so, one with a word that does, and the others
  if (name.startsWith(term)) return name === term ? 0 : 1;
  if (name.split(/[^\p{L}\p{N}]+/u).some((word) => word.startsWith(term))) return 2;
  return name.includes(term) ? 3 : OUT;
}

function sift() {
  const terms = plain(field().value).split(/\s+/).filter(Boolean);
  const found = buttons().map((button) => [button, Math.max(0, ...terms.map((term) => rank(plain(button.title), term)))]);
  list.style.minHeight = terms.length ? list.style.minHeight || `${list.offsetHeight}px` : ""; // so that nothing jumps
  for (const [button, place] of found) button.hidden = place === OUT;
  list.append(...found.sort((a, b) => a[1] - b[1]).map(([button]) => button));
  list.scrollTo(0, 0);
  mark(terms.length ? matching()[0] : null);
}

function mark(button) {
  marked?.classList.remove("marked");
  marked = button;
  marked?.classList.add("marked");
  marked?.scrollIntoView({ block: "nearest" });
  const all = matching();
  const place = `${marked?.title}: ${all.indexOf(marked) + 1} of ${all.length}`;
  const none = field().value.trim() ? `No class has “${field().value.trim()}” in its name` : "";
  box.querySelector("[role=status]").textContent = marked ? place : none;
}

function move(step) {
  const all = matching(), at = all.indexOf(marked);
  mark(all[at < 0 ? 0 : (at + step + all.length) % all.length] ?? null);
}

export function seek() { // whether there is anything to seek
  field()?.focus();
  field()?.select();
  return field() !== null;
}

export function found() { // or given up: all classes are there again
  if (!field() || (!field().value && !box.contains(document.activeElement))) return;
  field().value = "";
  sift();
  stage.focus({ preventScroll: true });
}

const KEYS = { ArrowDown: () => move(1), ArrowUp: () => move(-1), Enter: () => marked?.click(), Escape: found };

box.addEventListener("input", sift);
box.addEventListener("keydown", (event) => {
  if (!KEYS[event.key] || event.isComposing) return;
  event.preventDefault();
  if (!event.repeat || event.key.startsWith("Arrow")) KEYS[event.key]();
});
