// Blocks: what is text, and what only looks like it.

import { matchAt } from './match.js';

/** Elements whose content is taken as it is. */
const VERBATIM = /<(pre|script|style|textarea)(?=[\s>]|$)/iy;
const FENCE = /(?:(`{3,})[^`]*|(~{3,}).*)$/y;
const QUOTES = /(?: {0,3}>)*/y;
const UNDERLINE = /(?:=+|-+)$/y;
const RULE = /([-*_])[ \t]*(?:\1[ \t]*){2,}$/y;
const HEADING = /#{1,6}(?:[ \t]+(.*?))??(?:[ \t]+#*)?$/y;
const DEFINITION = /\[[^\]]+\]:/y;
const LIST_ITEM = /(?:[-*+]|(\d{1,9})[.)])([ \t]+|$)/y;

/**
 * The lines of a document in which code, comments and front matter are blanked, and the sources of its headings in their order. Marks
 * of block quotes are blanked too, so that columns stay what they are.
 */
export function masked(text) {
  const reader = new Reader();
  const lines = (text.startsWith('\ufeff') ? text.slice(1) : text).split('\n');
  const source = lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  const start = frontMatter(source);
  const kept = source.map((line, number) => (number < start ? '' : reader.take(line)));
  return { lines: kept, headings: reader.headings };
}

/** How many lines stand in front of the document, between `---` and `---`. */
function frontMatter(lines) {
  if (lines[0].trimEnd() !== '---') return 0;
  return lines.findIndex((line, number) => number > 0 && line.trimEnd() === '---') + 1;
}

class Reader {
  headings = [];
  /** What ends the code or HTML at hand, and in how many quotes it stands. */
  #verbatim = null;
  /** Columns by which the content of the list item at hand is indented. */
  #item = 0;
  #inItem = false;
  /** Lines of the paragraph at hand, or null. */
  #paragraph = null;
  #quotes = 0;

  /** Gives what is text of a line. */
  take(whole) {
    const marks = matchAt(QUOTES, whole)[0];
    const quotes = marks.split('>').length - 1;
    const line = ' '.repeat(marks.length) + whole.slice(marks.length);
    const content = quotes > 0 ? whole.slice(marks.length).replace(/^ /, '') : whole;
    if (this.#verbatim !== null) {
      if (quotes >= this.#verbatim.quotes) {
        if (this.#verbatim.ends(content)) this.#verbatim = null;
        return '';
      }
      this.#verbatim = null;
    }
    if (quotes !== this.#quotes) this.#endParagraph();
    this.#quotes = quotes;
    if (content.trim() === '') {
      this.#endParagraph();
      return '';
    }
    return this.#text(content, quotes) ? line : '';
  }

  /** Takes a line in which something stands; false when it is code or the like. */
  #text(content, quotes) {
    let indent = columns(content);
    let text = content.trim();
    if (indent < this.#item && listItem(text, this.#paragraph !== null) === 0) this.#item = 0;
    if (indent - this.#item >= 4) {
      // In a paragraph this is text, elsewhere it is code.
      this.#paragraph?.push(text);
      return this.#paragraph !== null || this.#inItem;
    }
    if (this.#paragraph !== null && matchAt(UNDERLINE, text) !== null) {
      this.headings.push(this.#paragraph.join(' '));
      this.#endParagraph();
      return true;
    }
    if (matchAt(RULE, text) !== null) {
      this.#endParagraph();
      return true;
    }
    for (let width; (width = listItem(text, this.#paragraph !== null)) > 0; ) {
      this.#endParagraph();
      this.#inItem = true;
      indent += width;
      this.#item = indent;
      text = text.slice(width).trimStart();
    }
    return this.#block(text, quotes);
  }

  #block(text, quotes) {
    const ends = verbatim(text);
    if (ends !== null) {
      this.#endParagraph();
      const done = ends.sameLine && ends.test(text.slice(4));
      if (!done) this.#verbatim = { quotes, ends: ends.test };
      return done && !text.startsWith('<!--');
    }
    const heading = matchAt(HEADING, text);
    if (heading !== null) {
      this.#endParagraph();
      this.headings.push(heading[1] ?? '');
    } else if (this.#paragraph !== null) {
      this.#paragraph.push(text);
    } else if (!this.#inItem && matchAt(DEFINITION, text) === null) {
      this.#paragraph = [text];
    }
    return true;
  }

  #endParagraph() {
    this.#paragraph = null;
    this.#inItem = false;
  }
}

/** How code or HTML that begins with this line ends; null when none begins. */
function verbatim(text) {
  const fence = matchAt(FENCE, text);
  if (fence !== null) {
    const [mark] = fence[1] ?? fence[2];
    const length = (fence[1] ?? fence[2]).length;
    const isEnd = (text) => text.length >= length && text === mark.repeat(text.length);
    return { test: (line) => isEnd(line.trim()), sameLine: false };
  }
  if (text.startsWith('<!--')) return { test: (line) => line.includes('-->'), sameLine: true };
  const element = matchAt(VERBATIM, text);
  if (element !== null) {
    const end = `</${element[1].toLowerCase()}>`;
    return { test: (line) => line.toLowerCase().includes(end), sameLine: true };
  }
  return null;
}

/** The columns before the text; a tab goes to the next multiple of four. */
function columns(line) {
  let count = 0;
  for (const next of line) {
    if (next === ' ') count += 1;
    else if (next === '\t') count += 4 - (count % 4);
    else break;
  }
  return count;
}

/** The width of the mark of a list item and the space after it; 0 when there is none. */
function listItem(text, inParagraph) {
  const item = matchAt(LIST_ITEM, text);
  if (item === null) return 0;
  const empty = item[0].length === text.length;
  if (inParagraph && (empty || (item[1] !== undefined && item[1] !== '1'))) return 0;
  const mark = item[0].length - item[2].length;
  const spaces = columns(item[2]);
  return mark + (spaces > 4 || spaces === 0 ? 1 : spaces);
}
