// Puts Chinese in the place of the page's English, where a reader chose it or, if none was chosen, in
// a browser whose language is Chinese. Gradio's
// own translations know zh-CN and zh-TW alone, and nothing of HTML, so all of the page is done here.
// `CHINESE` is chinese.json: {n} in an entry stands for a number and {} for any text.

// What a person or a model wrote stays as it is, and so does the report, but for its headings.
const SKIPPED = `q, code, textarea, script, style, [translate=no], .chips,
  .answer-card:not(.idle) .completion, .results .sheet :not(h2), #js-plotly-tester,
  .plot-place text:not([class*=title], .legendtext, .annotation-text)`;
const ATTRIBUTES = ["aria-label", "title", "placeholder", "data-label"];

const WILDCARDS = { "{n}": "([+−-]?\\d[\\d.,]*)", "{}": "(.+)" };
const literal = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const patterns = Object.entries(CHINESE)
  .filter(([english]) => /\{n?\}/.test(english))
  .sort(([one], [other]) => other.length - one.length) // what says most comes first
  .map(([english, chinese]) => {
    const parts = english.split(/(\{n?\})/).map((part) => WILDCARDS[part] ?? literal(part));
    return [new RegExp(`^${parts.join("")}$`), chinese];
  });

function whole(text) {
  if (Object.hasOwn(CHINESE, text)) return CHINESE[text];
  for (const [pattern, chinese] of patterns) {
    const found = pattern.exec(text);
    let place = 1;
    if (found) return chinese.replace(/\{n?\}/g, () => found[place++]);
  }
}

// Where the text as a whole is unknown, each of its parts between dots or of its sentences.
function translated(text) {
  const trimmed = text.replace(/\s+/g, " ").trim();
  if (!/[a-z]/i.test(trimmed)) return text;
  const known = whole(trimmed);
  if (known !== undefined) return known;
  for (const [border, between] of [[" · ", " · "], [/(?<=\.) (?=[A-Z])/, ""]]) {
    const parts = trimmed.split(border);
    const said = parts.map((part) => whole(part) ?? part);
    if (said.some((one, place) => one !== parts[place])) return said.join(between);
  }
  return text;
}

function translateText(node) {
  if (!node.data.trim() || node.parentElement?.closest(SKIPPED)) return;
  const said = translated(node.data);
  if (said !== node.data) node.data = said;
}

function translateAttributes(element) {
  if (element.parentElement?.closest(SKIPPED)) return;
  for (const name of ATTRIBUTES) {
    const text = element.getAttribute(name);
    if (!text) continue;
    // Gradio names the parts of a widget by its label, which is ours: "number input for Steps".
    const said = translated(text).replace(/[^：]+/g, (part) => CHINESE[part] ?? part);
    if (said !== text) element.setAttribute(name, said);
  }
}

function translate(root) {
  if (root.nodeType === Node.TEXT_NODE) return translateText(root);
  if (root.nodeType !== Node.ELEMENT_NODE) return;
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = root; node; node = walker.nextNode())
    node.nodeType === Node.TEXT_NODE ? translateText(node) : translateAttributes(node);
}

// A browser may refuse to keep the choice; its own language then decides.
const KEPT = "softcot-language";
function kept(choice) {
  try {
    if (choice) localStorage.setItem(KEPT, choice);
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}
document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-language]");
  if (!button) return;
  kept(button.dataset.language);
  location.reload(); // the address holds the question and the rest
});

if (/^zh\b/i.test(kept() ?? navigator.language)) {
  const page = document.documentElement;
  const name = () => page.lang === "zh" || (page.lang = "zh");
  name();
  new MutationObserver(name).observe(page, { attributeFilter: ["lang"] }); // Gradio writes it, too
  translate(document.body);
  new MutationObserver((changes) => {
    for (const { type, target, addedNodes } of changes) {
      if (type === "childList") addedNodes.forEach(translate);
      else if (type === "characterData") translateText(target);
      else translateAttributes(target);
    }
  }).observe(document.body, {
    attributeFilter: ATTRIBUTES,
    characterData: true,
    childList: true,
    subtree: true,
  });
}
