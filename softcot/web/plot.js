// Draws the figure in `props.value`. Runs after figures.js inside a gr.HTML component, which
// provides `element`, `props` and `watch`.
const config = {
  scrollZoom: false, // the wheel belongs to the page
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "toImage"],
  displayModeBar: props.toolbar ? "hover" : false,
};
const read = (theme) => props.value && JSON.parse(accented(props.value, theme));
const place = element.querySelector(".plot-place");
const draw = drawFigure(place, read, config);
watch("value", () => {
  place.classList.toggle("blank", !props.value);
  draw();
  // Plotly's own listener lives as long as what it has drawn.
  if (place.removeAllListeners) place.removeAllListeners("plotly_click");
  place.on?.("plotly_click", ({ points: [point] }) => {
    if (Number.isInteger(point.customdata)) trigger("select", { index: point.customdata });
  });
});
