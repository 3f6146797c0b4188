// What the pages need beyond htmx: the scan queue, the three tones, what is said aloud, questions, keys, menus.
// Strategy: pages work without this file; with it a scanner never waits and no scan is lost. No framework, no build.
// Follows pages.md, "A scan" and "Shell". Words come from the page (translated there), never from here.
(function () {
  "use strict";

  const byId = (id) => document.getElementById(id);
  const GRAVITY = { good: 0, look: 1, stop: 2 };
  document.documentElement.classList.add("scripted");

  // --- what a person chose for this machine: sounds and single-key shortcuts ------------------------------------------

  const wish = {
    on(name) {
      try { return localStorage.getItem("interlend." + name) !== "off"; } catch { return true; }
    },
    set(name, on) {
      try { localStorage.setItem("interlend." + name, on ? "on" : "off"); } catch { /* a private window keeps no wishes */ }
    },
  };

  function showWish(button) {
    const on = wish.on(button.dataset.toggle);
    const output = button.querySelector("output");
    button.setAttribute("aria-pressed", String(on));
    output.textContent = on ? output.dataset.on : output.dataset.off;
  }

  // --- tones: good is one short high note, look is two, stop is one long low note --------------------------------------

  const TONES = {
    good: [[1175, 0, 0.07]],
    look: [[784, 0, 0.09], [784, 0.14, 0.09]],
    stop: [[196, 0, 0.42]],
  };
  let audio = null;

  function tone(meaning) {
    document.dispatchEvent(new CustomEvent("interlend:tone", { detail: meaning }));
    if (!wish.on("sound") || !TONES[meaning] || !window.AudioContext) return;
    audio = audio || new AudioContext();
    if (audio.state === "suspended") audio.resume();
    for (const [pitch, start, length] of TONES[meaning]) {
      const from = audio.currentTime + start;
      const voice = audio.createOscillator();
      const volume = audio.createGain();
      voice.type = meaning === "stop" ? "square" : "sine";
      voice.frequency.value = pitch;
      volume.gain.setValueAtTime(0.0001, from);
      volume.gain.exponentialRampToValueAtTime(meaning === "stop" ? 0.12 : 0.25, from + 0.01);
      volume.gain.setValueAtTime(meaning === "stop" ? 0.12 : 0.25, from + length - 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, from + length);
      voice.connect(volume).connect(audio.destination);
      voice.start(from);
      voice.stop(from + length + 0.02);
    }
  }

  // --- what is said aloud: the row's word and title; a stop interrupts -------------------------------------------------

  function announce(sentence, stop) {
    const region = byId(stop ? "announce-stop" : "announce");
    if (!region) return;
    region.textContent = "";
    // The same word twice must be spoken twice: a region is read when its text changes.
    setTimeout(function () { region.textContent = sentence; }, 30);
  }

  let arrived = [];

  /** A new row came: sound and say it; of several at once the worst tone is heard. */
  function rowArrived(row) {
    arrived.push(row);
    if (arrived.length > 1) return;
    queueMicrotask(function () {
      const rows = arrived;
      arrived = [];
      const worst = rows.map((one) => one.dataset.meaning).reduce((a, b) => (GRAVITY[b] > GRAVITY[a] ? b : a));
      tone(worst);
      announce(rows.map((one) => one.dataset.say || one.innerText).join(" "), worst === "stop");
    });
  }

  // --- the scan queue ---------------------------------------------------------------------------------------------------
  // Enter takes a snapshot of the form and selects the text, so the next barcode may be typed over it at once. Snapshots
  // go out one at a time, in order. Until its answer came, each also lies in sessionStorage: a crash or a reload keeps it.

  const form = () => document.querySelector("form[data-scan]");
  const box = () => document.querySelector("form[data-scan] .scan-input");
  const queue = [];
  let sending = null;

  const store = {
    name: () => "interlend.scans." + (document.body.dataset.person || "") + "." + form().getAttribute("action"),
    all() {
      try { return JSON.parse(sessionStorage.getItem(this.name()) || "[]"); } catch { return []; }
    },
    save(scans) {
      try { sessionStorage.setItem(this.name(), JSON.stringify(scans)); } catch { /* the queue in memory still holds them */ }
    },
    add(scan) { this.save([...this.all().filter((one) => one.key !== scan.key), scan]); },
    drop(key) { this.save(this.all().filter((one) => one.key !== key)); },
  };

  function newKey() {
    return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function takeSnapshot(scanForm, input) {
    // The page's CSRF token goes in a header at the moment of sending; one from a kept snapshot could be stale.
    const fields = [...new FormData(scanForm)].filter(([name, value]) => name !== "csrfmiddlewaretoken" && typeof value === "string");
    const key = newKey();
    return { key, text: input.value.trim(), fields: [...fields, ["scan_key", key]] };
  }

  function showWaiting() {
    const place = byId("scan-waiting");
    if (!place) return;
    const count = queue.length + (sending ? 1 : 0);
    place.textContent = count === 0 ? "" : count === 1 ? place.dataset.one : place.dataset.more.replace("{count}", count);
  }

  function sendNext() {
    if (!sending && queue.length) {
      sending = queue.shift();
      htmx.trigger(form(), "interlend:send");
    }
    showWaiting();
  }

  function enqueue(scan) {
    queue.push(scan);
    store.add(scan);
    sendNext();
  }

  /** Focus and selection after an answer: never away from another field, never over what is being typed. */
  function readyForNext(sentText) {
    const input = box();
    const active = document.activeElement;
    if (!input || document.querySelector("dialog[open]")) return;
    if (active && active !== input && active.matches("input, select, textarea, [contenteditable]") && active.isConnected) return;
    if (document.querySelector("details.menu[open]")) return;
    input.focus({ preventScroll: true });
    if (sentText === undefined || input.value.trim() === sentText) input.select();
  }

  // A scanner's own habits. Some end a code with Tab, some with Enter and a line feed, which is Enter twice; a held key
  // repeats. A hand is slower than MOMENT between two keys, so whatever comes faster is told apart by its pace.
  const MOMENT = 60, ECHO = 150, LEAST_KEYS = 4;
  const pace = { keys: 0, last: 0, sent: 0, typed: true };

  document.addEventListener("input", function (event) { if (event.target === box()) pace.typed = true; });

  /** Tab at the end of a burst is the scanner's Enter; Enter that only echoes the last one is not a second scan. */
  function scannerKey(event) {
    const now = event.timeStamp;
    const fast = now - pace.last < MOMENT;
    pace.last = now;
    if (event.key === "Tab" && !event.shiftKey && fast && pace.keys >= LEAST_KEYS) {
      event.preventDefault();
      pace.keys = 0;
      form().requestSubmit();
    } else if (event.key === "Enter" && (event.repeat || (!pace.typed && now - pace.sent < ECHO))) {
      event.preventDefault();
    } else if (event.key.length === 1) {
      pace.keys = fast ? pace.keys + 1 : 1;
    }
  }

  document.addEventListener("submit", function (event) {
    if (!event.target.matches("form[data-scan]") || !window.htmx) return;
    event.preventDefault();
    const input = box();
    if (!input.value.trim() || !event.target.reportValidity()) { input.focus(); return; }
    pace.sent = event.timeStamp;
    pace.typed = false;
    const scan = takeSnapshot(event.target, input);
    input.select();
    if (document.activeElement !== input) readyForNext();
    enqueue(scan);
  });

  // htmx names the element that an event is sent to in `elt`; who asked stands in the request's configuration.
  const asker = (detail) => (detail.requestConfig ? detail.requestConfig.elt : detail.elt);
  const isScan = (detail) => asker(detail).matches("form[data-scan]");

  document.addEventListener("htmx:configRequest", function (event) {
    if (!isScan(event.detail) || !sending) return;
    const values = new FormData();
    for (const [name, value] of sending.fields) values.append(name, value);
    event.detail.parameters = values;
  });

  /** Why a request failed, in one word of the page's data attributes; null when it was answered. */
  function trouble(detail) {
    const status = detail.xhr.status;
    if (detail.requestConfig.signedOut) return "signedOut";
    if (status === 0) return "unreached";
    if (status >= 500) return "broken";
    return status >= 400 && status !== 422 ? "refused" : null;
  }

  document.addEventListener("htmx:afterRequest", function (event) {
    const detail = event.detail;
    if (!isScan(detail) || !sending) return;
    const scan = sending;
    sending = null;
    const why = trouble(detail);
    if (why) keepScan(scan, why);
    else store.drop(scan.key);
    readyForNext(scan.text);
    sendNext();
  });

  /** A stop row for a scan that got no answer: it says so and offers to try again. Nothing is lost. */
  function keepScan(scan, why, quiet) {
    const row = byId("scan-kept").content.firstElementChild.cloneNode(true);
    const slot = (name) => row.querySelector('[data-slot="' + name + '"]');
    const reason = slot("why").dataset[why];
    row.dataset.key = scan.key;
    row.dataset.say = slot("word").textContent + ". " + scan.text + ". " + reason;
    slot("barcode").textContent = scan.text;
    slot("why").textContent = reason;
    slot("at").textContent = new Date().toTimeString().slice(0, 5);
    row.keptScan = scan;
    const rows = document.querySelector(form().getAttribute("hx-target"));
    if (rows) rows.prepend(row);
    else form().after(row);
    if (!quiet) rowArrived(row);
  }

  document.addEventListener("click", function (event) {
    const button = event.target.closest("[data-kept]");
    if (!button) return;
    const row = button.closest(".row");
    row.remove();
    if (button.dataset.kept === "again") enqueue(row.keptScan);
    else store.drop(row.keptScan.key);
    readyForNext();
  });

  function restoreKept() {
    if (form()) for (const scan of store.all()) keepScan(scan, "left", true);
  }

  // What a scan has settled leaves the queue below, if this page of it shows it.
  document.addEventListener("interlend:left", function (event) {
    const left = byId("queue-" + event.detail.value);
    if (left) left.remove();
  });

  // --- the frame's numbers ----------------------------------------------------------------------------------------------
  // They are asked for once when a burst of scans or presses is over, so that no scan waits for them. If nobody answers,
  // the old ones stay: they are a hint, and the next whole page has them anyway.

  const AFTER_THE_LAST = 1000;
  let countsDue = 0;

  function countsSoon() {
    clearTimeout(countsDue);
    if (document.body.dataset.counts) countsDue = setTimeout(renewCounts, AFTER_THE_LAST);
  }

  async function renewCounts() {
    if (sending || queue.length) return;
    try {
      const answer = await fetch(document.body.dataset.counts, { headers: { "HX-Request": "true" } });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of page.querySelectorAll("[id]")) {
        const shown = byId(part.id);
        if (shown && shown !== document.activeElement) shown.replaceWith(document.adoptNode(part));
      }
    } catch { /* the network is gone: the next scan says so */ }
  }

  document.addEventListener("htmx:afterRequest", function (event) {
    if (event.detail.requestConfig.verb !== "get") countsSoon();
  });

  // --- htmx: whole pages, rows, dialogs, failures ----------------------------------------------------------------------

  document.addEventListener("htmx:beforeSwap", function (event) {
    const detail = event.detail;
    if (!/^\s*<!doctype/i.test(detail.serverResponse || "") || !detail.shouldSwap) return;
    // A redirect was followed to a whole page. The sign-in page must not swallow a scan; any other page is where to go.
    detail.shouldSwap = false;
    if (isScan(detail) && /type="password"/.test(detail.serverResponse)) detail.requestConfig.signedOut = true;
    else window.location.assign(detail.xhr.responseURL);
  });

  document.addEventListener("htmx:load", function (event) {
    const loaded = event.detail.elt;
    if (loaded.matches(".row[data-meaning]")) rowArrived(loaded);
    markKeys(loaded);
  });

  document.addEventListener("htmx:afterSwap", function (event) {
    const dialog = byId("dialog");
    if (event.detail.target.id === "dialog-body" && !dialog.open) dialog.showModal();
    if (asker(event.detail).closest(".alert, [data-then-scan]")) readyForNext();
  });

  function actionFailed(event) {
    if (isScan(event.detail)) return;
    const words = byId("words");
    const why = trouble(event.detail);
    const sentence = words && words.dataset[why];
    if (!sentence) return;
    const message = document.createElement("div");
    message.className = "message stop";
    message.textContent = sentence;
    byId("messages").replaceChildren(message);
    message.scrollIntoView({ block: "nearest" });
    tone("stop");
  }
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) document.addEventListener(name, actionFailed);

  // --- questions and dialogs: native <dialog>, which gives the focus back by itself ------------------------------------

  /** Ask; call `yes` if the answer is yes. `word` is what the button says. */
  function ask(question, word, yes) {
    const dialog = byId("confirm");
    const button = dialog.querySelector('[value="yes"]');
    byId("confirm-question").textContent = question;
    button.textContent = word || button.dataset.default;
    dialog.returnValue = "no";
    dialog.addEventListener("close", function () { if (dialog.returnValue === "yes") yes(); }, { once: true });
    dialog.showModal();
    button.focus();
  }

  document.addEventListener("htmx:confirm", function (event) {
    const detail = event.detail;
    if (!detail.question) return;
    event.preventDefault();
    ask(detail.question, detail.elt.dataset.confirmWord, function () { detail.issueRequest(true); });
  });

  // In the capturing phase: before htmx sees the submit of a form that it would send itself.
  document.addEventListener("submit", function (event) {
    const asked = event.target;
    const question = asked.dataset.confirm;
    if (!question || asked.confirmed) { asked.confirmed = false; return; }
    event.preventDefault();
    event.stopImmediatePropagation();
    const submitter = event.submitter;
    ask(question, asked.dataset.confirmWord, function () { asked.confirmed = true; asked.requestSubmit(submitter); });
  }, true);

  document.addEventListener("click", function (event) {
    const target = event.target;
    const opener = target.closest("[data-opens]");
    if (opener) byId(opener.dataset.opens).showModal();
    const closer = target.closest("[data-closes]");
    if (closer) closer.closest("dialog").close();
    const toggle = target.closest("[data-toggle]");
    if (toggle) {
      wish.set(toggle.dataset.toggle, !wish.on(toggle.dataset.toggle));
      showWish(toggle);
      if (toggle.dataset.toggle === "sound") tone("good");
    }
    const slip = target.closest("a[data-slip]");
    if (slip && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      window.open(slip.href, "slip", "popup,width=480,height=720");
    }
    const side = target.closest(".side-toggle");
    if (side) side.setAttribute("aria-expanded", String(byId("side").classList.toggle("is-open")));
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
  });

  // --- keys ------------------------------------------------------------------------------------------------------------
  // "/" goes to the one scan box; Esc clears a box, closes a menu, goes back to the page's own box; a button's data-key
  // presses it, alone outside of fields and with Alt anywhere. Single keys can be turned off (WCAG 2.1.4).

  const isField = (element) => element.matches("input:not([type=checkbox], [type=radio], [type=button], [type=submit]), select, textarea, [contenteditable]");

  function markKeys(root) {
    for (const button of root.querySelectorAll("[data-key]")) {
      button.setAttribute("aria-keyshortcuts", "Alt+" + button.dataset.key.toUpperCase());
    }
  }

  /** The scan box with nothing in it, or with all of its old value selected, is not being typed into. */
  function untouched(element) {
    return element === box() && element.selectionStart === 0 && element.selectionEnd === element.value.length;
  }

  function pressByKey(event) {
    // With Alt some layouts give another letter as `key`; `code` names the key itself.
    const letter = event.altKey && /^Key[A-Z]$/.test(event.code) ? event.code.slice(3).toLowerCase() : event.key.toLowerCase();
    const scope = document.querySelector("dialog[open]") || document;
    for (const button of scope.querySelectorAll("[data-key]")) {
      if (button.dataset.key.toLowerCase() !== letter || button.disabled || !button.getClientRects().length) continue;
      event.preventDefault();
      button.focus();
      button.click();
      return true;
    }
    return false;
  }

  /** A code that is scanned while nothing has the cursor goes where scans go: its first key takes the focus along. */
  function startScan() {
    const input = box();
    if (!input || document.querySelector("dialog[open], details.menu[open]")) return;
    input.focus({ preventScroll: true });
    input.select();
  }

  function escape(active) {
    const menu = document.querySelector("details.menu[open]");
    if (document.querySelector("dialog[open]")) return;
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (active === box()) {
      active.value = "";
    } else if (active.id === "find") {
      if (active.value) active.value = "";
      else if (box()) box().focus();
    } else {
      readyForNext();
    }
  }

  document.addEventListener("keydown", function (event) {
    const active = document.activeElement || document.body;
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    if (active === box() && !event.altKey) scannerKey(event);
    if (event.key === "Escape") return escape(active);
    if (document.querySelector("dialog[open]") && !event.altKey && isField(active)) return;
    const free = !isField(active);
    if (event.key === "/" && byId("find") && !document.querySelector("dialog[open]")) {
      if (event.altKey || (wish.on("keys") && (free || untouched(active)))) {
        event.preventDefault();
        byId("find").focus();
        byId("find").select();
      }
      return;
    }
    if (event.key.length !== 1) return;
    const pressed = (event.altKey || (free && wish.on("keys") && !event.shiftKey)) && pressByKey(event);
    if (free && !pressed && !event.altKey && event.key !== " " && wish.on("keys")) startScan();
  });

  // --- on arrival ------------------------------------------------------------------------------------------------------

  document.querySelectorAll("[data-toggle]").forEach(showWish);
  markKeys(document);
  restoreKept();
  if (box() && !document.querySelector("dialog[open]")) { box().focus(); box().select(); }
})();
