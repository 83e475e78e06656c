// Where the item is shown: what is put there, a closer look at a picture, and keys that scroll.

export const stage = document.getElementById("item");
const SCROLLS = { // of the stage's width and height
  ArrowDown: [0, 0.15], ArrowUp: [0, -0.15], ArrowRight: [0.15, 0], ArrowLeft: [-0.15, 0], PageDown: [0, 0.85], PageUp: [0, -0.85],
};

export function put(node, what) {
  stage.replaceChildren(node);
  stage.dataset.kind = what;
  reduce();
  stage.scrollTo(0, 0);
}

export function enlarge(x = 0.5, y = 0.5) { // a picture, to the whole window and around this part of it; or back
  if (!stage.querySelector("img") || !stage.classList.toggle("near")) return;
  stage.scrollTo(x * stage.scrollWidth - stage.clientWidth / 2, y * stage.scrollHeight - stage.clientHeight / 2);
}

export const reduce = () => stage.classList.remove("near");

export function scroll(key) { // whether the key is one that scrolls, and there is more than is seen
  if (!SCROLLS[key] || (stage.scrollHeight <= stage.clientHeight && stage.scrollWidth <= stage.clientWidth)) return false;
  stage.scrollBy(SCROLLS[key][0] * stage.clientWidth, SCROLLS[key][1] * stage.clientHeight);
  return true;
}

stage.addEventListener("click", ({ target, offsetX, offsetY }) => {
  if (target.matches("img")) enlarge(offsetX / target.clientWidth, offsetY / target.clientHeight);
  else if (stage.classList.contains("near")) enlarge();
});
