// The controls, and what they say to the service.

const controls = document.getElementById("controls");

/** Fills in what the service offers. */
export function offer(choices) {
  const { preset, background, format } = controls.elements;
  preset.append(...choices.presets.map(({ name }) => new Option(name, name)));
  const scenes = document.createElement("optgroup");
  scenes.label = "Scenes";
  scenes.append(...choices.scenes.map((name) => new Option(name, `scene:${name}`)));
  background.append(scenes);
  format.append(...choices.formats.map((name) => new Option(name.toUpperCase(), name)));
}

export function key() {
  return controls.elements.key.value.trim();
}

/** The look as the fields of a render; what is left open is left out. */
export function look() {
  const { preset, background, color, frame, margin, size, shadow, format } = controls.elements;
  const fields = {
    preset: preset.value,
    background: background.value === "color" ? color.value : background.value,
    square: frame.value === "square" ? "true" : "",
    crop: frame.value === "crop" ? "true" : "",
    margin: margin.value.trim(),
    size: size.value,
    shadow: shadow.value,
    format: format.value,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value));
}

/** Asks for a key, where the service wants one. */
export function askForKey() {
  controls.querySelector("details").open = true;
}

/** Calls `changed` once the controls have come to rest, and `keyChanged` after another key. */
export function onChange(changed, keyChanged) {
  let timer = 0;
  controls.addEventListener("input", ({ target }) => {
    const { background } = controls.elements;
    document.getElementById("color-field").hidden = background.value !== "color";
    if (target.name === "key") return;
    clearTimeout(timer);
    timer = setTimeout(() => controls.checkValidity() && changed(), 300);
  });
  controls.elements.key.addEventListener("change", keyChanged);
  controls.addEventListener("submit", (event) => event.preventDefault());
}
