// The page works without this; with it, nothing reloads and pictures appear as they are drawn.
(() => {
  "use strict";
  const one = (selector, root = document) => root.querySelector(selector);
  const ask = one("#ask"), feed = one("#feed"), notes = one("#notes"), live = one("#live");
  const box = ask && one("textarea[name=line]", ask), image = ask && one("[type=file]", ask);
  const words = document.body.dataset;
  const random = () => Array.from(crypto.getRandomValues(new Uint8Array(9)), (n) => n.toString(36)).join("");
  const element = (html) => {
    const holder = document.createElement("template");
    holder.innerHTML = html.trim();
    return holder.content.firstElementChild;
  };

  // Replies for this browser only: one at a time, under the box. A form keeps what was typed into
  // it until something is accepted.
  const note = (card) => {
    const form = !one("form", card) && one("form", notes)?.closest(".reply");
    notes.replaceChildren(...[card, form].filter(Boolean));
    one("main").classList.add("talk");
    (one("form textarea, form input:not([type=hidden])", card) || card).focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest", behavior: "smooth" });
    const file = one("[data-go]", card);
    if (file) location.href = file.href;
  };
  const warn = (text, at) => {
    const card = element('<aside class="reply serious" role="alert" tabindex="-1"><p></p></aside>');
    card.firstChild.append(at ? Object.assign(element("<a></a>"), { href: at, textContent: text }) : text);
    note(card);
  };

  // Cards of the conversation, the newest first; ids grow.
  const drawn = new Map();
  const put = ({ answer: id, html, made }) => {
    const known = drawn.get(id);
    // An open menu stays open; what a button's answer says may be older than what the stream said.
    if (known && (known.html === html || known.made > made)) return one(`#answer-${id}`);
    drawn.set(id, { html, made });
    const card = element(html), old = one(`#answer-${id}`);
    if (old?.isEqualNode(card)) return old;
    if (old) {
      const held = old.contains(document.activeElement);
      old.replaceWith(card);
      card.style.animation = "none";
      if (held) card.focus({ preventScroll: true });
      if (old.hasAttribute("data-open") && !card.hasAttribute("data-open")) {
        const said = [...card.querySelectorAll("figcaption p, .status")].map((each) => each.textContent);
        live.textContent = `${words.done} ${said.join(". ")}`;
      }
    } else {
      const older = [...feed.children].find((each) => Number(each.dataset.answer) < id);
      feed.insertBefore(card, older || null);
      one(".strip")?.remove();
      one("main").classList.add("talk");
    }
    feed.dataset.newest = Math.max(feed.dataset.newest, id);
    return card;
  };
  const progress = ({ answer, text, call, calls, preview }) => {
    const card = one(`#answer-${answer}`), bar = card && one("progress", card);
    if (!bar) return;
    one(".status", card).textContent = text;
    if (calls) {
      bar.max = calls;
      bar.value = call;
    }
    if (preview) one(".preview", card).src = preview;
    if (card.classList.contains("mine") && (!calls || call === calls >> 1)) live.textContent = text;
  };

  // What the stream tells: `moved` when the class was opened or closed.
  const told = {
    moved: () => location.reload(),
    card: put,
    progress,
    thumb: ({ html }) => {
      const strip = one(".strip"), thumb = element(html);
      if (!strip || !thumb || one(`[href="${thumb.getAttribute("href")}"]`, strip)) return;
      strip.hidden = false;
      one(".thumbs", strip).prepend(thumb);
    },
    unjudged: ({ text }) => {
      const waits = one("#unjudged"), button = one("button", waits);
      if (text && button.textContent !== text) live.textContent = text;
      button.textContent = text;
      waits.hidden = !text;
    },
  };

  // One stream, while the page is looked at; what was missed comes first: when it comes back, that
  // may be about any card.
  let stream = null, missed = "[data-open]";
  const leave = () => {
    stream?.close(); // by itself it would ask again for what was missing when it began
    stream = null;
  };
  const follow = () => {
    if (document.hidden) return leave();
    if (stream) return;
    const open = [...feed.querySelectorAll(missed)].map((each) => each.dataset.answer).slice(0, 100);
    missed = "[data-answer]";
    stream = new EventSource(`/events?room=${feed.dataset.room}&since=${feed.dataset.newest}&open=${open}`);
    for (const [name, act] of Object.entries(told)) {
      stream.addEventListener(name, (event) => act(JSON.parse(event.data)));
    }
    stream.onerror = () => {
      leave();
      setTimeout(follow, 4000);
    };
  };
  if (feed) {
    follow();
    document.addEventListener("visibilitychange", follow);
  }

  // What is sent again because no answer came keeps its number: it may have arrived. While an answer
  // may still come, it isn't sent again.
  const numbers = new Map(), awaited = new Set();
  const send = async (form, submitter) => {
    const data = new FormData(form);
    if (submitter.name) data.set(submitter.name, submitter.value);
    const parent = submitter.closest("[data-answer]");
    if (parent) data.set("answer", parent.dataset.answer);
    data.delete("once");
    // No file is a file, too: an empty one, made just now.
    const same = JSON.stringify([...data].map(([name, value]) => [name, value.name ?? value, value.size && value.lastModified]));
    if (awaited.has(same)) return;
    awaited.add(same);
    if (!numbers.has(same)) numbers.set(same, random());
    data.set("once", numbers.get(same));
    const typed = box?.value, picture = image?.files[0];
    submitter.setAttribute("aria-busy", "true");
    try {
      const response = await fetch("/call", { method: "POST", body: data, headers: { accept: "application/json" } });
      const said = await response.json();
      numbers.delete(same);
      if (!response.ok) return warn(said.text, said.at);
      if (said.pressed && feed) put(said.pressed);
      if (said.answer && !feed) return location.assign(`/#answer-${said.answer}`);
      if (!said.answer) note(element(said.html));
      else {
        notes.replaceChildren();
        put(said).scrollIntoView({ block: "nearest", behavior: "smooth" });
      }
      if (form === ask && !said.refused) {
        if (box.value === typed) box.value = "";
        if (image.files[0] === picture) detach();
        if (matchMedia("(pointer: fine)").matches) box.focus();
      }
    } catch {
      warn(words.offline);
    } finally {
      awaited.delete(same);
      submitter.removeAttribute("aria-busy");
    }
  };
  // Forms are sent by their buttons, with the Enter key too; Safari before 15.4 doesn't say by which.
  let pressed = null;
  document.addEventListener("submit", (event) => {
    if (event.target.getAttribute("action") !== "/call" || !notes) return;
    event.preventDefault();
    if (event.target === ask && !box.value.trim() && !image.files.length) return box.focus();
    send(event.target, pressed);
  });

  // Menus close by a click elsewhere or Escape; lines in replies go into the box.
  const close = (except) => {
    for (const menu of document.querySelectorAll(".more[open]")) if (menu !== except) menu.open = false;
  };
  document.addEventListener("click", (event) => {
    pressed = event.target.closest("button");
    close(pressed ? null : event.target.closest(".more"));
    if (event.target.closest(".reply .close")) event.target.closest(".reply").remove();
    const line = event.target.closest("a.line");
    if (line && box) {
      event.preventDefault();
      box.value = line.dataset.line;
      box.focus();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = one(".more[open]");
    if (menu) {
      menu.open = false;
      one("summary", menu).focus();
    } else if (notes?.firstElementChild) {
      notes.replaceChildren();
      box?.focus();
    }
  });

  function detach() {
    image.value = "";
    one(".attached", ask).hidden = true;
  }
  if (!ask) return;

  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      if (!event.repeat) one(".send", ask).click();
    }
  });
  box.setSelectionRange(box.value.length, box.value.length);

  // How many options are set, so that a closed disclosure hides nothing.
  const count = () => {
    const set = [...ask.querySelectorAll(".inputs [name]")].filter((each) =>
      each.type === "checkbox" ? each.checked : each.value !== (each.defaultValue ?? each.options[0].value));
    one(".options b", ask).textContent = set.length || "";
  };
  ask.addEventListener("input", count);
  count();

  // Open options don't stay in sight as the box does: who opens them far down is taken to them.
  one(".options summary", ask).addEventListener("click", () => setTimeout(() => ask.scrollIntoView({ block: "nearest" })));

  // What a closed disclosure hides can't have the focus.
  ask.addEventListener("invalid", () => (one(".options", ask).open = true), true);

  // A picture to draw over: chosen, dropped or pasted.
  const attach = (files) => {
    const file = [...files].find((each) => each.type.startsWith("image/"));
    if (!file) return false;
    if (file.size > 24e6) {
      detach();
      warn(words.tooLarge);
      return true;
    }
    const transfer = new DataTransfer();
    transfer.items.add(file);
    image.files = transfer.files;
    const reader = new FileReader();
    reader.onload = () => {
      one(".attached img", ask).src = reader.result;
      one(".attached", ask).hidden = false;
    };
    reader.readAsDataURL(file);
    box.focus();
    return true;
  };
  image.addEventListener("change", () => {
    if (attach(image.files)) return;
    if (image.files.length) warn(words.notAPicture);
    detach();
  });
  one(".attached button", ask).addEventListener("click", detach);
  addEventListener("paste", (event) => {
    const { files, types } = event.clipboardData;
    // Tables and slides come as a picture, too.
    if (types.includes("text/plain") && types.includes("text/html")) return;
    if (attach(files)) event.preventDefault();
  });
  for (const type of ["dragover", "dragleave", "drop"]) {
    addEventListener(type, (event) => {
      if (![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      ask.classList.toggle("dropping", type === "dragover");
      if (type === "drop") attach(event.dataTransfer.files);
    });
  }
})();
