"use strict";
// What the page can do beside being read: narrow down, sort, open, link, print. Without it everything is still there.
// It reads attributes that secgate wrote and writes plain text; texts of the tree are compared, never made into markup.
(() => {
  const by = (id) => document.getElementById(id);
  const list = by("list");
  if (!list) return;
  const tools = by("tools");
  const items = Array.from(list.children);
  const boxes = Array.from(tools.querySelectorAll("input[type=checkbox]"));
  const [text, lane, state, order] = ["text", "lane", "state", "order"].map((name) => by(`by-${name}`));
  const status = by("status");
  const toggle = by("toggle");
  const usual = status.textContent;
  const gone = "The finding of this link is not on this page: it is gone, or one of those without a row.";
  const texts = new Map();
  const count = (number) => number.toLocaleString("en");
  const detailsOf = (item) => item.querySelector("details");

  const textOf = (item) => {
    if (!texts.has(item)) texts.set(item, item.textContent.toLowerCase());
    return texts.get(item);
  };

  const narrowed = () => Boolean(text.value.trim() || lane.value || state.value || boxes.some((box) => box.checked));

  function say() {
    const shown = items.filter((item) => !item.hidden).length;
    const sorted = order.value ? `, sorted by ${order.selectedOptions[0].textContent}` : "";
    const told = `${count(shown)} of ${count(items.length)} findings shown${sorted}.`;
    status.textContent = narrowed() || order.value ? (shown ? told : `No finding matches: ${told}`) : usual;
    by("reset").disabled = !narrowed() && !order.value;
    toggle.disabled = !shown;
    list.classList.toggle("many", shown > Number(list.dataset.paper));
  }

  function filter() {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const severities = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    for (const item of items) {
      const { severity, lane: own, states } = item.dataset;
      item.hidden = !(
        (!severities.size || severities.has(severity)) &&
        (!lane.value || own === lane.value) &&
        (!state.value || states.split(" ").includes(state.value)) &&
        words.every((word) => textOf(item).includes(word))
      );
    }
    say();
  }

  // Equal ones keep the order that they came in, which is by what matters most.
  function sort() {
    const key = (item) => (order.value ? Number(item.dataset[order.value]) : 0);
    const sorted = items.map((item, at) => [key(item), at, item]).sort((one, two) => one[0] - two[0] || one[1] - two[1]);
    // Away from the page while they move, or the page is reckoned anew for each.
    const behind = document.createComment("");
    list.replaceWith(behind);
    for (const [, , item] of sorted) list.append(item);
    behind.replaceWith(list);
    say();
  }

  function reset() {
    const sorted = order.value;
    for (const box of boxes) box.checked = false;
    text.value = lane.value = state.value = order.value = "";
    if (sorted) sort();
    filter();
  }

  // A link to a finding shows it, whatever was narrowed down before.
  function follow() {
    const name = location.hash.slice(1);
    if (!/^finding-[0-9a-f]{16}$/.test(name)) return;
    const item = by(name) && by(name).closest("#list > li");
    if (!item) {
      status.textContent = gone;
      status.scrollIntoView({ block: "center" });
      return;
    }
    if (status.textContent === gone) say();
    if (item.hidden) reset();
    const details = detailsOf(item);
    if (details) details.open = true;
    item.scrollIntoView(); // and the browser goes on from here: the next key for the next link leads into it
  }

  function copy(button) {
    const link = `${location.href.split("#")[0]}#${button.value}`;
    const done = (words) => {
      const before = button.textContent;
      status.textContent = words;
      button.textContent = words;
      button.disabled = true;
      setTimeout(() => {
        button.textContent = before;
        button.disabled = false;
      }, 2500);
    };
    const shown = () => {
      location.hash = button.value;
      done("The link is in the address bar");
    };
    if (!navigator.clipboard) shown();
    else navigator.clipboard.writeText(link).then(() => done("Link copied"), shown);
  }

  let waiting = 0;
  text.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 150);
  });
  for (const control of [lane, state, ...boxes]) control.addEventListener("change", filter);
  order.addEventListener("change", sort);
  by("reset").addEventListener("click", () => {
    reset();
    text.focus();
  });
  toggle.addEventListener("click", () => {
    const some = items.filter((item) => !item.hidden).map(detailsOf).filter(Boolean);
    const open = some.some((details) => !details.open);
    for (const details of some) details.open = open;
    toggle.textContent = open ? "Close all" : "Open all";
  });
  list.addEventListener("click", (event) => {
    if (event.target.matches("button.copy")) copy(event.target);
  });
  window.addEventListener("hashchange", follow);

  // On paper everything is open, and closed again behind it; of very many findings those that are open already.
  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = Array.from(document.querySelectorAll("details:not([open])")).filter((one) => !one.closest(".many"));
    for (const details of closed) details.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
  });

  tools.hidden = false;
  document.documentElement.classList.add("live");
  filter();
  if (order.value) sort();
  follow();
})();
