// The verdict rule by rule, and the time by stage.

const byId = (id) => document.getElementById(id);

/** Writes what is known of a packshot; null clears it. */
export function report(shot) {
  writeVerdict(shot?.verdict ?? null);
  byId("facts").hidden = !shot;
  if (shot) writeTimes(shot);
}

function writeVerdict(verdict) {
  byId("verdict").hidden = !verdict;
  if (!verdict) return;
  const summary = byId("verdict-summary");
  summary.className = verdict.complies ? "summary-good" : "summary-bad";
  summary.textContent = `${verdict.complies ? "Complies" : "Does not comply"} with ${verdict.preset}`;
  byId("checks").replaceChildren(...verdict.checks.map(checkItem));
}

function checkItem(check) {
  const [word, style] = check.passed
    ? ["Kept", "kept"]
    : check.required
      ? ["Broken", "broken"]
      : ["Advice", "advice"];
  const item = element("li");
  const what = element("span");
  what.append(element("strong", check.rule.replaceAll("-", " ")), " ", element("span", figures(check), "measured"));
  item.append(element("span", word, `mark ${style}`), what, element("p", check.explanation));
  return item;
}

function figures({ measured, at_least: least, at_most: most, unit }) {
  if (!unit) return "";
  const bounds = [least === null ? "" : `at least ${round(least)}`, most === null ? "" : `at most ${round(most)}`];
  return `${round(measured)} ${unit} (${bounds.filter(Boolean).join(", ")})`;
}

function round(value) {
  return value.toLocaleString("en", { maximumFractionDigits: 2 });
}

function writeTimes({ stages_s: stages, notes, width_px: width, height_px: height, file, confidence, model }) {
  const parts = Object.entries(stages).filter(([name, seconds]) => name !== "total" && seconds > 0);
  const whole = parts.reduce((sum, [, seconds]) => sum + seconds, 0) || 1;
  byId("bar").replaceChildren(
    ...parts.map(([, seconds]) => {
      const piece = element("i");
      piece.style.width = `${(100 * seconds) / whole}%`;
      return piece;
    }),
  );
  const rows = [
    ...parts.map(([name, seconds]) => [name, `${Math.round(seconds * 1000)} ms`]),
    ["picture", `${width} × ${height} px, ${Math.round(file.size / 1000)} kB`],
    ["cut", `${model || "the photo's own"}, ${Math.round(confidence * 100)} % sure`],
    ["total", `${Math.round(stages.total * 1000)} ms`],
  ];
  byId("times").replaceChildren(
    ...rows.map(([name, value]) => {
      const row = element("tr");
      const head = element("th", name);
      head.scope = "row";
      row.append(head, element("td", value));
      return row;
    }),
  );
  byId("notes").hidden = !notes.length;
  byId("notes").replaceChildren(...notes.map((note) => element("li", note)));
}

export function element(name, text = "", style = "") {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (style) made.className = style;
  return made;
}
