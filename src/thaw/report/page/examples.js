// Test examples under two strategies, side by side. Texts are text: nothing of them is ever HTML.
const KINDS = [["differ", "where one is right"], ["left", "only left is right"], ["right", "only right is right"], ["wrong", "both wrong"], ["all", "all recorded here"]];

function chooseExamples() {
  const section = byId("examples");
  if (!section) return;
  const found = data.examples[task()];
  section.hidden = !found;
  if (!found) return;
  const arms = found.arms.map((label, place) => [String(place), label]);
  const [left, right] = [byId("example-left"), byId("example-right")];
  if (left.dataset.task !== task()) {
    fillSelect(left, arms, "");
    fillSelect(right, arms, "");
    [left.value, right.value] = found.shown.map(String);
    left.dataset.task = task();
  }
  if (!byId("example-kind").options.length) fillSelect(byId("example-kind"), KINDS, "differ");
  drawExamples(found, Number(left.value), Number(right.value), byId("example-kind").value);
}

function drawExamples(found, left, right, kind) {
  const fits = (sample) => {
    const [a, b] = [sample.right[left], sample.right[right]];
    return { differ: a !== b, left: a && !b, right: b && !a, wrong: !a && !b, all: true }[kind];
  };
  const rows = found.samples.filter(fits);
  const names = [found.arms[left], found.arms[right]];
  const counts = found.pairs[`${left},${right}`] || swap(found.pairs[`${right},${left}`]) || null;
  const told = counts ? `Of ${found.total} test examples both are right on ${counts[0]}, only ${names[0]} on ${counts[1]}, only ${names[1]} on ${counts[2]}, none on ${counts[3]}. ` : "";
  byId("example-count").textContent = `${told}${rows.length} of the ${found.samples.length} recorded here are shown: ${found.size} labels, seed ${found.seed}.`;
  const head = make("tr");
  for (const name of ["test example", "label", ...names]) head.append(make("th", { scope: "col", textContent: name }));
  const body = rows.map((sample) => {
    const line = make("tr", {}, make("td", { className: "sample" }, sampleText(sample, left, right)));
    if (sample.text && sample.text.tokens) {
      line.append(make("td", { className: "sample", textContent: spans(sample.text.tokens, sample.label) }));
      for (const place of [left, right]) line.append(answer(spans(sample.text.tokens, sample.answers[place]), sample.right[place]));
    } else {
      line.append(make("td", { className: "sample", textContent: shownAnswer(sample.label) }));
      for (const place of [left, right]) line.append(answer(shownAnswer(sample.answers[place]), sample.right[place]));
    }
    return line;
  });
  byId("example-table").replaceChildren(make("thead", {}, head), make("tbody", {}, ...body));
}

const swap = (counts) => counts && [counts[0], counts[2], counts[1], counts[3]];
const shownAnswer = (value) => (Array.isArray(value) ? [...new Set(value)].slice(0, 3).join(" / ") || "no answer" : shownValue(value));

function answer(text, right) {
  return make("td", { className: right ? "sample right" : "sample wrong" }, make("span", { className: "mark", textContent: right ? "✓ " : "✗ ", "aria-label": right ? "right" : "wrong", role: "img" }), text);
}

function sampleText(sample, left, right) {
  const number = make("span", { className: "count", textContent: `#${sample.number + 1} ` });
  if (!sample.text) return make("p", {}, number, make("span", { className: "quiet", textContent: "text not recorded" }));
  const { tokens } = sample.text;
  if (!tokens) {
    const parts = Object.values(sample.text).filter((one) => typeof one === "string");
    return make("div", {}, ...parts.map((one, place) => make("p", {}, ...(place ? [one] : [number, one]))));
  }
  const words = tokens.map((token, place) => {
    const differs = [left, right].some((arm) => sample.answers[arm][place] !== sample.label[place]);
    return make(differs ? "mark" : "span", { textContent: `${token} ` });
  });
  return make("p", {}, number, ...words);
}

function spans(tokens, tags) { // "Paris (LOC), Ann Lee (PER)" for tags of entities, else the tags
  const found = [];
  tokens.forEach((token, place) => {
    const tag = tags[place] || "O";
    if (tag === "O") return;
    const kind = tag.replace(/^[BI]-/, "");
    const last = found[found.length - 1];
    if (tag.startsWith("I-") && last && last.end === place && last.kind === kind) {
      last.words.push(token);
      last.end += 1;
    } else found.push({ words: [token], kind, end: place + 1 });
  });
  if (found.length > 0.7 * tokens.length) return tags.slice(0, tokens.length).join(" ");
  return found.map((one) => `${one.words.join(" ")} (${one.kind})`).join(", ") || "none";
}

for (const id of ["example-left", "example-right", "example-kind"]) if (byId(id)) byId(id).addEventListener("change", chooseExamples);
