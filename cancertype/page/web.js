// The answer streams in, and each state replaces the one before it. This keeps what the visitor opened, sorted and had in
// focus. It also shows the page in light colours whatever the system prefers.
() => {
  document.body.classList.remove("dark");
  const answer = document.getElementById("answer");
  const opened = new Map();
  let order = null;
  let focused = null;

  const sort = () => {
    const table = answer.querySelector("table.batch");
    if (!table || !order) return;
    const heads = [...table.querySelectorAll("thead th")];
    const numeric = heads[order.column].dataset.kind === "number";
    const value = (row) => row.cells[order.column].dataset.value;
    const compare = (a, b) => (numeric ? value(a) - value(b) : value(a).localeCompare(value(b), "en", { numeric: true }));
    const rows = [...table.tBodies[0].rows].sort((a, b) => (order.descending ? compare(b, a) : compare(a, b)));
    for (const row of rows) {
      table.tBodies[0].append(row);
      const single = document.getElementById(row.dataset.case);
      single.parentNode.append(single);
    }
    for (const [column, head] of heads.entries()) {
      if (column === order.column) head.setAttribute("aria-sort", order.descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
  };

  const restore = () => {
    observer.disconnect();
    for (const part of answer.querySelectorAll("details[data-key]")) {
      if (opened.has(part.dataset.key)) part.open = opened.get(part.dataset.key);
    }
    sort();
    if (focused && document.activeElement === document.body) {
      answer.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    }
    observer.observe(answer, { childList: true, subtree: true });
  };
  const observer = new MutationObserver(restore);
  observer.observe(answer, { childList: true, subtree: true });

  // A toggle does not bubble.
  answer.addEventListener("toggle", (event) => opened.set(event.target.dataset.key, event.target.open), true);
  document.addEventListener("focusin", (event) => (focused = event.target.dataset.focus ?? null));

  answer.addEventListener("click", (event) => {
    const head = event.target.closest("table.batch thead th");
    const link = event.target.closest("table.batch a");
    if (head) {
      const column = head.cellIndex;
      const again = order?.column === column;
      order = { column, descending: again ? !order.descending : head.dataset.kind === "number" };
      observer.disconnect();
      sort();
      observer.observe(answer, { childList: true, subtree: true });
    } else if (link) {
      event.preventDefault();
      const single = document.getElementById(link.hash.slice(1));
      single.open = true;
      // Its toggle event comes later, perhaps after the next state of the answer has replaced it.
      opened.set(single.dataset.key, true);
      single.scrollIntoView({ block: "start" });
      single.querySelector("summary").focus({ preventScroll: true });
    }
  });

  document.getElementById("ask").addEventListener("click", () => {
    opened.clear();
    order = focused = null;
  });
  // From here on a click is answered. keys.js has waited for it.
  const { dataset } = document.documentElement;
  dataset.answers = "true";
  if (dataset.asked) document.getElementById("ask").click();
}
