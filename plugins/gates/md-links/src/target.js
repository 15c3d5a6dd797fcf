// Where a link leads.

/** A link of which it cannot be said where it leads. */
export class Unresolvable extends Error {
  constructor(rule, message) {
    super(message);
    this.rule = rule;
  }
}

/**
 * The path in the workspace, and the fragment, to which a link in the file `from` leads: `{to, fragment, directory}`. `to` is empty
 * for the root; `directory` says that a slash at the end demands one. Null for links that lead out: `https:`, `mailto:`, `//host`.
 */
export function resolve(from, target) {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target) || target.startsWith('//')) return null;
  const [, path, fragment] = /^([^?#]*)(?:\?[^#]*)?(?:#(.*))?$/s.exec(target);
  const names = path.startsWith('/') || path === '' ? [] : from.split('/').slice(0, -1);
  for (const name of decoded(path).split('/')) {
    if (name === '' || name === '.') continue;
    if (name !== '..') names.push(name);
    else if (names.pop() === undefined) throw new Unresolvable('md-links/outside', `${target} leads out of the workspace`);
  }
  const to = path === '' ? from : names.join('/');
  if (!isPath(to)) throw new Unresolvable('md-links/missing', `${target} cannot be the name of a file`);
  return { to, fragment: decoded(fragment ?? ''), directory: path.endsWith('/') };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that stands for itself.
    return text;
  }
}

/** Whether it can be asked for: the host takes no pattern with control characters, or longer than these. */
function isPath(path) {
  return path.length <= 1024 && path.split('/').length <= 64 && !/[\u0000-\u001f\u007f\\]/.test(path);
}
