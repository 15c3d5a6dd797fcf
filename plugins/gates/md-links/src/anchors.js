// Anchors of headings, as GitHub makes them.

/** Made once, when the component is made: expressions over Unicode properties are large. */
const PUNCTUATION = /[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc} -]/gu;

export class Anchors {
  #given = new Map();

  /** The anchor of the next heading: lower case, punctuation away, spaces to `-`; a second one gets `-1`. */
  add(text) {
    // Letter by letter: a sigma at the end of a word stays the common one.
    const lower = [...text.trim()].map((letter) => letter.toLowerCase()).join('');
    const slug = lower.replace(PUNCTUATION, '').replace(/ /g, '-');
    let anchor = slug;
    while (this.#given.has(anchor)) {
      const count = this.#given.get(slug) + 1;
      this.#given.set(slug, count);
      anchor = `${slug}-${count}`;
    }
    this.#given.set(anchor, 0);
    return anchor;
  }
}
