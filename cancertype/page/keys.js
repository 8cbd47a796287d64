// Ctrl+Enter (Cmd+Enter) asks. In the page's head, because a visitor may press it before the page answers clicks, which it
// does once it has run web.js: that asks then.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  const { dataset } = document.documentElement;
  if (dataset.answers) document.getElementById("ask").click();
  else dataset.asked = "early";
});
