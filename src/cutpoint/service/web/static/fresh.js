// Parts of a page that are made anew by the server, while the rest stays as it is: each has an id and data-fresh.

// The page as the server has it now, once its fresh parts are in place here; null where it could not be fetched. A part
// that somebody is in the middle of is left alone, unless it was asked for.
export async function refresh(asked = false) {
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(15000) });
    if (!answer.ok) return null;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (fresh.body.dataset.box !== document.body.dataset.box) return null; // another's, whose link this browser has now
    for (const part of document.querySelectorAll("[data-fresh]")) {
      const other = fresh.getElementById(part.id);
      const place = stops(part).indexOf(document.activeElement);
      if (!other || (place >= 0 && !asked)) continue;
      const before = boxes(part).map((box) => box.open);
      const at = boxes(part).findIndex((box) => box.contains(document.activeElement));
      part.replaceChildren(...other.childNodes);
      boxes(part).forEach((box, i) => (box.open = before[i] ?? box.open));
      boxes(part)[at]?.querySelector("summary").focus({ preventScroll: true });
      if (place >= 0) stops(part)[Math.min(place, stops(part).length - 1)]?.focus({ preventScroll: true });
    }
    return fresh;
  } catch {
    return null; // no connection: what is shown stays
  }
}

const stops = (part) => [...part.querySelectorAll("a, button, input:not([type=hidden]), select")];
const boxes = (part) => [...part.querySelectorAll("details")]; // what somebody opened stays open
