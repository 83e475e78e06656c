// Why the item is asked shows what the model thinks; who would rather not see it folds it away, and it stays so.

export const why = document.getElementById("why");

why.open = (recall("cutpoint:why") ?? (matchMedia("(min-width: 62rem)").matches ? "open" : "shut")) === "open";
why.addEventListener("toggle", () => {
  try { localStorage.setItem("cutpoint:why", why.open ? "open" : "shut"); } catch { /* then it is asked again */ }
});

function recall(name) {
  try { return localStorage.getItem(name); } catch { return null; }
}
