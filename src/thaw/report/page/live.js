// A watched page looks at stamp.js beside it and reloads when that has changed; what was chosen stays chosen.
const KEPT = "thaw-live";
let firstStamp = null;

function thawStamp(stamp) {
  if (firstStamp === null) firstStamp = stamp;
  else if (stamp !== firstStamp) {
    const chosen = Object.fromEntries([...document.querySelectorAll("select[id]")].map((one) => [one.id, one.value]));
    const kept = { chosen, theme: document.documentElement.dataset.theme, top: window.scrollY, off: [...switchedOff] };
    sessionStorage.setItem(KEPT, JSON.stringify(kept));
    location.reload();
  }
}

function restore() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) || "null");
  if (!kept) return;
  document.documentElement.dataset.theme = kept.theme;
  for (const label of kept.off) switchedOff.add(label);
  const set = (id) => {
    const select = byId(id);
    const has = select && [...select.options].some((one) => one.value === kept.chosen[id]);
    if (has && select.value !== kept.chosen[id]) {
      select.value = kept.chosen[id];
      select.dispatchEvent(new Event("change"));
    }
  };
  set("task");
  drawAll();
  Object.keys(kept.chosen).forEach(set);
  window.scrollTo(0, kept.top);
}

function look() {
  const script = make("script", { src: `stamp.js?${Date.now()}` });
  script.addEventListener("load", () => script.remove());
  script.addEventListener("error", () => script.remove());
  document.head.append(script);
}

restore();
look();
setInterval(look, 3000);
