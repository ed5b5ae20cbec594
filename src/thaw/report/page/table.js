// The table of runs: sort, filter, group by any column.
const AVERAGED = new Set(["dev", "test", "seconds"]); // numbers that are results: a group shows their mean

function matches(value, query) {
  const text = value === null ? "" : String(value).toLowerCase();
  const wanted = query.trim().toLowerCase();
  const comparison = wanted.match(/^(>=|<=|>|<)\s*(-?\d*\.?\d+(?:e[+-]?\d+)?)$/);
  if (comparison) {
    if (typeof value !== "number") return false;
    const bound = Number(comparison[2]);
    return { ">": value > bound, "<": value < bound, ">=": value >= bound, "<=": value <= bound }[comparison[1]];
  }
  if (wanted.startsWith("=")) return text === wanted.slice(1).trim() || (typeof value === "number" && value === Number(wanted.slice(1)));
  if (wanted.startsWith("!") && wanted.length > 1) return !text.includes(wanted.slice(1));
  return text.includes(wanted);
}

function compare(one, other) { // numbers, then words, then nothing: in both directions
  const kind = (value) => (value === null || value === "" ? 2 : typeof value === "number" ? 0 : 1);
  if (kind(one) !== kind(other)) return { order: kind(one) - kind(other), fixed: true };
  if (kind(one) === 0) return { order: one - other };
  return { order: String(one).localeCompare(String(other), undefined, { numeric: true }) };
}

function runTable(element) {
  const filters = new Map();
  const open = new Set(); // keys of groups whose runs are shown
  const base = data.runs.columns.length;
  const names = [...data.runs.columns, ...data.runs.config_keys];
  let sorted = { column: null, direction: 1 };
  let order = data.runs.rows.map((_, row) => row);
  let lines = [];
  const columns = () => names.map((_, column) => column).filter((column) => column < base || byId("config-columns").checked);
  const value = (row, column) => (column < base ? data.runs.rows[row][column] : data.runs.config[row][column - base]);
  const isShown = (row) => [...filters].every(([column, query]) => matches(value(row, column), query));
  const shown = () => order.filter(isShown);
  const groupedBy = () => ["group-by", "group-then"].map((id) => byId(id).value).filter((one) => one !== "").map(Number);

  function build() {
    const head = make("tr");
    for (const column of columns()) {
      const button = make("button", { type: "button", textContent: names[column] });
      button.addEventListener("click", () => sort(column));
      const field = make("input", { type: "search", value: filters.get(column) || "", "aria-label": `filter ${names[column]}` });
      field.addEventListener("input", () => {
        if (field.value.trim()) filters.set(column, field.value);
        else filters.delete(column);
        update();
      });
      head.append(make("th", { scope: "col" }, button, field));
    }
    lines = data.runs.rows.map((_, row) => {
      const line = make("tr", { className: data.runs.state[row] });
      for (const column of columns()) {
        const one = value(row, column);
        line.append(make("td", { textContent: shownValue(one), title: one === null ? "" : String(one), className: typeof one === "number" ? "number" : "" }));
      }
      return line;
    });
    element.replaceChildren(make("thead", {}, head), make("tbody"));
    place();
  }

  function place() {
    const body = element.tBodies[0];
    if (groupedBy().length) body.replaceChildren(...groups().flatMap((group) => [groupLine(group), ...group.rows.map((row) => lines[row])]));
    else body.replaceChildren(...order.map((row) => lines[row]));
    const shownColumns = columns();
    [...element.tHead.rows[0].cells].forEach((cell, number) => {
      const here = shownColumns[number] === sorted.column;
      cell.setAttribute("aria-sort", !here ? "none" : sorted.direction > 0 ? "ascending" : "descending");
      cell.querySelector("button").textContent = names[shownColumns[number]] + (!here ? "" : sorted.direction > 0 ? " ▲" : " ▼");
    });
    hide();
  }

  function groups() {
    const by = groupedBy();
    const found = new Map();
    for (const row of shown()) {
      const values = by.map((column) => value(row, column));
      const key = JSON.stringify(values);
      if (!found.has(key)) found.set(key, { key, values, rows: [] });
      found.get(key).rows.push(row);
    }
    const first = new Map(); // words stay in the order of the rows: strategies from scratch to full
    for (const group of found.values()) group.values.forEach((one, i) => { if (!first.has(`${i} ${one}`)) first.set(`${i} ${one}`, first.size); });
    const column = sorted.column;
    const merit = (group, i) => (column === null || by.includes(column) ? group.values[i] : summary(group, column).sort);
    const places = column === null ? by.map((_, i) => i) : [Math.max(0, by.indexOf(column))];
    return [...found.values()].sort((one, other) => {
      for (const i of places) {
        const words = column === null && typeof one.values[i] === "string" && typeof other.values[i] === "string";
        if (words && one.values[i] !== other.values[i]) return first.get(`${i} ${one.values[i]}`) - first.get(`${i} ${other.values[i]}`);
        const result = compare(merit(one, i), merit(other, i));
        const sign = result.fixed || column === null ? 1 : sorted.direction;
        if (result.order) return sign * result.order;
      }
      return 0;
    });
  }

  // What a group shows in a column: its common value, the mean of a result, or how many values there are.
  function summary(group, column) {
    const all = group.rows.map((row) => value(row, column));
    const distinct = new Set(all.map((one) => JSON.stringify(one)));
    const numbers = all.filter((one) => typeof one === "number");
    if (AVERAGED.has(names[column]) && column < base && numbers.length) {
      const mean = numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
      const fewer = numbers.length < all.length ? ` (n = ${numbers.length})` : "";
      return { text: shownValue(mean) + fewer, sort: mean, title: `mean of ${numbers.length}`, number: true };
    }
    if (distinct.size === 1) return { text: shownValue(all[0]), sort: all[0], title: "", number: typeof all[0] === "number" };
    return { text: `${distinct.size} values`, sort: distinct.size, title: "", quiet: true };
  }

  function groupLine(group) {
    const by = groupedBy();
    const label = by.map((column, i) => `${names[column]} ${shownValue(group.values[i])}`).join(", ");
    const isOpen = open.has(group.key);
    const button = make("button", { type: "button", "aria-expanded": String(isOpen), "aria-label": `${label}: ${group.rows.length} runs` });
    const short = group.values.map((one, i) => (typeof one === "string" && one ? one : `${names[by[i]]} ${shownValue(one)}`)).join(", ");
    button.append(`${isOpen ? "▾" : "▸"} ${short}`, make("span", { className: "count", textContent: ` n = ${group.rows.length}` }));
    button.addEventListener("click", () => {
      if (!open.delete(group.key)) open.add(group.key);
      place();
      [...element.querySelectorAll("tr.group button")].find((one) => one.getAttribute("aria-label").startsWith(`${label}: `))?.focus();
    });
    const line = make("tr", { className: "group" }, make("th", { scope: "rowgroup" }, button));
    for (const column of columns().slice(1)) {
      const told = summary(group, column);
      line.append(make("td", { textContent: told.text, title: told.title, className: told.number ? "number" : told.quiet ? "quiet" : "" }));
    }
    return line;
  }

  function sort(column) {
    sorted = { column, direction: sorted.column === column ? -sorted.direction : 1 };
    order = data.runs.rows.map((_, row) => row).sort((one, other) => {
      const result = compare(value(one, column), value(other, column));
      return (result.fixed ? result.order : sorted.direction * result.order) || one - other;
    });
    place();
    update();
  }

  function hide() {
    const by = groupedBy();
    for (const row of order) {
      const closed = by.length > 0 && !open.has(JSON.stringify(by.map((column) => value(row, column))));
      lines[row].hidden = closed || !isShown(row);
    }
  }

  let timer = 0;
  function update() {
    if (groupedBy().length) place();
    else hide();
    const count = shown().length;
    byId("run-count").textContent = `${count} of ${order.length} runs`;
    clearTimeout(timer);
    timer = setTimeout(() => { transferCurves.refresh(); pretrainCurves.refresh(); }, 150);
  }

  function regroup() {
    open.clear();
    byId("expand").parentElement.hidden = groupedBy().length === 0;
    byId("expand").checked = false;
    byId("group-then").parentElement.hidden = byId("group-by").value === "";
    if (byId("group-by").value === "") byId("group-then").value = "";
    place();
    update();
  }

  const choices = names.map((name, column) => [String(column), column < base ? name : `setting ${name}`]);
  fillSelect(byId("group-by"), [["", "nothing"], ...choices], "");
  fillSelect(byId("group-then"), [["", "nothing"], ...choices], "");
  for (const id of ["group-by", "group-then"]) byId(id).addEventListener("change", regroup);
  byId("expand").addEventListener("change", () => {
    open.clear();
    if (byId("expand").checked) for (const group of groups()) open.add(group.key);
    place();
  });
  byId("clear").addEventListener("click", () => {
    filters.clear();
    build();
    update();
  });
  byId("config-columns").addEventListener("change", () => {
    for (const column of filters.keys()) if (column >= base) filters.delete(column);
    if (sorted.column >= base) sorted = { column: null, direction: 1 };
    build();
    update();
  });
  return { build, update, shown };
}
