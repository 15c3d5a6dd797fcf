// Regular expressions at a place. QuickJS tries one that begins with `^` at every character before it gives up, a sticky one only once.

/** What a sticky expression matches at a place of the text, or null. */
export function matchAt(expression, text, at = 0) {
  expression.lastIndex = at;
  return expression.exec(text);
}
