// What has just been done, said for a moment beside the item, with a way to undo it.

const $ = (id) => document.getElementById(id);
let timer = 0;

export function toast(words, colour, undoable = true) { // colour: of the class, by its number
  const spot = Object.assign(document.createElement("span"), { className: colour === undefined ? "apart" : `dot c${colour}` });
  $("toast-words").replaceChildren(spot, words);
  $("toast-undo").hidden = !undoable;
  $("toast").classList.add("on");
  clearTimeout(timer);
  timer = setTimeout(() => $("toast").classList.remove("on"), 4000);
}
