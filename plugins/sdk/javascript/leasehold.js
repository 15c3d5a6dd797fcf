// What a JavaScript author of a Leasehold gate starts from. It works inside a component that componentize-qjs made of the world
// `gate-plugin` (wit/0.1); docs/authoring.md has the whole way.
//
//   import { Finding, fail, gate as plugin, pass, walk } from '…/leasehold.js';
//   export const gate = plugin((config) => pass('nothing was looked at'));

import { Walk, read as readPiece } from 'leasehold:plugin/workspace@0.1.0';

/** Entries asked for in one host call. */
const ENTRIES = 4096;

/** Bytes asked for in one host call: the most that the host gives. */
const CHUNK = 16 * 1024 * 1024;

/** Why a gate has no verdict. `tag` is `config` (the configuration makes no sense), `blocked` (something is missing) or `fault`. */
export class NoVerdict extends Error {
  constructor(tag, message) {
    super(message);
    this.payload = { tag, val: message };
  }
}

/**
 * The export of a gate. `check` gets the configuration and the subject, and returns a verdict. What the host refuses it becomes
 * `blocked`: what a gate cannot see it does not judge. Any other exception is the gate's own fault.
 */
export function gate(check) {
  return {
    check(subject) {
      try {
        return check(JSON.parse(subject.config), subject);
      } catch (error) {
        throw error instanceof NoVerdict ? error : translated(error);
      }
    },
  };
}

/**
 * What matches any of the patterns and the lease lets this plugin list: `{path, kind, size, executable, readable}`, in ascending byte
 * order of the paths. `kind` is `file`, `directory`, `symlink` or `other`.
 */
export function* walk(patterns) {
  const listing = Walk.open(patterns);
  for (;;) {
    const entries = listing.next(ENTRIES);
    if (entries.length === 0) return;
    yield* entries;
  }
}

/** The whole content of a file, as Uint8Array. */
export function read(path) {
  const pieces = [];
  let length = 0;
  for (;;) {
    const piece = readPiece(path, length, CHUNK);
    pieces.push(piece);
    length += piece.length;
    if (piece.length < CHUNK) break;
  }
  if (pieces.length === 1) return pieces[0];
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** The whole content of a file as text, or null when it is not UTF-8. */
export function readText(path) {
  return decode(read(path));
}

/** Bytes as text, or null when they are not UTF-8. QuickJS has no TextDecoder. */
export function decode(bytes) {
  let binary = '';
  for (let at = 0; at < bytes.length; at += 8192) {
    binary += String.fromCharCode.apply(null, bytes.subarray(at, at + 8192));
  }
  try {
    return decodeURIComponent(escape(binary));
  } catch {
    return null;
  }
}

/** A verdict: everything is as it should be. */
export function pass(summary) {
  return verdict('pass', summary, []);
}

/** A verdict: something is not as it should be. */
export function fail(summary, findings) {
  return verdict('fail', summary, findings);
}

/** A verdict: the gate does not apply to this workspace. */
export function skip(summary) {
  return verdict('skip', summary, []);
}

/**
 * A finding. `at` is `{path, line, column}`, the last two optional and from 1; `level` is `error`, `warning` or `note`. The
 * fingerprint stays the same when the finding moves to another line.
 */
export function finding(rule, message, { at, level = 'error', fingerprint } = {}) {
  const place = at && { path: at.path, line: at.line, column: at.column };
  return { rule, level, message, at: place, fingerprint };
}

function verdict(outcome, summary, findings) {
  return { outcome, summary, findings, code: undefined, data: undefined };
}

/** Errors of the host carry one of the cases of `workspace.error`. */
function translated(error) {
  const payload = error?.payload;
  switch (payload?.tag) {
    case 'denied':
      return new NoVerdict('blocked', `the lease does not allow it (${payload.val})`);
    case 'not-found':
      return new NoVerdict('blocked', 'there is no such file');
    case 'changed':
      return new NoVerdict('blocked', 'the file was changed while it was looked at');
    case 'io':
      return new NoVerdict('blocked', `the host could not read it: ${payload.val}`);
    case 'pattern':
      return new NoVerdict('fault', `path or pattern is not well formed: ${payload.val}`);
    default:
      return new NoVerdict('fault', `${error}\n${error?.stack ?? ''}`.trim());
  }
}
