// The whole: what is drawn when, the theme, the task.
const table = runTable(byId("run-table"));

function drawAll() {
  drawLegend();
  drawTask();
  pretrainCurves.refresh();
}

function drawTask() {
  for (const part of document.querySelectorAll("[data-task]")) part.hidden = part.dataset.task !== task();
  drawFrames();
  transferCurves.refresh();
  chooseExamples();
}

byId("theme").addEventListener("click", () => {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  drawAll();
});
if (byId("task")) byId("task").addEventListener("change", drawTask);
document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
byId("curves").hidden = !data.runs.arm.some((label, row) => label && hasCurves(row));
table.build();
table.update();
drawAll();
document.documentElement.dataset.ready = "true";
