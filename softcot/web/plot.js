// Draws the figure in `props.value`. Runs after figures.js inside a gr.HTML component, which
// provides `element`, `props` and `watch`.
const config = {
  scrollZoom: false, // the wheel belongs to the page
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "toImage"],
  displayModeBar: props.toolbar ? "hover" : false,
};
// Figures that show thoughts say in `meta` how: as the points of a trace, or as columns of cells.
const read = (theme) => {
  if (!props.value) return;
  const figure = JSON.parse(accented(props.value, theme));
  const picked = Number(document.body.dataset.thought) || 0;
  const { ink, accent } = JSON.parse(props.templates)[theme].layout.meta;
  for (const trace of picked ? figure.data : []) {
    if (trace.meta !== "thoughts") continue;
    const each = (here, others) => trace.x.map((_, place) => (place + 1 === picked ? here : others));
    trace.marker = { ...trace.marker, color: each(ink, accent), opacity: each(1, 0.45) };
    if (trace.type === "scatter3d") delete trace.marker.opacity; // of one value, in space
  }
  if (picked && figure.layout.meta === "columns" && figure.data[0].x.includes(picked)) {
    const edges = { x0: picked - 0.5, x1: picked + 0.5, y0: 0, y1: 1, yref: "paper" };
    figure.layout.shapes = [{ type: "rect", line: { color: ink, width: 2 }, ...edges }];
  }
  return figure;
};
const place = element.querySelector(".plot-place");
const draw = drawFigure(place, read, config, () => {
  place.removeAllListeners("plotly_click"); // Plotly's own listeners outlive what is drawn
  place.on("plotly_click", pick);
});
document.addEventListener("thought", () => setTimeout(draw)); // once it is marked
// What was measured of another pair is gone; the map of the thoughts gets those of this one.
if (!props.toolbar) document.addEventListener("pair", () => (props.value = ""));
watch("value", () => {
  place.classList.toggle("blank", !props.value);
  draw();
});

function pick({ points: [point] }) {
  const columns = place.layout.meta === "columns";
  const thought = columns ? point.x : point.data.meta === "thoughts" && point.pointNumber + 1;
  if (thought) document.dispatchEvent(new CustomEvent("thought", { detail: thought }));
  else if (Number.isInteger(point.customdata)) trigger("select", { index: point.customdata });
}
