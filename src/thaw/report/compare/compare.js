// The page of two studies: figures, legend, theme, task.
function drawAll() {
  drawLegend();
  for (const part of document.querySelectorAll("[data-task]")) part.hidden = part.dataset.task !== task();
  drawFrames();
}

byId("theme").addEventListener("click", () => {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  drawAll();
});
byId("task").addEventListener("change", drawAll);
document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
drawAll();
document.documentElement.dataset.ready = "true";
