// Draws the figure in `props.value`. Runs after figures.js inside a gr.HTML component, which
// provides `element`, `props` and `watch`.
const config = {
  scrollZoom: false, // the wheel belongs to the page
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "toImage"],
  displayModeBar: props.toolbar ? "hover" : false,
};
const read = (theme) => props.value && JSON.parse(accented(props.value, theme));
watch("value", drawFigure(element.querySelector(".plot-place"), read, config));
