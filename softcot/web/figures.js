// Prelude of every script that draws: runs inside a gr.HTML component, which provides `props`.
// Nothing that is drawn leaves the page: Plotly would offer to upload it.
const PLOTLY = { displaylogo: false, showSendToCloud: false, plotlyServerURL: "" };

// A figure's JSON with the accent of the theme.
function accented(text, theme) {
  if (theme === "dark")
    for (const [light, dark] of Object.entries(props.dark_accents ?? {}))
      text = text.replaceAll(light, dark);
  return text;
}

// Draws the figure that `read` gives for a theme, in that of the page and as wide as its place,
// and calls `drawn` after each time.
function drawFigure(place, read, config, drawn = () => {}) {
  function draw() {
    if (!place.clientWidth) return; // in a hidden tab; its size is observed below
    if (!window.Plotly) {
      // Another component of the page has begun to load it.
      const script = [...document.scripts].find((one) => one.src.endsWith("plotly.min.js"));
      script.addEventListener("load", draw, { once: true });
      return;
    }
    const theme = document.body.classList.contains("dark") ? "dark" : "light";
    const figure = read(theme);
    if (!figure) return;
    figure.layout.template = JSON.parse(props.templates)[theme];
    Plotly.react(place, figure.data, figure.layout, { ...PLOTLY, ...config });
    drawn();
  }
  new ResizeObserver(draw).observe(place);
  new MutationObserver(draw).observe(document.body, { attributeFilter: ["class"] });
  return draw;
}

