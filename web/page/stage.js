// The picture: the photo and the packshot under one slider, or why there is none.

const stage = document.getElementById("stage");
const compare = document.getElementById("compare");
const original = document.getElementById("original");
const result = document.getElementById("result");
const slider = document.getElementById("slider");
const failure = document.getElementById("failure");
const download = document.getElementById("download");

slider.addEventListener("input", () => {
  compare.style.setProperty("--at", `${slider.value}%`);
  slider.setAttribute("aria-valuetext", `${slider.value} % photo`);
});
// Browsers do not show every format that the service reads.
original.addEventListener("error", () => compare.classList.add("single"));
original.addEventListener("load", () => compare.classList.remove("single"));

/** Shows a job as it stands. */
export function show(job) {
  stage.dataset.state = job.state === "done" || job.state === "failed" ? job.state : "busy";
  failure.hidden = job.state !== "failed";
  failure.textContent = job.state === "failed" ? job.reason : "";
  compare.hidden = !job.shot || job.state === "failed";
  if (original.src !== job.photoUrl) {
    original.src = job.photoUrl;
    original.alt = `The photo ${job.name}`;
  }
  if (job.shot && result.src !== job.shotUrl) {
    result.src = job.shotUrl;
    result.alt = `The packshot of ${job.name}`;
  }
  compare.classList.toggle("alpha", job.shot?.look.background === "transparent");
  offerDownload(job);
}

function offerDownload(job) {
  const ready = job.state === "done";
  download.setAttribute("aria-disabled", String(!ready));
  if (ready) {
    download.href = job.shotUrl;
    download.download = fileName(job);
  } else {
    download.removeAttribute("href");
    download.removeAttribute("download");
  }
}

function fileName(job) {
  const suffix = job.shot.format === "jpeg" ? "jpg" : job.shot.format;
  return `${job.name.replace(/\.[^.]*$/, "")}-packshot.${suffix}`;
}
