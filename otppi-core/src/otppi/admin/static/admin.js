"use strict";
// What a page does beyond HTML: each of these is a convenience, and the page works without it.

/** Shows and hides a password: `data-reveal="Show|Hide"`. */
function revealable(input) {
  const [show, hide] = input.dataset.reveal.split("|");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "reveal";
  button.textContent = show;
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    const hidden = input.type === "password";
    input.type = hidden ? "text" : "password";
    button.textContent = hidden ? hide : show;
    button.setAttribute("aria-pressed", String(hidden));
  });
  const row = document.createElement("div");
  row.className = "with-button";
  input.replaceWith(row);
  row.append(input, button);
  if (input.autofocus) input.focus();
}

/** Selects what is to be copied, and copies it where the browser lets us: `data-copy="#id"`. */
function copying(button) {
  const source = document.querySelector(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", async () => {
    const range = document.createRange();
    range.selectNodeContents(source);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    // By HTTP there is no clipboard; the older command still is.
    const done = navigator.clipboard
      ? await navigator.clipboard.writeText(source.textContent).then(() => true, () => false)
      : document.execCommand("copy");
    if (done) button.textContent = button.dataset.done;
  });
}

/** Asks before a form is sent: `data-confirm="Remove it?"`. */
function asking(form) {
  form.addEventListener("submit", (event) => {
    if (!confirm(form.dataset.confirm)) event.preventDefault();
  });
}

/** Asks before a button does what it does: `data-confirm="Delete it?"`. */
function confirming(button) {
  button.addEventListener("click", (event) => {
    if (!confirm(button.dataset.confirm)) event.preventDefault();
  });
}

/** Chooses all of a form's check boxes of a name at once, or none: `data-all="id"`. */
function choosing(label) {
  const all = label.querySelector("input");
  const each = label.closest("form").querySelectorAll(`input[name="${label.dataset.all}"]`);
  label.hidden = each.length < 2;
  all.addEventListener("change", () => each.forEach((one) => { one.checked = all.checked; }));
}

/**
 * Tells how many SMS a text takes while it is typed (3GPP TS 23.038 6.1.2.1, 23.040 9.2.3.24.1): `data-count="#field"`.
 * The text goes nowhere. An escaped character, or a pair of UTF-16, is not cut in two.
 */
function counting(shown) {
  const field = document.querySelector(shown.dataset.count);
  const { alphabet, extension, said } = shown.dataset;
  const septets = (sign) => alphabet.includes(sign) || sign === "\n" ? 1 : extension.includes(sign) ? 2 : 0;
  const tell = () => {
    const signs = [...field.value];
    const inSeptets = signs.every(septets);
    const sizes = signs.map(inSeptets ? septets : (sign) => sign.length);
    const [alone, part] = inSeptets ? [160, 153] : [70, 67];
    let [segments, used] = [1, sizes.reduce((sum, one) => sum + one, 0)];
    let left = alone - used;
    if (left < 0) {
      used = 0;
      for (const one of sizes) {
        if (used + one > part) [segments, used] = [segments + 1, 0];
        used += one;
      }
      left = part - used;
    }
    shown.textContent = said.replace("{segments}", segments).replace("{left}", left);
    shown.hidden = !signs.length;
  };
  field.addEventListener("input", tell);
  tell();
}

/** Whether something was typed or chosen in a part of the page. */
function filled(part) {
  return [...part.querySelectorAll("input, textarea")].some((one) => one.type === "checkbox"
    ? one.checked !== one.defaultChecked : one.type !== "hidden" && one.value !== one.defaultValue);
}

/** Whether somebody is at work in a part of the page: it has the focus, or something typed or chosen in it. */
const worked = (part) => part.contains(document.activeElement) || filled(part);

/**
 * Looks again at what goes on, while the page is looked at: `data-poll="1000"` (milliseconds) on an element with an id.
 * Of a page that answers a form, `data-from="/path"` is where the part is looked at.
 * With `data-to="/path"` that is gone to as soon as the part's own address leads elsewhere.
 * With `data-then="reload"` the whole page comes anew at its end, as what stands beside it is another then. A page that
 * leads elsewhere now, to the login say, is gone to unless something was typed; a device that gives no answer is told.
 */
function polling(part) {
  setTimeout(async () => {
    if (!document.hidden && !worked(part)) {
      const answer = await fetch(part.dataset.from ?? location.href, { headers: { "X-Background": "1" } }).catch(() => null);
      if (answer?.redirected && part.dataset.to) return location.assign(part.dataset.to);
      if (answer?.redirected && (part.dataset.then || !filled(document.body))) return location.reload();
      document.getElementById("lost")?.toggleAttribute("hidden", Boolean(answer?.ok));
      if (answer?.ok && !answer.redirected) {
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(part.id);
        if (part.dataset.then && !fresh?.dataset.poll) return location.reload();
        if (fresh && !fresh.isEqualNode(part) && !worked(part)) {
          part.replaceWith(fresh);
          prepare(fresh);
          if (fresh.dataset.poll) polling(fresh);
          return;
        }
        if (fresh && !fresh.dataset.poll) return;
      }
    }
    polling(part);
  }, Number(part.dataset.poll));
}

/** Types into its form's field what a key of a keypad says, instead of sending it: `name="press"`. */
function pressing(button) {
  button.addEventListener("click", (event) => {
    event.preventDefault();
    const field = button.form.querySelector("input[inputmode=tel]");
    field.value = button.value === "back" ? field.value.slice(0, -1) : (field.value + button.value).slice(0, field.maxLength);
  });
}

/**
 * Sends a file piece by piece before its form, as it is too large for one: `data-pieces="/path"`, `data-size` octets each.
 * What the device says of a piece that it does not take is shown, and the form stays.
 */
function piecewise(form) {
  const [progress, told] = [form.querySelector("progress"), form.querySelector("[role=status]")];
  const chosen = form.querySelector("input[type=file]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const [file, size] = [chosen.files[0], Number(form.dataset.size)];
    if (!file) return;
    const buttons = form.querySelectorAll("button");
    buttons.forEach((one) => { one.disabled = true; });
    progress.hidden = false;
    told.textContent = form.dataset.sending;
    for (let offset = 0; offset < file.size; offset += size) {
      progress.value = offset / file.size;
      const piece = new FormData();
      piece.append("form_token", form.elements.form_token.value);
      piece.append("offset", offset);
      piece.append("content", file.slice(offset, offset + size), "piece");
      const answer = await fetch(form.dataset.pieces, { method: "POST", body: piece }).catch(() => null);
      if (!answer?.ok || answer.redirected) {
        told.textContent = answer?.status === 422 ? await answer.text() : form.dataset.failed;
        progress.hidden = true;
        buttons.forEach((one) => { one.disabled = false; });
        return;
      }
    }
    form.submit(); // without the file, which has no name: it is there
  });
}

/** Keeps a form from being sent twice while its answer is awaited; what is downloaded leaves the page as it is. */
function once(form) {
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    setTimeout(() => form.querySelectorAll("button:not([type=button])").forEach((one) => { one.disabled = true; }));
  });
}

/** Gives the elements of a part of the page what they do. */
function prepare(part) {
  part.querySelectorAll("input[data-reveal]").forEach(revealable);
  part.querySelectorAll("button[data-copy]").forEach(copying);
  part.querySelectorAll("form[data-confirm]").forEach(asking);
  part.querySelectorAll("button[data-confirm]").forEach(confirming);
  part.querySelectorAll("[data-all]").forEach(choosing);
  part.querySelectorAll("[data-count]").forEach(counting);
  part.querySelectorAll("button[name=press]").forEach(pressing);
  part.querySelectorAll("form[data-pieces]").forEach(piecewise);
  part.querySelectorAll("form[method=post]:not([data-download], [data-pieces])").forEach(once);
}

/**
 * Compares the clock of the device with that of the phone: `data-clock` is the device's, in Unix seconds.
 * Both are told in the zone of the phone: the device may not have been told yet where it is.
 */
function comparing(part) {
  const language = document.documentElement.lang === "id" ? "id-ID" : "en-GB";
  const [device, phone] = [Number(part.dataset.clock) * 1000, Date.now()].map((one) =>
    new Date(one).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" }));
  const minutes = Math.round(Math.abs(Date.now() / 1000 - Number(part.dataset.clock)) / 60);
  part.querySelector("[data-time]").textContent =
    part.dataset.both.replace("{device}", device).replace("{phone}", phone);
  part.querySelector("[data-verdict]").textContent =
    minutes ? part.dataset.wrong.replace("{minutes}", minutes.toLocaleString(language)) : part.dataset.right;
}

/**
 * Offers the time of this phone to the device: `data-time-of-phone` is the device's, in Unix seconds, when the page came.
 * With `data-only-ahead` only where that is behind by a minute: without a login it is never put back.
 */
function offering(form) {
  const ahead = Date.now() / 1000 - Number(form.dataset.timeOfPhone);
  if ("onlyAhead" in form.dataset && ahead < 61) return;
  form.hidden = false;
  form.closest("[data-with-time]")?.removeAttribute("hidden");
  form.addEventListener("submit", () => { form.elements.time.value = `@${(Date.now() / 1000).toFixed(3)}`; });
}

/** Chooses the time zone of the phone, where none is kept. */
function guessing(select) {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  if ([...select.options].some((one) => one.value === timeZone)) select.value = timeZone;
}

// A page that answers a form is looked at by GET where that goes: else the browser's "back" and "reload" end at its
// question whether to send the form again.
if ("answersForm" in document.documentElement.dataset) history.replaceState(null, "");

prepare(document);
document.querySelectorAll("[data-clock]").forEach(comparing);
document.querySelectorAll("[data-time-of-phone]").forEach(offering);
document.querySelectorAll("select[data-zone]").forEach(guessing);
document.querySelectorAll("[data-without-script]").forEach((one) => { one.hidden = true; });
document.querySelectorAll("[data-poll]").forEach(polling);
// A form that only leads to another one, whose fields it has, is sent by itself: `data-send`.
document.querySelector("form[data-send]")?.requestSubmit();
// A page that comes back by the browser's "back" has its buttons again.
addEventListener("pageshow", () => document.querySelectorAll("button:disabled").forEach((one) => { one.disabled = false; }));
if (!document.querySelector("[autofocus]")) document.querySelector("[aria-invalid=true]")?.focus();
