// An item as the page shows it. Everything of the pool is put in as text, never as markup.

function element(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function picture(item) {
  const frame = element("div", undefined, "frame");
  const image = element("img");
  image.alt = `Picture ${item.id}`;
  image.decoding = "sync"; // it is loaded before it is shown
  image.addEventListener("load", () => { // a small picture is made larger: in squares if its pixels can be counted
    const side = Math.max(image.naturalWidth, image.naturalHeight);
    if (side <= 600) image.classList.add("small");
    if (side <= 96) image.classList.add("tiny");
  });
  image.src = item.picture;
  frame.append(image);
  return frame;
}

function text(item) {
  const box = element("div", item.text, "text");
  box.dir = "auto";
  if (item.cut) box.append(element("p", `These are the first characters of ${item.cut.toLocaleString()}.`, "soft small"));
  return box;
}

function row(item) {
  const list = element("dl");
  for (const [name, value] of item.row) list.append(element("dt", name), element("dd", value));
  return list;
}

export function node(item) {
  if (item.picture) return picture(item);
  return item.row ? row(item) : text(item);
}

export function emptyNode(reason, detail) {
  const box = element("div", undefined, "empty");
  const count = element("span", detail, "soft");
  count.id = "countdown";
  box.append(element("strong", reason), count);
  return box;
}

export async function strip(item) { // the drawing of why it is asked, or null
  if (!item.strip) return null;
  try {
    const answer = await fetch(item.strip, { signal: AbortSignal.timeout(10000) });
    if (!answer.ok) return null;
    const drawn = new DOMParser().parseFromString(await answer.text(), "image/svg+xml").documentElement;
    return drawn.nodeName === "svg" ? document.importNode(drawn, true) : null;
  } catch {
    return null; // it explains the question; the question stands without it
  }
}
