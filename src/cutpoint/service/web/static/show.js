// An item as the page shows it. Everything of the pool is put in as text, never as markup.

const BRIEF = 140; // characters of a text that is shown large
const MANY = 12; // cells of a row that is shown in columns

function element(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function picture(item, wanted) {
  const frame = element("div", undefined, "frame");
  const image = element("img");
  image.title = "Click, or press e, for a closer look";
  image.alt = `Picture ${item.id}`;
  image.decoding = "sync"; // it is loaded before it is shown
  image.addEventListener("load", () => { // a small picture is made larger: in squares if its pixels can be counted
    const side = Math.max(image.naturalWidth, image.naturalHeight);
    if (side <= 600) image.classList.add("small");
    if (side <= 96) image.classList.add("tiny");
    image.style.setProperty("--own", `${image.naturalWidth}px`); // for the closer look
    image.style.setProperty("--ratio", image.naturalWidth / image.naturalHeight);
  });
  const address = `${item.picture}?of=${document.body.dataset.of}`; // of this campaign: what the browser keeps is, too
  load(address, image, frame, wanted);
  return frame;
}

// Fetched first, for its kind: the server sends a drawing only where it has no picture to show.
async function load(address, image, frame, wanted) {
  try {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(answer.statusText);
    await answer.blob(); // now it is in the browser's cache
    if (answer.headers.get("content-type").startsWith("image/svg")) return frame.replaceChildren(unshown("picture"));
    image.src = address;
    frame.replaceChildren(image);
  } catch {
    frame.replaceChildren(element("p", "The picture has not come yet. It is tried again by itself.", "soft"));
    setTimeout(() => wanted() && load(address, image, frame, wanted), 3000);
  }
}

function unshown(what) { // in words, for everybody
  const box = element("div", undefined, "empty");
  box.append(element("strong", `This ${what} cannot be shown`), element("span", "b reports it, space skips it", "soft"));
  return box;
}

const nothing = () => element("span", "(empty)", "soft");

function text(item) {
  const box = element("div", item.text, item.text.length <= BRIEF ? "text brief" : "text");
  if (!item.text.trim()) box.replaceChildren(nothing());
  box.dir = "auto";
  if (item.cut) box.append(element("p", `These are the first characters of ${item.cut.toLocaleString()}.`, "soft small"));
  return box;
}

function row(item) {
  const list = element("dl", undefined, item.row.length > MANY ? "many" : "");
  const more = `These are the first ${item.row.length} of ${item.cut?.toLocaleString()} columns.`;
  for (const [name, value] of item.cut ? [...item.row, ["…", more]] : item.row) {
    const pair = element("div");
    pair.append(element("dt", name), element("dd", value));
    if (!value.trim()) pair.lastChild.replaceChildren(nothing());
    list.append(pair);
  }
  return list;
}

export function node(item, wanted) { // wanted(): whether somebody sees it, or soon will
  if (item.picture) return picture(item, wanted);
  if (item.row) return row(item);
  return item.text === null ? unshown("item") : text(item);
}

export const kind = (item) => (item.picture ? "picture" : item.row ? "row" : "text");

export function emptyNode(reason, more = "") {
  const box = element("div", undefined, "empty");
  const count = element("span", more, "soft");
  count.id = "countdown";
  box.append(element("strong", reason), count);
  return box;
}

export function countdown(box, seconds, then) { // in an empty node, as long as it is seen
  let left = Math.ceil(seconds);
  const tick = () => {
    if (!box.isConnected) return;
    box.querySelector("#countdown").textContent = left > 0 ? `Looking again in ${left} s` : "Looking…";
    if (left-- > 0) setTimeout(tick, 1000);
    else then();
  };
  tick();
}

export function restNode(words, goOn) { // between two sittings
  const box = emptyNode(words);
  const on = element("button", "Go on", "main");
  on.addEventListener("click", goOn);
  const mine = element("a", "My answers", "button");
  mine.href = "/mine";
  const acts = element("p", undefined, "choices");
  acts.append(on, mine);
  box.append(acts);
  return box;
}

// The drawing of why it is asked, as it is now, and what it says; `again`: it is not drawn yet.
export async function strip(item) {
  const none = { drawing: null, words: "", again: false };
  if (!item.strip) return none;
  try {
    const answer = await fetch(item.strip, { signal: AbortSignal.timeout(10000) });
    if (answer.status === 204) return { ...none, words: "The picture of this class is being drawn.", again: true };
    if (!answer.ok) return none;
    const drawn = new DOMParser().parseFromString(await answer.text(), "image/svg+xml").documentElement;
    if (drawn.nodeName !== "svg") return none;
    return { ...none, drawing: document.importNode(drawn, true), words: `Now: ${drawn.querySelector("title").textContent}.` };
  } catch {
    return none; // it explains the question; the question stands without it
  }
}
