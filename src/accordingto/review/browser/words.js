// Choosing words of the article: by mouse or key, as places in code points, which is how the article's offsets count.
const PARTS = ["source", "cue", "content"];
const WORD = /\p{Extended_Pictographic}(?:[\u{fe0f}\u{1f3fb}-\u{1f3ff}]|\u200d\p{Extended_Pictographic})*|[\p{L}\p{N}\p{M}]+(?:['’.,-][\p{L}\p{N}\p{M}]+)*|[^\s\p{L}\p{N}]/gu;
const SENTENCE = /[^.!?\n]+(?:[.!?]+["”’)\]]*|\n|$)\s*/gu;
const NAMES = { source: "Source", cue: "Cue", content: "Content" };

export class Words {
  static MOVES = ["word_forward", "word_back", "sentence_forward", "sentence_back", "grow", "shrink", "grow_sentence", "shrink_sentence", "grow_character", "shrink_character"];

  constructor(announce) {
    this.announce = announce;
    this.active = false;
  }

  // kind: `missed` for a new claim, `spans` to change those of the article's claim `number`.
  start(kind, root, number = -1) {
    if (!root) return;
    this.leave();
    Object.assign(this, { active: true, kind, root, parts: { source: [], cue: [], content: [] } });
    this.read();
    if (number >= 0) PARTS.forEach((part, at) => { this.parts[part] = this.marked(`${number}${"sco"[at]}`); });
    this.before = JSON.stringify(this.spansOf());
    this.chosen = this.selected() ?? null;
    this.cursor = this.chosen?.[1] ?? this.parts.cue[0]?.[0] ?? this.inSight();
    document.body.classList.add("marking");
    root.setAttribute("role", "application"); // so that a screen reader hands the arrow keys on
    root.setAttribute("aria-roledescription", "words to choose");
    const marker = document.getElementById("marker");
    marker.hidden = false;
    marker.querySelector("h3").textContent = kind === "missed" ? "A claim that was missed" : "The words of this claim";
    this.draw();
    root.focus({ preventScroll: true });
    this.intoSight(this.chosen ?? this.parts.cue[0]);
    this.announce("", `${marker.querySelector("h3").textContent}: choose words with the arrow keys; s makes them the source, c the cue, o the content; enter saves, escape leaves.`);
  }

  leave() {
    if (!this.active) return;
    this.active = false;
    document.body.classList.remove("marking");
    const root = document.getElementById("text");
    root?.removeAttribute("role");
    root?.removeAttribute("aria-roledescription");
    const marker = document.getElementById("marker");
    if (marker) marker.hidden = true;
    PARTS.forEach((part) => globalThis.CSS?.highlights?.delete(`chosen-${part}`));
    getSelection().removeAllRanges();
  }

  // The article's text as the page holds it: as many code points as the article, in UTF-16 here.
  read() {
    const walker = document.createTreeWalker(this.root, NodeFilter.SHOW_TEXT);
    this.nodes = [];
    this.text = "";
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      this.nodes.push([this.text.length, node]);
      this.text += node.data;
    }
    this.words = [...this.text.matchAll(WORD)].map((match) => [match.index, match.index + match[0].length]);
    this.sentences = [...this.text.matchAll(SENTENCE)].map((match) => [match.index, match.index + match[0].trimEnd().length]).filter(([start, end]) => end > start);
  }

  // Scrolls a place into what is left of the article's frame.
  intoSight(span) {
    if (!span) return;
    const box = this.range(span).getBoundingClientRect();
    const frame = this.root.getBoundingClientRect();
    const bottom = Math.min(frame.bottom, document.getElementById("marker").getBoundingClientRect().top);
    if (box.top < frame.top + 8 || box.bottom > bottom - 24) this.root.scrollTop += box.top - frame.top - (bottom - frame.top) / 3;
  }

  marked(mark) {
    const spans = [];
    for (const [start, node] of this.nodes) {
      if (!node.parentElement.closest(`[data-r~="${mark}"]`)) continue;
      const end = start + node.data.length;
      if (spans.length && spans.at(-1)[1] === start) spans.at(-1)[1] = end;
      else spans.push([start, end]);
    }
    return spans;
  }

  inSight() {
    const top = Math.max(this.root.getBoundingClientRect().top, 0);
    const paragraph = [...this.root.children].find((p) => p.getBoundingClientRect().bottom > top);
    return this.nodes.find(([, node]) => paragraph?.contains(node))?.[0] ?? 0;
  }

  // What is selected in the article, without the white space around it; undefined where nothing is.
  selected() {
    const selection = getSelection();
    if (!selection.rangeCount || selection.isCollapsed) return undefined;
    const range = selection.getRangeAt(0);
    if (!this.root.contains(range.startContainer) || !this.root.contains(range.endContainer)) return undefined;
    return this.trimmed(this.placeOf(range.startContainer, range.startOffset), this.placeOf(range.endContainer, range.endOffset));
  }

  placeOf(container, offset) {
    if (container.nodeType === Node.TEXT_NODE) return this.nodes.find(([, node]) => node === container)[0] + offset;
    const point = document.createRange();
    point.setStart(container, offset);
    const next = this.nodes.find(([, node]) => point.comparePoint(node, 0) >= 0);
    return next ? next[0] : this.text.length;
  }

  trimmed(start, end) {
    if (start > 0 && /[\udc00-\udfff]/.test(this.text[start]) && /[\ud800-\udbff]/.test(this.text[start - 1])) start--; // not between the halves of a character
    if (/[\udc00-\udfff]/.test(this.text[end] ?? "") && /[\ud800-\udbff]/.test(this.text[end - 1])) end++;
    while (start < end && /\s/.test(this.text[start])) start++;
    while (end > start && /\s/.test(this.text[end - 1])) end--;
    return start < end ? [start, end] : undefined;
  }

  // The browser's own selection changed, by mouse mostly.
  select() {
    if (!this.active || this.moving) return;
    const found = this.selected();
    if (found) { this.chosen = found; this.cursor = found[1]; }
  }

  move(name) {
    const chosen = this.chosen;
    const forward = /forward|grow/.test(name);
    const units = name.includes("sentence") ? this.sentences : this.words;
    if (/sentence_/.test(name)) {
      const from = chosen?.[0] ?? this.cursor;
      const sentence = forward ? units.find(([start]) => start > from) : units.findLast(([start]) => start < from);
      const first = sentence && this.words.find(([start]) => start >= sentence[0]);
      if (first) this.chosen = [...first]; // its first word, from which shift takes in more
    } else if (/forward|back/.test(name) || !chosen) {
      const from = chosen ? (forward ? chosen[1] : chosen[0]) : this.cursor;
      const unit = forward ? units.find(([start]) => start >= from) : units.findLast(([, end]) => end <= from);
      if (unit) this.chosen = [...unit];
    } else if (name.includes("character")) {
      const step = this.width(forward ? chosen[1] : chosen[1] - 1);
      const end = forward ? Math.min(chosen[1] + step, this.text.length) : chosen[1] - step;
      if (end > chosen[0]) this.chosen = [chosen[0], end];
    } else {
      const end = forward ? units.find((unit) => unit[1] > chosen[1])?.[1] : units.findLast((unit) => unit[1] < chosen[1] && unit[1] > chosen[0])?.[1];
      if (end) this.chosen = [chosen[0], end];
    }
    if (this.chosen) this.point();
  }

  // The number of UTF-16 units of the character at a place.
  width(place) {
    const code = this.text.codePointAt(/[\udc00-\udfff]/.test(this.text[place] ?? "") ? place - 1 : place) ?? 0;
    return code > 0xffff ? 2 : 1;
  }

  // Shows what is chosen as the browser's selection, and says it.
  point() {
    this.moving = true;
    const range = this.range(this.chosen);
    getSelection().setBaseAndExtent(range.startContainer, range.startOffset, range.endContainer, range.endOffset);
    this.intoSight([this.chosen[1] - 1, this.chosen[1]]);
    this.announce(this.said(this.chosen));
    setTimeout(() => { this.moving = false; });
  }

  said([start, end]) {
    const words = this.text.slice(start, end);
    return words.length > 90 ? `${words.slice(0, 40)} … ${words.slice(-40)}` : words;
  }

  range([start, end]) {
    const range = document.createRange();
    const at = (place, last) => this.nodes.findLast(([from, node]) => (last ? from < place : from <= place && place < from + node.data.length)) ?? this.nodes[0];
    const [first, final] = [at(start, false), at(end, true)];
    range.setStart(first[1], start - first[0]);
    range.setEnd(final[1], end - final[0]);
    return range;
  }

  // Makes what is chosen a part of the claim, or a further stretch of it.
  take(part, more) {
    if (!this.chosen) return this.announce("Choose words first.");
    const kept = more ? this.parts[part] : [];
    const spans = [...kept, [...this.chosen]].sort((a, b) => a[0] - b[0]);
    this.parts[part] = spans.reduce((out, span) => {
      if (out.length && span[0] <= out.at(-1)[1]) out.at(-1)[1] = Math.max(out.at(-1)[1], span[1]);
      else out.push(span);
      return out;
    }, []);
    this.draw();
    this.announce(`${NAMES[part]}: ${this.parts[part].map((span) => this.said(span)).join(" … ")}`);
  }

  clear(part) {
    this.parts[part] = [];
    this.draw();
    this.announce(`${NAMES[part]}: none.`);
  }

  draw() {
    for (const part of PARTS) {
      const cell = document.querySelector(`#marker [data-part="${part}"]`);
      cell.textContent = this.parts[part].map(([start, end]) => this.text.slice(start, end).replace(/\s+/g, " ")).join(" … ") || "not chosen";
      cell.classList.toggle("empty", !this.parts[part].length);
      if (globalThis.Highlight) CSS.highlights.set(`chosen-${part}`, new Highlight(...this.parts[part].map((span) => this.range(span))));
    }
  }

  // The parts in code points as the log has them; nothing, with a word why, where one is missing.
  spans() {
    if (!this.parts.cue.length || !this.parts.content.length) {
      this.announce(`A claim needs ${this.parts.cue.length ? "" : "a cue"}${this.parts.cue.length || this.parts.content.length ? "" : " and "}${this.parts.content.length ? "" : "content"}. Choose words, then press ${this.parts.cue.length ? "o" : "c"}.`);
      return null;
    }
    return this.spansOf();
  }

  spansOf() {
    return Object.fromEntries(PARTS.map((part) => [`${part}_spans`, this.parts[part].map((span) => span.map((place) => this.points(place)).join(" ")).join(";")]));
  }

  // A place in code points.
  points(place) {
    let count = 0;
    for (const _ of this.text.slice(0, place)) count++;
    return count;
  }
}
