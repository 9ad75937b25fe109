// The page: photos in by drop, paste or choice; everything else is in the modules beside.

import { fetchChoices } from "/page/api.js";
import { askForKey, key, look, offer, onChange } from "/page/look.js";
import { Queue } from "/page/queue.js";
import { element, report } from "/page/report.js";
import { show } from "/page/stage.js";

const byId = (id) => document.getElementById(id);
const stage = byId("stage");
const queue = new Queue(look, key, changed);
const items = new Map();
let selected = null;
let maxBytes = Infinity;

function take(files) {
  const photos = [...files];
  if (!photos.length) return;
  const jobs = photos.map((photo) => queue.add(photo));
  for (const job of jobs) {
    if (job.photo.size > maxBytes) {
      const megabytes = (maxBytes / 2 ** 20).toFixed(0);
      queue.set(job, { state: "failed", reason: `${job.name} is larger than ${megabytes} MiB.` });
    }
  }
  select(jobs[0]);
  queue.run(jobs[0]);
}

function select(job) {
  selected = job;
  for (const [other, item] of items) item.setAttribute("aria-current", String(other === job));
  show(job);
  report(job.state === "failed" ? null : job.shot);
  tell(job);
}

function changed(job) {
  writeItem(job);
  byId("queue-area").hidden = queue.jobs.length < 2;
  byId("progress").max = queue.jobs.length || 1;
  byId("progress").value = queue.finished;
  if (job === selected) select(job);
}

function tell(job) {
  const words = {
    waiting: `${job.name} waits.`,
    rendering: `${job.name} is being rendered.`,
    failed: `${job.name} could not be rendered.`,
  };
  const done = () => `${job.name} was rendered in ${Math.round(job.shot.stages_s.total * 1000)} ms.`;
  byId("status").textContent = words[job.state] ?? done();
}

function writeItem(job) {
  let button = items.get(job);
  if (!button) {
    button = element("button");
    button.type = "button";
    const picture = element("img");
    picture.alt = "";
    picture.addEventListener("error", () => picture.classList.add("unseen"));
    picture.addEventListener("load", () => picture.classList.remove("unseen"));
    button.append(picture, element("span", job.name), element("span", "", "state"));
    button.addEventListener("click", () => select(job));
    const item = element("li");
    item.append(button);
    byId("queue").append(item);
    items.set(job, button);
  }
  const source = job.shotUrl || job.photoUrl;
  const picture = button.querySelector("img");
  if (button.dataset.source !== source) {
    button.dataset.source = source;
    picture.src = source;
  }
  button.classList.toggle("failed", job.state === "failed");
  button.querySelector(".state").textContent = job.state;
}

byId("files").addEventListener("change", ({ target }) => {
  take(target.files);
  target.value = "";
});
addEventListener("paste", ({ clipboardData }) => take(clipboardData?.files ?? []));
addEventListener("dragover", (event) => {
  event.preventDefault();
  stage.classList.add("over");
});
addEventListener("dragleave", ({ relatedTarget }) => {
  if (!relatedTarget) stage.classList.remove("over");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  stage.classList.remove("over");
  take(event.dataTransfer?.files ?? []);
});
onChange(
  () => selected && queue.follow(selected),
  async () => {
    await learnChoices();
    if (selected) queue.restart(selected);
  },
);

async function learnChoices() {
  if (maxBytes < Infinity) return;
  try {
    const choices = await fetchChoices(key());
    offer(choices);
    maxBytes = choices.max_photo_bytes;
    byId("limits").textContent += `, at most ${(maxBytes / 2 ** 20).toFixed(0)} MiB`;
    byId("status").textContent = "No photo yet.";
  } catch (error) {
    if (error.wantsKey) askForKey();
    byId("status").textContent = error.wantsKey
      ? "The service wants an API key."
      : `The service does not answer: ${error.message}`;
  }
}

await learnChoices();
document.documentElement.dataset.ready = "true";
