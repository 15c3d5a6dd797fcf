// A Markdown file: its links and the anchors of its headings. The part of CommonMark 0.31 that matters for that.

import { Anchors } from './anchors.js';
import { masked } from './blocks.js';
import { inlineLinks, plain } from './inline.js';
import { matchAt } from './match.js';

/** `[label]: target`, but no footnote. */
const DEFINITION = /( {0,3}\[(?!\^)[^\]]+\]:[ \t]*)(?:<([^<>]*)>|(\S+))/y;

export class Page {
  /** Links as `{target, line, column}`, line and column (in code points) from 1. */
  links = [];
  /** Anchors to which a fragment can lead. */
  anchors = new Set();

  constructor(text) {
    const { lines, headings } = masked(text);
    let block = [];
    let start = 0;
    lines.forEach((line, number) => {
      if (line.trim() === '') {
        this.#read(block, start);
        block = [];
      } else {
        if (block.length === 0) start = number;
        block.push(line);
      }
    });
    this.#read(block, start);
    const anchors = new Anchors();
    for (const heading of headings) this.anchors.add(anchors.add(plain(heading)));
    // GitHub knows this one everywhere.
    this.anchors.add('top');
  }

  /** Reads lines without an empty one between them: no link goes beyond. */
  #read(lines, first) {
    const source = lines.join('\n');
    const place = (at) => {
      const before = source.slice(0, at).split('\n');
      return { line: first + before.length, column: [...before[before.length - 1]].length + 1 };
    };
    for (const { at, target, anchor } of inlineLinks(source)) {
      if (anchor !== undefined) this.anchors.add(anchor);
      else this.links.push({ target, ...place(at) });
    }
    lines.forEach((line, index) => {
      const definition = matchAt(DEFINITION, line);
      if (definition !== null) {
        const target = definition[2] ?? definition[3];
        this.links.push({ target, line: first + index + 1, column: [...definition[1]].length + 1 });
      }
    });
  }
}
