// A thought that is pressed, in a table or a figure, is marked wherever it is shown.
() => {
  const mark = () => {
    const picked = document.body.dataset.thought;
    for (const row of document.querySelectorAll("[data-thought]:not(body)"))
      row.classList.toggle("picked", row.dataset.thought === picked);
  };
  document.addEventListener("thought", ({ detail }) => {
    const again = document.body.dataset.thought === String(detail);
    if (again) delete document.body.dataset.thought;
    else document.body.dataset.thought = detail;
    mark();
  });
  document.addEventListener("click", ({ target }) => {
    const pressed = target.closest("[data-thought]:not(body) button");
    if (!pressed) return;
    const detail = Number(pressed.closest("[data-thought]").dataset.thought);
    document.dispatchEvent(new CustomEvent("thought", { detail }));
  });
  // Tables are written anew when K moves.
  const remark = () => document.body.dataset.thought && mark();
  new MutationObserver(remark).observe(document.body, { childList: true, subtree: true });
};
