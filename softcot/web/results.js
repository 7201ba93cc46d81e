// Makes the Results tab work: sorts tables, shows the command behind a number, draws the figures,
// follows the reader in the list of sections. Runs after figures.js inside a gr.HTML component,
// which provides `element` and `props`.

// Tables: a press on a head sorts by it, the next the other way round, the third not at all.

const places = new Map([...element.querySelectorAll("tbody tr")].map((row, at) => [row, at]));

function sort(head) {
  const rows = [...head.closest("table").tBodies[0].rows];
  const value = (row) => Number(row.cells[head.cellIndex].dataset.value ?? NaN);
  const words = (row) => row.cells[head.cellIndex].textContent;
  const numeric = rows.some((row) => !Number.isNaN(value(row)));
  const orders = numeric ? ["descending", "ascending"] : ["ascending", "descending"];
  const order = orders[orders.indexOf(head.ariaSort) + 1];
  const sign = order === "descending" ? -1 : 1;
  rows.sort((one, other) => places.get(one) - places.get(other));
  if (order && numeric) {
    const last = sign * Infinity; // what is missing stays below, either way
    const known = (row) => (Number.isNaN(value(row)) ? last : value(row));
    rows.sort((one, other) => sign * (known(one) - known(other) || 0));
  } else if (order) {
    const language = { numeric: true };
    rows.sort((one, other) => sign * words(one).localeCompare(words(other), "en", language));
  }
  for (const cell of head.parentElement.cells) cell.removeAttribute("aria-sort");
  if (order) head.ariaSort = order;
  rows[0]?.parentElement.append(...rows);
}

// Numbers: one stop of the Tab key in each table, arrows from there.

for (const table of element.querySelectorAll("table"))
  table.querySelectorAll("tbody button").forEach((button, at) => (button.tabIndex = at ? -1 : 0));

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

function step(button, [down, right]) {
  const rows = button.closest("tbody").rows;
  let row = button.closest("tr").sectionRowIndex;
  let column = button.closest("td").cellIndex;
  let next;
  do next = rows[(row += down)]?.cells[(column += right)];
  while (next && !next.querySelector("button"));
  if (!next) return;
  button.tabIndex = -1;
  next.querySelector("button").tabIndex = 0;
  next.querySelector("button").focus();
}

// The command behind a number, in one popover that stands in its cell: Tab leads into it.

const command = element.querySelector(".command");
const code = command.querySelector("code");
const copy = command.querySelector(".copy");
let shown = null; // the button of the number whose command is shown
let timer;

function show(button) {
  clearTimeout(timer);
  if (shown === button) return;
  hide();
  shown = button;
  button.parentElement.append(command);
  // The only places to break a line: words such as --task hold together.
  const words = button.dataset.command.split(/(?<=[ /])/);
  code.replaceChildren(...words.flatMap((word) => [word, document.createElement("wbr")]));
  copy.textContent = "Copy";
  command.showPopover();
  settle();
}

function hide() {
  clearTimeout(timer);
  if (shown?.parentElement.contains(document.activeElement)) shown.focus();
  shown = null;
  if (command.matches(":popover-open")) command.hidePopover();
  element.firstElementChild.append(command); // or it would be read as a part of the cell
}

function settle() {
  if (!shown) return;
  const [number, box] = [shown, command].map((one) => one.getBoundingClientRect());
  const { clientWidth, clientHeight } = document.documentElement;
  const below = number.bottom + box.height + 6 < clientHeight;
  const left = Math.min(number.right - box.width, clientWidth - box.width - 8);
  command.style.left = `${Math.max(8, left)}px`;
  command.style.top = `${below ? number.bottom + 4 : number.top - box.height - 4}px`;
}

async function copyCommand() {
  getSelection().selectAllChildren(code);
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    document.execCommand("copy"); // a page that is not served by HTTPS has no clipboard
  }
  copy.textContent = "Copied";
}

element.addEventListener("click", (event) => {
  const head = event.target.closest(".sort");
  const link = event.target.closest(".contents a");
  if (head) sort(head.parentElement);
  if (event.target === copy) copyCommand();
  if (link && !event.ctrlKey && !event.metaKey) {
    event.preventDefault(); // a link would forget the rest of the address
    location.hash = link.hash;
    document.getElementById(named(link)).scrollIntoView(); // also when the hash is the same
  }
});
element.addEventListener("keydown", (event) => {
  const button = event.target.closest("[data-command]");
  if (!button || !STEPS[event.key]) return;
  event.preventDefault();
  step(button, STEPS[event.key]);
});
for (const kind of ["pointerover", "focusin", "click"])
  document.addEventListener(kind, (event) => {
    const passing = kind === "pointerover"; // a pointer on its way through means nothing yet
    if (passing && event.pointerType === "touch") return;
    clearTimeout(timer);
    const button = event.target.closest("[data-command]");
    if (command.contains(event.target) || !(button || shown)) return;
    const change = () => (button ? show(button) : hide());
    if (passing) timer = setTimeout(change, 250);
    else change();
  });
document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
document.addEventListener("scroll", settle, true);

// Figures, each when the reader comes near it.

const near = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      drawFigure(target, (theme) => JSON.parse(accented(target.dataset.figure, theme)), { displayModeBar: false });
    }
  },
  { rootMargin: "400px" },
);
for (const place of element.querySelectorAll("[data-figure]")) near.observe(place);

// The list of sections marks the one that is being read.

const contents = element.querySelector(".contents");
const sections = [...element.querySelectorAll("section")];
const named = (address) => decodeURIComponent(address.hash.slice(1));

function mark(section) {
  for (const link of contents.querySelectorAll("a")) {
    link.ariaCurrent = named(link) === section.id;
    if (link.ariaCurrent === "true") contents.scrollTo({ left: link.offsetLeft - 24 });
  }
}

const reading = new IntersectionObserver(
  (entries) => entries.filter((one) => one.isIntersecting).forEach((one) => mark(one.target)),
  { rootMargin: "-20% 0% -75%" },
);
sections.slice(0, 1).forEach(mark);
for (const section of sections) reading.observe(section);
document.getElementById(named(location))?.scrollIntoView();
