// Keeps the open tab and `?tab=` in the address in step, without loading the page again. Each tab is
// an entry of the history, so that Back returns to the one before.
() => {
  const FIRST = "compare";
  const open = (id) =>
    document.querySelector(`[role=tab][data-tab-id="${CSS.escape(id)}"]`)?.click();
  const named = () => new URLSearchParams(location.search).get("tab") ?? FIRST;
  let written = location.href; // what the address said last, whoever wrote it
  document.addEventListener("address", () => (written = location.href));
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-tab]");
    if (link) {
      event.preventDefault();
      return follow(link.dataset);
    }
    const chosen = event.target.closest("[role=tab]")?.dataset.tabId;
    if (!chosen || chosen === named()) return;
    const url = new URL(location.href);
    url.searchParams.set("tab", chosen);
    url.hash = "";
    history.pushState(history.state, "", url);
    written = url.href;
  });
  // A link may lead to a place on its tab, or press a button there.
  function follow({ tab, to, press }) {
    open(tab);
    if (press) document.getElementById(press)?.click();
    if (to) setTimeout(() => document.querySelector(to)?.scrollIntoView({ block: "center" }));
  }
  // Back changes the tab alone: the question and the rest stay as they are on the page.
  addEventListener("popstate", () => {
    const tab = named();
    const url = new URL(written);
    url.searchParams.set("tab", tab);
    // A place on that tab: going there is an entry of the history, too.
    url.hash = tab === "results" ? location.hash : "";
    history.replaceState(history.state, "", url);
    written = url.href;
    open(tab);
  });
  if (named() !== FIRST) open(named());
};
