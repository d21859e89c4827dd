/** The chat page: typed and spoken questions in one thread. Here the parts are put together. */

import * as api from "./api.js";
import { element, safeHtml, useIcon } from "./elements.js";
import { remember, remembered } from "./memory.js";
import { Speech } from "./speech.js";
import { Suggestions } from "./suggestions.js";
import { Thread } from "./thread.js";
import { label, useWords, word } from "./words.js";

const MOST_ATTEMPTS = 4; // while the server is busy; then the customer says when to try again

const part = (id) => document.getElementById(id);
const box = part("question");
const composer = part("composer");
const microphone = part("microphone");
const readAloud = part("read-aloud");
const languages = part("language");

const customer = {
  language: null, // that the page is in
  chosenLanguage: null, // by the switch: answers keep to it
  conversation: remembered("conversation"),
  readsAloud: remembered("read-aloud"), // null: not said yet, so that what was spoken is answered aloud
};
let offered = []; // the languages that the server offers
let saidTurn; // the number of the answer that is being read aloud
let retry; // of the latest question that went wrong
let turns = Promise.resolve(); // one question after the other

const speech = new Speech((told) => hear[told.type]?.(told));
const thread = new Thread(part("thread"), {
  choose: (text) => submit(text),
  vote: (turn, helpful) => vote(turn, helpful),
  hear: (turn) => (saidTurn === turn.turn ? speech.stop() : say(turn)),
});
const suggestions = new Suggestions(box, part("suggestions"), {
  find: async (text, signal) => (await api.suggestions(text, customer.language, signal)).suggestions,
  take: (text) => submit(text),
  tell: (count) => tell(`${word("suggestions")}: ${count}`),
});

// --- asking ------------------------------------------------------------------------------------

/** A question of the customer, typed, taken or spoken. */
function submit(text, heard) {
  const said = text.trim();
  if (!said) return;
  suggestions.close();
  if (!heard) clearBox();
  speech.wake();
  if (!heard && speech.state !== "quiet") speech.stop();
  takeTurn(() => {
    thread.question(said, Boolean(heard));
    return answered(() => api.ask({ text: said, ...spokenFields(heard), ...context() }), Boolean(heard));
  });
}

function spokenFields(heard) {
  if (!heard) return {};
  return { spoken: true, language: heard.language, also_heard: heard.also_heard ?? [] };
}

/** Straight to an entry, as by a key. */
function openEntry(entry) {
  speech.wake();
  takeTurn(() => answered(() => api.open({ entry, ...context() }), false, true));
}

/** What the server must know of the customer; `conversation` is left out of the first question. */
function context() {
  const { conversation, chosenLanguage, language } = customer;
  return {
    page_language: language,
    ...(conversation && { conversation }),
    ...(chosenLanguage && { language: chosenLanguage }),
  };
}

function takeTurn(take) {
  thread.settle();
  retry = undefined;
  document.body.classList.remove("is-new");
  turns = turns.then(take);
}

async function answered(ask, isSpoken, leads = false) {
  thread.think();
  tell(word("thinking"));
  try {
    showAnswer(await patiently(ask), isSpoken, leads);
  } catch (trouble) {
    retry = () => takeTurn(() => answered(ask, isSpoken, leads));
    thread.trouble(troubled(trouble), retry);
    if (speech.state === "quiet") speech.rest();
  }
}

/** Asked again as often as a server that has too much to do may like; raises any other trouble. */
async function patiently(ask) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (trouble) {
      if (trouble.kind !== "busy" || attempt === MOST_ATTEMPTS) throw trouble;
      thread.think(word("busy"));
      tell(word("busy"));
      await seconds(trouble.waitSeconds);
    }
  }
}

function troubled({ kind }) {
  if (kind === "offline") return word(navigator.onLine ? "unreachable" : "offline") || word("unreachable");
  return word(kind === "busy" ? "still-busy" : "something-wrong") || word("unreachable");
}

function showAnswer(turn, isSpoken, leads) {
  keepConversation(turn.conversation);
  tell("");
  thread.answer(turn, { leads, canHear: canSpeak(turn.language) });
  const isReadAloud = customer.readsAloud && canSpeak(turn.language);
  if (isReadAloud && turn.spoken) say(turn, isSpoken);
  else if (speech.state === "quiet") speech.rest();
}

function keepConversation(id) {
  customer.conversation = id;
  remember("conversation", id);
}

async function vote({ turn }, helpful) {
  try {
    await api.feedback({ conversation: customer.conversation, turn, helpful });
    return true;
  } catch (trouble) {
    notify(troubled(trouble));
    return false;
  }
}

// --- speaking and hearing ------------------------------------------------------------------------

/** What becomes of what the speech side tells. */
const hear = {
  state: ({ state }) => showState(state),
  waiting: ({ isWaiting }) => showWaiting(isWaiting),
  level: ({ level }) => composer.style.setProperty("--level", level.toFixed(2)),
  hearing: ({ text }) => showLive(text),
  heard: (heard) => submit(heard.text, heard),
  nothing: () => sorry("nothing-heard"),
  failed: ({ word: name }) => sorry(name ?? "say-again"),
  lost: () => sorry("microphone-missing"),
  refused: ({ word: name }) => sorry(name),
  interrupted: () => speech.listen([customer.language]),
  said: () => nowSaying(undefined),
};

function pressMicrophone() {
  if (["starting", "listening"].includes(speech.state)) return speech.finish();
  speech.wake();
  notify("");
  customer.readsAloud ??= true;
  showReadAloud();
  return speech.listen([customer.language], customer.readsAloud);
}

function say(turn, attend = false) {
  speech.wake();
  nowSaying(turn.turn);
  speech.say(turn.spoken, turn.language, attend);
}

function nowSaying(number) {
  saidTurn = number;
  show(part("speaking"), number !== undefined);
  thread.mark(number);
}

function sorry(name) {
  nowSaying(undefined);
  if (speech.state === "quiet") speech.rest();
  notify(word(name));
}

function showState(state) {
  const isHearing = ["starting", "listening", "recognizing"].includes(state);
  for (const one of [part("live"), part("cancel")]) show(one, isHearing);
  for (const one of [box, part("send")]) show(one, !isHearing);
  composer.toggleAttribute("data-listening", state === "listening");
  if (state === "starting" || state === "listening") showLive("");
  if (state === "listening") tell(word("listening"));
  if (state !== "listening") composer.style.removeProperty("--level");
  useIcon(microphone.firstElementChild, isHearing ? "done" : "microphone");
  label(microphone, word(isHearing ? "finish" : "speak"));
}

/** All who hear and speak are busy. Whoever is about to speak sees so where their words will stand. */
function showWaiting(isWaiting) {
  const text = isWaiting ? word("one-moment") : "";
  if (speech.state === "starting") tell(text);
  else notify(text);
}

/** Shown or hidden; the focus is never lost with what is hidden. */
function show(element, isShown) {
  const hadFocus = !isShown && element.contains(document.activeElement);
  element.hidden = !isShown;
  if (hadFocus) (microphone.hidden ? box : microphone).focus({ preventScroll: true });
}

function showLive(text) {
  part("so-far").textContent = text || word(speech.state === "starting" ? "one-moment" : "listening");
  part("so-far").classList.toggle("is-empty", !text);
}

function canSpeak(language) {
  return offered.some(({ tag, spoken }) => tag === language && spoken);
}

// --- the page ---------------------------------------------------------------------------------------

/** Words and offers in a language; those of the last visit stand in until the server has told. */
async function greet(wanted) {
  const known = remembered("welcome");
  if (known && (!wanted || known.language === wanted)) showWelcome(known);
  try {
    const welcome = await patiently(() => api.welcome(wanted));
    remember("welcome", welcome);
    showWelcome(welcome);
    notify("");
  } catch (trouble) {
    retry = () => greet(wanted).then(recall);
    notify(troubled(trouble), retry);
  }
}

function showWelcome({ language, languages: known, greeting, samples, words }) {
  customer.language = language;
  offered = known;
  useWords(words, language);
  part("greeting").replaceChildren(safeHtml(greeting.html));
  part("samples").replaceChildren(
    ...samples.map((text) => {
      const ask = () => submit(text);
      return element("li", {}, element("button", { type: "button", class: "pill", onclick: ask }, text));
    }),
  );
  part("proposals").hidden = !samples.length;
  showLanguages(language, known);
  showState(speech.state);
  showReadAloud();
}

function showLanguages(language, known) {
  const options = known.map(({ tag, name }) => element("option", { value: tag, lang: tag }, name));
  languages.replaceChildren(...options);
  languages.value = language;
  languages.parentElement.hidden = known.length < 2;
  const own = known.find(({ tag }) => tag === language);
  part("language-name").textContent = own?.name ?? language;
  microphone.hidden = !own?.heard;
  readAloud.hidden = !own?.spoken;
}

/** The first of the browser's languages that is offered: who reads French and English is greeted in English. */
function firstUnderstood() {
  const bare = (tag) => tag.split("-")[0];
  const tags = navigator.languages.map((wanted) => offered.find(({ tag }) => bare(tag) === bare(wanted))?.tag);
  return tags.find(Boolean);
}

function showReadAloud() {
  readAloud.setAttribute("aria-pressed", String(Boolean(customer.readsAloud)));
}

/** The conversation of before a reload. */
async function recall() {
  if (!customer.conversation || !thread.isEmpty) return;
  try {
    const known = await patiently(() => api.transcript(customer.conversation));
    customer.chosenLanguage = known.chosen_language;
    if (!known.turns.length || !thread.isEmpty) return;
    document.body.classList.remove("is-new");
    thread.restore(known.turns, ({ language }) => canSpeak(language));
    scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
  } catch (trouble) {
    if (trouble.kind === "gone") keepConversation(null);
    else notify(troubled(trouble), () => (notify(""), recall()));
  }
}

async function switchLanguage() {
  const { value } = languages;
  speech.stop();
  customer.chosenLanguage = value;
  remember("language", value);
  await greet(value);
  if (thread.isEmpty || !customer.conversation) return;
  takeTurn(() => answered(() => api.repeat(context()), false, true)); // the last answer, in this language
}

function switchReadAloud() {
  customer.readsAloud = !customer.readsAloud;
  remember("read-aloud", customer.readsAloud);
  if (customer.readsAloud) speech.wake();
  else speech.stop();
  showReadAloud();
}

/** All is forgotten, here and on the server. */
function startOver() {
  const { conversation } = customer;
  speech.stop();
  turns = turns.then(() => {
    keepConversation(null);
    thread.clear();
    notify("");
    document.body.classList.add("is-new");
    tell(word("restarted"));
    scrollTo({ top: 0 });
    box.focus();
    return conversation && api.forget(conversation).catch(() => {}); // it is forgotten by itself in time
  });
}

/** Something that must be known; empty: nothing any more. */
function notify(text, again) {
  const notice = part("notice");
  const button = again && element("button", { type: "button", class: "pill", onclick: again }, word("retry"));
  notice.replaceChildren(element("span", {}, text), ...(button ? [button] : []));
  notice.hidden = !text;
}

/** Said to those who do not see what happens. */
function tell(text) {
  part("status").textContent = text;
}

function clearBox() {
  box.value = "";
  fitBox();
}

/** As high as what is written in it: Firefox does not do that by itself yet. */
function fitBox() {
  if (CSS.supports("field-sizing", "content")) return;
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight}px`;
}

function boxKey(event) {
  if (event.isComposing || event.keyCode === 229) return; // Korean letters are still being put together
  if (suggestions.key(event)) event.preventDefault();
  else if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    submit(box.value);
  }
}

function pageKey(event) {
  if (event.key !== "Escape" || event.defaultPrevented || speech.state === "quiet") return;
  event.preventDefault(); // in a frame, the chat stays open
  speech.stop();
}

const seconds = (count) => new Promise((resolve) => setTimeout(resolve, count * 1000));

box.addEventListener("input", fitBox);
box.addEventListener("keydown", boxKey);
box.addEventListener("input", () => speech.state === "speaking" && speech.stop());
document.addEventListener("keydown", pageKey);
composer.addEventListener("submit", (event) => (event.preventDefault(), submit(box.value)));
microphone.addEventListener("click", pressMicrophone);
for (const id of ["stop", "cancel"]) part(id).addEventListener("click", () => speech.stop());
readAloud.addEventListener("click", switchReadAloud);
languages.addEventListener("change", switchLanguage);
part("person").addEventListener("click", () => openEntry("person-please"));
part("start-over").addEventListener("click", startOver);
addEventListener("offline", () => notify(word("offline")));
addEventListener("online", () => (notify(""), retry?.()));
addEventListener("pagehide", () => speech.close());

customer.chosenLanguage = remembered("language");
const asked = customer.chosenLanguage ?? new URLSearchParams(location.search).get("language");
await greet(asked ?? navigator.language);
const understood = asked ? undefined : firstUnderstood();
if (understood && understood !== customer.language) await greet(understood);
await recall();
