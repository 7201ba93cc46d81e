// Draws the figure in `props.value` in the theme of the page. Runs inside a gr.HTML component,
// which provides `element`, `props` and `watch`.
const place = element.querySelector(".thought-map");
const config = {
  responsive: true,
  displaylogo: false,
  scrollZoom: false, // the wheel belongs to the page
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "toImage"],
};

function draw() {
  if (!props.value) return;
  const figure = JSON.parse(props.value);
  const theme = document.body.classList.contains("dark") ? "dark" : "light";
  figure.layout.template = JSON.parse(props.templates)[theme];
  Plotly.react(place, figure.data, figure.layout, config);
}

watch("value", draw);
new MutationObserver(draw).observe(document.body, { attributeFilter: ["class"] });
draw();
