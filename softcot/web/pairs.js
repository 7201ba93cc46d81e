// The picker. Runs inside a gr.HTML component, which provides `element`, `props`, `trigger` and
// `watch`.
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-pair]");
  if (button) trigger("select", { name: button.dataset.pair });
});

const buttons = () => [...element.querySelectorAll("[data-pair]")];
const said = () => element.querySelector("[role=status]");
const first = buttons().find((one) => one.ariaPressed === "true").dataset.pair;
let answers = first;

// What changes is written into the buttons that stand there: a focused one stays focused, and what
// is read aloud is read once.
watch("value", () => {
  const changed = document.createElement("template");
  changed.innerHTML = props.value;
  const write = (place, text) => place.textContent === text || (place.textContent = text);
  for (const button of buttons()) {
    const now = changed.content.querySelector(`[data-pair="${CSS.escape(button.dataset.pair)}"]`);
    button.className = now.className;
    button.ariaPressed = now.ariaPressed;
    write(
      button.querySelector(".pair-state"),
      now.querySelector(".pair-state").textContent,
    );
    if (button.ariaPressed === "true") follow(button.dataset.pair);
  }
  const { dataset, textContent } = changed.content.querySelector("[role=status]");
  write(said(), textContent);
  if (dataset.answers && dataset.answers !== answers) {
    answers = dataset.answers;
    document.dispatchEvent(new CustomEvent("pair"));
  }
});

function follow(name) {
  const url = new URL(location.href);
  name === first ? url.searchParams.delete("pair") : url.searchParams.set("pair", name);
  if (url.href === location.href) return;
  history.replaceState(history.state, "", url);
  document.dispatchEvent(new Event("address"));
}
