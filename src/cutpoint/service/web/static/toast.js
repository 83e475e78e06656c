// What has just been done, said for a moment beside the item, with a way to undo it.
import { stage } from "./stage.js";

const $ = (id) => document.getElementById(id);
let timer = 0;

export function toast(words, colour, undoable = true, long = false) { // colour: of the class, by its number
  const spot = Object.assign(document.createElement("span"), { className: colour === undefined ? "apart" : `dot c${colour}` });
  $("toast-words").replaceChildren(spot, words);
  $("toast-undo").hidden = !undoable;
  $("toast").classList.toggle("long", long);
  $("toast").classList.add("on");
  clearTimeout(timer);
  timer = setTimeout(() => $("toast").classList.remove("on"), long ? 8000 : 4000);
}

export function unheard(words) { // a key that did nothing: the item's frame says so, too; false
  toast(words, undefined, false);
  stage.getAnimations().forEach((one) => one.cancel());
  stage.animate({ outlineColor: ["var(--accent)", "transparent"], outlineStyle: ["solid", "solid"] }, 600);
  return false;
}
