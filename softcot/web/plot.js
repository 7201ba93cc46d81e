// Draws the figure in `props.value`. Runs after figures.js inside a gr.HTML component, which
// provides `element`, `props` and `watch`.
const config = {
  scrollZoom: false, // the wheel belongs to the page
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "toImage"],
};
const read = () => props.value && JSON.parse(props.value);
watch("value", drawFigure(element.querySelector(".thought-map"), read, config));
