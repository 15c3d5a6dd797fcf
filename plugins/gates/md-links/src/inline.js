// Inline markup: links, images, code and HTML.

import { matchAt } from './match.js';

const MARKS = /[\\`<[\]]/g;

/** Links and anchors in a piece of text: `{at, target}` or `{at, anchor}`, by place in UTF-16 units. */
export function inlineLinks(source) {
  const found = [];
  const open = [];
  // From one special character to the next: a loop over all of them takes a hundred times as long.
  MARKS.lastIndex = 0;
  for (let mark; (mark = MARKS.exec(source)) !== null; ) {
    const at = mark.index;
    switch (mark[0]) {
      case '\\':
        MARKS.lastIndex = at + 2;
        break;
      case '`':
        MARKS.lastIndex = at + codeSpan(source, at);
        break;
      case '<':
        MARKS.lastIndex = at + html(source, at, found);
        break;
      case '[':
        open.push(at);
        break;
      case ']': {
        const start = open.pop();
        if (start === undefined || source[at + 1] !== '(') break;
        const link = destination(source, at + 2);
        if (link === null) break;
        found.push({ at: start, target: link.target });
        MARKS.lastIndex = link.end + 1;
        break;
      }
    }
  }
  return found.sort((left, right) => left.at - right.at);
}

const ESCAPE = /\\[!-/:-@[-`{-~]/y;
const ANGLE = /<(?:!--.*?-->|\/?[a-z][^<>]*>)/isy;
const ENTITY = /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]+));/iy;

/** The text of a heading without markup, from which its anchor is made. */
export function plain(source) {
  let text = '';
  for (let at = 0; at < source.length; ) {
    const next = source[at];
    let match;
    if (next === '\\' && matchAt(ESCAPE, source, at) !== null) {
      text += escaped(source[at + 1]);
      at += 2;
    } else if (next === '`') {
      const length = codeSpan(source, at);
      text += escaped(source.slice(at, at + length).replace(/^`+ ?| ?`+$/g, ''));
      at += length;
    } else if (next === '<' && (match = matchAt(ANGLE, source, at)) !== null) {
      // Links in pointed brackets are text.
      if (/^<[a-z][a-z0-9+.-]+:[^\s<>]*>$/i.test(match[0])) text += match[0];
      at += match[0].length;
    } else if (next === '!' && (match = bracketed(source, at + 1)) !== null) {
      at = match.end;
    } else if (next === '[' && (match = bracketed(source, at)) !== null) {
      text += escaped(plain(match.text));
      at = match.end;
    } else if (next === '&' && (match = matchAt(ENTITY, source, at)) !== null) {
      text += entity(match);
      at += match[0].length;
    } else {
      text += next;
      at += 1;
    }
  }
  return unescaped(withoutEmphasis(text));
}

/** The length of a code span with its ticks; of the ticks alone when they are not closed. */
function codeSpan(source, at) {
  const runs = /`+/g;
  runs.lastIndex = at;
  const ticks = runs.exec(source)[0].length;
  for (let run; (run = runs.exec(source)) !== null; ) {
    if (run[0].length === ticks) return run.index + ticks - at;
  }
  return ticks;
}

const TAG = /<(?:!--[\s\S]*?-->|\/?([a-z][a-z0-9-]*)((?:"[^"]*"|'[^']*'|[^<>"'])*)>)/iy;
const ATTRIBUTE = /\s([a-z]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/gi;

/** The length of a tag or comment. Its links and anchors are added. */
function html(source, at, found) {
  const tag = matchAt(TAG, source, at);
  if (tag === null) return 1;
  const name = tag[1]?.toLowerCase();
  ATTRIBUTE.lastIndex = 0;
  for (let match; (match = ATTRIBUTE.exec(tag[2] ?? '')) !== null; ) {
    const [, key, double, single, bare] = match;
    const value = double ?? single ?? bare;
    const attribute = `${name} ${key.toLowerCase()}`;
    if (attribute === 'a href' || attribute === 'img src') found.push({ at, target: entities(value) });
    else if (attribute === 'a name' || key.toLowerCase() === 'id') found.push({ at, anchor: value });
  }
  return tag[0].length;
}

const SPACE = /\s*/y;
const POINTED = /<((?:\\.|[^<>\n\\])*)>/y;
const TITLE = /(?:\s+(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\((?:\\.|[^()\\])*\)))?\s*\)/sy;

/** `target "title")` of a link, from behind its parenthesis; null when it is none. */
function destination(source, start) {
  let target;
  let at = start + matchAt(SPACE, source, start)[0].length;
  const pointed = matchAt(POINTED, source, at);
  if (pointed !== null) {
    target = pointed[1];
    at += pointed[0].length;
  } else {
    const from = at;
    for (let depth = 0; at < source.length && !/\s/.test(source[at]); at += 1) {
      if (source[at] === '\\') at += 1;
      else if (source[at] === '(') depth += 1;
      else if (source[at] === ')' && (depth -= 1) < 0) break;
    }
    target = source.slice(from, at);
  }
  const end = matchAt(TITLE, source, at);
  if (end === null) return null;
  return { target: entities(target.replace(/\\([!-/:-@[-`{-~])/g, '$1')), end: at + end[0].length - 1 };
}

const LABEL = /\[[^\]]*\]/y;

/** The text in brackets at a place when a target follows, and where all of it ends; null when it is no link. */
function bracketed(source, start) {
  let depth = 0;
  for (let at = start; at < source.length; at += 1) {
    if (source[at] === '\\') at += 1;
    else if (source[at] === '`') at += codeSpan(source, at) - 1;
    else if (source[at] === '[') depth += 1;
    else if (source[at] === ']' && (depth -= 1) === 0) {
      const text = source.slice(start + 1, at);
      if (source[at + 1] === '(') {
        const link = destination(source, at + 2);
        if (link !== null) return { text, end: link.end + 1 };
      }
      // The label of a reference is no text. Whether the reference exists is not looked at.
      const label = matchAt(LABEL, source, at + 1);
      return { text, end: at + 1 + (label?.[0].length ?? 0) };
    }
    if (depth === 0) return null;
  }
  return null;
}

/** Underscores that are text are kept apart from those that mark emphasis by a character that no text has. */
const escaped = (text) => text.replaceAll('_', '\u0001');
const unescaped = (text) => text.replaceAll('\u0001', '_');

/** Made once, when the component is made: expressions over Unicode properties are large. */
const EMPHASIS = ['__', '_'].map(
  (mark) => new RegExp(`(?<![\\p{L}\\p{N}])${mark}(?=[^\\s_])(.*?[^\\s_])${mark}(?![\\p{L}\\p{N}])`, 'gu'),
);

/** Takes away the underscores around a word or several, not those within one. Other marks of emphasis leave no trace in anchors. */
function withoutEmphasis(text) {
  return text.includes('_') ? EMPHASIS.reduce((rest, pair) => rest.replace(pair, '$1'), text) : text;
}

const NAMED = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0', ndash: '–', mdash: '—', copy: '©', hellip: '…' };

/** What an entity stands for; those that are not known stay as they are. */
function entity([whole, decimal, hexadecimal, name]) {
  if (name !== undefined) return NAMED[name] ?? whole;
  const code = decimal === undefined ? Number.parseInt(hexadecimal, 16) : Number(decimal);
  return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
}

function entities(text) {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]+));/gi, (...match) => entity(match));
}
