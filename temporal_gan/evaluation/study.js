"use strict";

// The same plan as study_plan.py, which says why.

function raterSeed(page, rater) {
  let seed = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(`${page}/${rater}`)) seed = Math.imul(seed ^ byte, 0x01000193) >>> 0;
  return seed;
}

function raterPlan(seed, clips, checks, shown) {
  let state = seed;
  const below = (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * limit);
  };
  const shuffle = (items) => {
    for (let i = items.length - 1; i > 0; i--) {
      const j = below(i + 1);
      [items[i], items[j]] = [items[j], items[i]];
    }
  };
  const ordinary = clips.length - checks;
  const start = below(ordinary);
  const order = Array.from({ length: Math.min(shown, ordinary) }, (_, i) => (start + i) % ordinary);
  for (let trial = ordinary; trial < clips.length; trial++) order.push(trial);
  shuffle(order);
  for (let i = 1; i < order.length; i++) {
    if (clips[order[i]] !== clips[order[i - 1]]) continue;
    const j = order.findIndex((trial, place) => place > i && clips[trial] !== clips[order[i - 1]]);
    if (j > 0) [order[i], order[j]] = [order[j], order[i]];
  }
  const odd = below(2);
  const sides = order.map((_, i) => (i + odd) % 2);
  shuffle(sides);
  return order.map((trial, i) => ({ trial, swapped: sides[i] === 1 }));
}

// The page.

const PAUSE_MS = 350; // between two rounds of a clip, so that its end and its start are seen
const CHOSEN_MS = 220; // how long a choice is shown before the next trial

function openStudy(study) {
  const find = (id) => document.getElementById(id);
  const paired = study.kind === "2afc";
  const buttons = [...document.querySelectorAll("[data-choice]")];
  const panes = [...document.querySelectorAll(".pane")];
  let session = null; // what is kept: rater, times, answers
  let plan = [];
  let trial = null; // what is on the screen: shown, videos, since, plays, seen, chosen
  let mayGoBack = false;

  const place = (rater) => `temporal-gan-study/${study.page}/${rater}`;
  const last = `temporal-gan-study/${study.page}`;

  // A browser may refuse storage to files; the study then works, but a closed page is lost.
  function keep() {
    try {
      localStorage.setItem(place(session.rater), JSON.stringify(session));
      localStorage.setItem(last, session.rater);
    } catch (error) {
      find("storage").hidden = false;
    }
  }

  function kept(key) {
    try {
      return localStorage.getItem(key);
    } catch (error) {
      return null;
    }
  }

  function resumed(rater) {
    try {
      const found = JSON.parse(kept(place(rater)));
      return found && found.rater === rater && found.answers.length <= plan.length ? found : null;
    } catch (error) {
      return null;
    }
  }

  function show(screen) {
    for (const id of ["start", "trial", "end"]) find(id).hidden = id !== screen;
    window.scrollTo(0, 0);
  }

  function begin(event) {
    event.preventDefault();
    const rater = find("rater").value.normalize("NFC").trim();
    if (!rater) return;
    plan = raterPlan(raterSeed(study.page, rater), study.trials.map((t) => t.clip), study.checks, study.shown);
    session = resumed(rater) || {
      version: 1, page: study.page, kind: study.kind, rater, seed: raterSeed(study.page, rater),
      started: new Date().toISOString(), finished: null, screen: [innerWidth, innerHeight], answers: [],
    };
    mayGoBack = false;
    next();
  }

  function next() {
    keep();
    if (session.answers.length === plan.length) return finish();
    const { trial: number, swapped } = plan[session.answers.length];
    const shown = [...study.trials[number].items];
    if (swapped) shown.reverse();
    trial = { number, shown, videos: [], since: null, plays: 0, seen: false, chosen: false, timer: 0 };
    const done = session.answers.length;
    find("progress").max = plan.length;
    find("progress").value = done;
    find("count").textContent = `${done + 1} of ${plan.length}`;
    find("back").disabled = !mayGoBack || done === 0;
    for (const button of buttons) {
      button.disabled = true;
      button.classList.remove("chosen");
    }
    find("hint").textContent = "Watch once to the end, then choose.";
    panes.forEach((pane, i) => {
      const video = document.createElement("video");
      video.muted = true;
      video.playsInline = true;
      video.disablePictureInPicture = true;
      video.addEventListener("error", () => trial.videos.includes(video) && (find("broken").hidden = false));
      pane.replaceChildren(video);
      trial.videos.push(video);
      video.src = study.clips[shown[i]];
    });
    show("trial");
    if (document.activeElement) document.activeElement.blur();
    const current = trial;
    Promise.all(current.videos.map((v) => new Promise((ready) => v.addEventListener("canplaythrough", ready, { once: true }))))
      .then(() => current === trial && play());
  }

  // Both clips start together in every round, so that they never drift apart.
  function play() {
    clearTimeout(trial.timer);
    const current = trial;
    current.since = current.since ?? performance.now();
    let running = current.videos.length;
    for (const video of current.videos) {
      video.onended = () => {
        running -= 1;
        if (running || current !== trial) return;
        current.plays += 1;
        unlock(current);
        current.timer = setTimeout(play, PAUSE_MS);
      };
      video.currentTime = 0;
      video.play().catch(() => {});
    }
  }

  function unlock(current) {
    if (current.seen) return;
    current.seen = true;
    for (const button of buttons) button.disabled = false;
    find("hint").textContent = find("hint").dataset.ready;
  }

  function choose(choice) {
    if (!trial || !trial.seen || trial.chosen) return;
    trial.chosen = true;
    buttons.find((b) => b.dataset.choice === choice).classList.add("chosen");
    session.answers.push({
      trial: trial.number,
      shown: trial.shown,
      choice: paired ? trial.shown[choice === "left" ? 0 : 1] : Number(choice),
      seconds: Math.round(performance.now() - trial.since) / 1000,
      plays: trial.plays,
      at: new Date().toISOString(),
    });
    mayGoBack = true;
    keep();
    setTimeout(leave, CHOSEN_MS);
  }

  function leave() {
    stop();
    next();
  }

  function stop() {
    if (!trial) return;
    clearTimeout(trial.timer);
    for (const video of trial.videos) video.removeAttribute("src");
    trial = null;
  }

  function back() {
    if (!mayGoBack || !session.answers.length || (trial && trial.chosen)) return;
    stop();
    mayGoBack = false;
    session.finished = null;
    session.answers.pop();
    next();
  }

  function finish() {
    session.finished = session.finished || new Date().toISOString();
    keep();
    save();
  }

  function save() {
    const whole = session.answers.length === plan.length;
    stop();
    find("thanks").textContent = whole ? "Thank you, that was the last one" : "Your answers so far";
    find("left").hidden = whole;
    find("left").textContent = `${session.answers.length} of ${plan.length} answered. `
      + "Reload this page and type the same name to go on.";
    find("end-back").hidden = !whole || !mayGoBack;
    find("answers").value = JSON.stringify(session, null, 1);
    show("end");
    find("download").focus();
  }

  function download() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([find("answers").value], { type: "application/json" }));
    const name = session.rater.replace(/[^\p{L}\p{N}_-]+/gu, "_").slice(0, 40);
    link.download = `answers-${study.page.slice(0, 8)}-${name}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  async function copy() {
    try {
      await navigator.clipboard.writeText(find("answers").value);
    } catch (error) {
      find("answers").select();
      document.execCommand("copy");
    }
    find("copy").textContent = "Copied";
  }

  function key(event) {
    if (find("trial").hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    const choice = paired
      ? { ArrowLeft: "left", ArrowUp: "left", ArrowRight: "right", ArrowDown: "right" }[event.key]
      : ["1", "2", "3", "4", "5"].find((digit) => digit === event.key);
    if (!choice && event.key !== " " && event.key !== "Backspace") return;
    event.preventDefault();
    if (event.repeat || event.type === "keyup") return;
    if (choice) choose(choice);
    else if (event.key === "Backspace") back();
    else if (trial && trial.since !== null) play();
  }

  document.addEventListener("keydown", key);
  document.addEventListener("keyup", key); // Firefox clicks a focused button when the space key comes up
  for (const button of buttons) button.addEventListener("click", () => choose(button.dataset.choice));
  find("form").addEventListener("submit", begin);
  find("replay").addEventListener("click", () => trial && trial.since !== null && play());
  find("back").addEventListener("click", back);
  find("end-back").addEventListener("click", back);
  find("stop").addEventListener("click", save);
  find("download").addEventListener("click", download);
  find("copy").addEventListener("click", copy);
  find("rater").value = kept(last) || "";
  find("resume").hidden = !find("rater").value;
  show("start");
}

if (typeof document !== "undefined") openStudy(JSON.parse(document.getElementById("study").textContent));
