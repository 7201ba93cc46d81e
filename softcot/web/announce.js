// Says aloud what changes while something runs: when it begins, when it ends, and what came out.
() => {
  const said = document.createElement("div");
  said.className = "sr-only";
  said.setAttribute("role", "status");
  said.dataset.announces = "";
  document.querySelector(".gradio-container").append(said);
  const text = (place) => place?.textContent.replace(/\s+/g, " ").trim() ?? "";
  const seen = (place) => place.getClientRects().length > 0;
  function answers() {
    const cards = [...document.querySelectorAll(".answer-card:not(.idle)")].filter(seen);
    if (!cards.length) return "";
    if (cards.some((card) => card.classList.contains("running"))) return "Answering.";
    const told = (card) =>
      [".answer, .answer.none", ".badge"].map((part) => text(card.querySelector(part)));
    return cards.map((card) => [text(card.querySelector("h2")), ...told(card)].join(" ")).join(". ");
  }
  function progress() {
    const bar = [...document.querySelectorAll(".progress progress")].find(seen);
    if (!bar) return "";
    const tenth = Math.floor((10 * bar.value) / (bar.max || 1)); // not every step
    return tenth ? `${10 * tenth} %` : text(bar.nextElementSibling);
  }
  let timer;
  let last = ["", ""];
  function look() {
    const now = [answers(), progress()];
    const news = now.filter((one, place) => one && one !== last[place]);
    last = now;
    if (news.length) said.textContent = news.join(". ");
  }
  new MutationObserver((changes) => {
    if (changes.every(({ target }) => target === said || said.contains(target))) return;
    clearTimeout(timer);
    timer = setTimeout(look, 200);
  }).observe(document.body, { characterData: true, childList: true, subtree: true });
};
