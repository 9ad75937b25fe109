// What the page asks the service for.

/** An answer without a picture; its message is the service's own. */
export class Refusal extends Error {
  constructor(message, status) {
    super(message);
    this.wantsKey = status === 403;
  }
}

export async function fetchChoices(key) {
  return answered(await fetch("/api/choices", { headers: withKey(key) }));
}

/** Renders one photo; `look` holds the fields of the form, `signal` gives it up. */
export async function render(photo, look, key, signal) {
  const form = new FormData();
  form.append("photo", photo, "photo");
  for (const [name, value] of Object.entries(look)) form.append(name, value);
  const options = { method: "POST", body: form, headers: withKey(key), signal };
  const shot = await answered(await fetch("/api/render", options));
  const bytes = Uint8Array.from(atob(shot.picture_b64), (char) => char.charCodeAt(0));
  delete shot.picture_b64;
  return { ...shot, look, file: new Blob([bytes], { type: shot.media_type }) };
}

function withKey(key) {
  return key ? { "X-Api-Key": key } : {};
}

async function answered(response) {
  let body = null;
  try {
    body = await response.json();
  } catch {
    throw new Refusal(`the service answered ${response.status}`, response.status);
  }
  if (!response.ok) {
    const detail = body.errors?.[0]?.detail ?? `status ${response.status}`;
    throw new Refusal(detail, response.status);
  }
  return body;
}
