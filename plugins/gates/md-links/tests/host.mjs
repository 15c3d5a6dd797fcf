// Stands in for the host, so that the gate runs under node: `register()` before the gate is imported, `workspace` is what it sees.

import { register as hook } from 'node:module';

/** Files by path: a string, bytes, or null for one that may be listed but not read. */
export const workspace = new Map();

/** Must be called before a module that imports `leasehold:plugin/…` is loaded. */
export function register() {
  globalThis.leaseholdHost = { Walk, read };
  const stub = 'export const { Walk, read } = globalThis.leaseholdHost;';
  const source = `export function resolve(name, context, next) {
    return name.startsWith('leasehold:') ? { url: 'data:text/javascript,${encodeURIComponent(stub)}', shortCircuit: true } : next(name, context);
  }`;
  hook(`data:text/javascript,${encodeURIComponent(source)}`);
}

class Walk {
  #entries;

  static open(patterns) {
    for (const pattern of patterns) {
      if (pattern === '' || pattern.split('/').includes('')) throw refused({ tag: 'pattern', val: pattern });
    }
    const walk = new Walk();
    const fits = patterns.map(expression);
    walk.#entries = entries().filter((entry) => fits.some((fit) => fit.test(entry.path)));
    return walk;
  }

  next(max) {
    return this.#entries.splice(0, max);
  }
}

function read(path, offset, max) {
  const content = workspace.get(path);
  if (content === undefined) throw refused({ tag: 'not-found' });
  if (content === null) throw refused({ tag: 'denied', val: 'PATH-DENIED' });
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return bytes.slice(offset, offset + max);
}

function refused(payload) {
  return Object.assign(new Error('refused'), { payload });
}

function entries() {
  const found = new Map();
  for (const [path, content] of workspace) {
    const names = path.split('/');
    for (let depth = 1; depth < names.length; depth += 1) {
      const folder = names.slice(0, depth).join('/');
      found.set(folder, { path: folder, kind: 'directory', size: 0, executable: false, readable: true });
    }
    found.set(path, { path, kind: 'file', size: 0, executable: false, readable: content !== null });
  }
  return [...found.values()].sort((left, right) => (left.path < right.path ? -1 : 1));
}

/** A pattern of a lease as a regular expression. */
function expression(pattern) {
  const parts = pattern.split('/').map((part) => {
    if (part === '**') return '(?:[^/]+/)*';
    return `${part.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '[^/]*').replace(/\?/g, '[^/]')}/`;
  });
  return new RegExp(`^${parts.join('').replace(/\/$/, '/?').replace(/\)\*$/, ')*[^/]*')}$`);
}
