// A sign at the foot of what scrolls, as long as there is more of it below.

export function below(node) {
  const look = () => node.classList.toggle("more", node.scrollHeight - node.scrollTop - node.clientHeight > 6);
  node.addEventListener("scroll", look, { passive: true });
  new ResizeObserver(look).observe(node);
  new MutationObserver(look).observe(node, { childList: true, subtree: true, attributeFilter: ["hidden", "open"] });
}
