// Keeps the open tab and `?tab=` in the address in step, without loading the page again.
() => {
  const open = (id) =>
    document.querySelector(`[role=tab][data-tab-id="${CSS.escape(id)}"]`)?.click();
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-tab]");
    if (link) {
      event.preventDefault();
      return open(link.dataset.tab);
    }
    const chosen = event.target.closest("[role=tab]")?.dataset.tabId;
    const url = new URL(location.href);
    if (!chosen || chosen === url.searchParams.get("tab")) return;
    url.searchParams.set("tab", chosen);
    url.hash = "";
    history.replaceState(history.state, "", url);
  });
  open(new URLSearchParams(location.search).get("tab") ?? "");
};
