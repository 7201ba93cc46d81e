// Keeps the open tab and `?tab=` in the address in step, without loading the page again.
() => {
  document.addEventListener("click", (event) => {
    const chosen = event.target.closest("[role=tab]")?.dataset.tabId;
    const url = new URL(location.href);
    if (!chosen || chosen === url.searchParams.get("tab")) return;
    url.searchParams.set("tab", chosen);
    url.hash = "";
    history.replaceState(history.state, "", url);
  });
  const wanted = new URLSearchParams(location.search).get("tab") ?? "";
  document.querySelector(`[role=tab][data-tab-id="${CSS.escape(wanted)}"]`)?.click();
};
