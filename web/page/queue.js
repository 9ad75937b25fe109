// Photos on their way: two at once, the selected one first.

import { render } from "/page/api.js";

const AT_ONCE = 2;

export class Queue {
  /** `changed` is called with a job whenever it has changed. */
  constructor(look, key, changed) {
    this.jobs = [];
    this.look = look;
    this.key = key;
    this.changed = changed;
    this.running = new Map();
  }

  add(photo) {
    const job = {
      photo,
      name: photo.name || "pasted photo",
      photoUrl: URL.createObjectURL(photo),
      state: "waiting",
      asked: "",
      shot: null,
      shotUrl: "",
      reason: "",
    };
    this.jobs.push(job);
    this.changed(job);
    return job;
  }

  /** Renders all anew, the given one first, unless all were asked for with the look as it is. */
  follow(first) {
    const asked = JSON.stringify(this.look());
    if (this.jobs.some((job) => job.asked && job.asked !== asked)) this.restart(first);
  }

  /** Renders all anew, the given one first. */
  restart(first) {
    for (const control of this.running.values()) control.abort();
    this.running.clear();
    for (const job of this.jobs) this.set(job, { state: "waiting" });
    this.run(first);
  }

  run(first = null) {
    while (this.running.size < AT_ONCE) {
      const waits = (job) => job.state === "waiting";
      const job = first && waits(first) ? first : this.jobs.find(waits);
      if (!job) return;
      this.start(job);
    }
  }

  get finished() {
    return this.jobs.filter(({ state }) => state === "done" || state === "failed").length;
  }

  async start(job) {
    const control = new AbortController();
    this.running.set(job, control);
    this.set(job, { state: "rendering" });
    const look = this.look();
    job.asked = JSON.stringify(look);
    try {
      const shot = await render(job.photo, look, this.key(), control.signal);
      if (this.running.get(job) !== control) return;
      if (job.shotUrl) URL.revokeObjectURL(job.shotUrl);
      this.running.delete(job);
      this.set(job, { state: "done", shot, shotUrl: URL.createObjectURL(shot.file), reason: "" });
    } catch (error) {
      if (this.running.get(job) !== control) return;
      this.running.delete(job);
      this.set(job, { state: "failed", shot: null, reason: error.message });
    }
    this.run();
  }

  set(job, change) {
    Object.assign(job, change);
    this.changed(job);
  }
}
