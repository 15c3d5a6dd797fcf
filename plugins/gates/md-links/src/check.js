// What is an offence. Talks to the workspace only through `{walk, readText}`.

import { NoVerdict, fail, finding, pass } from '../../../sdk/javascript/leasehold.js';
import { Page } from './page.js';
import { Unresolvable, resolve } from './target.js';

/** Findings in one verdict; more are counted only, since what a gate says counts as output of the call. */
const FINDINGS = 1000;

/** Patterns in one listing: the most that the host takes. */
const PATTERNS = 1024;

/** Judges the links of all files that the configuration names. */
export function check(config, workspace) {
  const paths = choose(config, workspace);
  if (paths.length === 0) {
    const message = 'there is no Markdown file to look at';
    return config.allow_none ? pass(message) : fail(message, [finding('md-links/no-files', message)]);
  }
  const findings = [];
  const pages = new Map();
  const links = [];
  for (const path of paths) {
    const page = load(path, pages, workspace);
    if (page === null) {
      findings.push(finding('md-links/not-text', 'the file is not text in UTF-8', { at: { path } }));
    } else {
      for (const link of page.links) links.push({ path, ...link });
    }
  }
  const targets = links.map((link) => target(link, findings)).filter((link) => link !== null);
  const existing = look(targets, workspace);
  for (const link of targets) {
    const message = wrong(link, existing, config, pages, workspace);
    if (message !== null) findings.push(offence(link, ...message));
  }
  return verdict(links.length, paths.length, findings);
}

function choose(config, workspace) {
  const excluded = new Set();
  if (config.exclude?.length > 0) {
    for (const entry of workspace.walk(config.exclude)) excluded.add(entry.path);
  }
  const paths = [];
  for (const entry of workspace.walk(config.files ?? ['**/*.md'])) {
    if (entry.kind !== 'file' || excluded.has(entry.path)) continue;
    // A file of which only the name is shown has not been judged.
    if (!entry.readable) throw new NoVerdict('blocked', `the lease does not let this gate read ${entry.path}`);
    paths.push(entry.path);
  }
  return paths;
}

function load(path, pages, workspace) {
  if (!pages.has(path)) {
    const text = workspace.readText(path);
    pages.set(path, text === null ? null : new Page(text));
  }
  return pages.get(path);
}

/** The link with what it leads to; null when that is outside of what is checked. */
function target(link, findings) {
  try {
    const resolved = resolve(link.path, link.target);
    return resolved && { ...link, ...resolved };
  } catch (error) {
    if (!(error instanceof Unresolvable)) throw error;
    findings.push(offence(link, error.rule, error.message));
    return null;
  }
}

/** Which of the targets exist, by path and kind. Only their names are asked for: what else there is does not matter. */
function look(targets, workspace) {
  const wanted = [...new Set(targets.map((link) => link.to))].filter((path) => path !== '').sort();
  const existing = new Map([['', 'directory']]);
  for (let at = 0; at < wanted.length; at += PATTERNS) {
    // A name with `*` or `?` may match others as well; these are not asked for later.
    for (const entry of workspace.walk(wanted.slice(at, at + PATTERNS))) existing.set(entry.path, entry);
  }
  return existing;
}

/** What is wrong with a link, as rule and message, or null. */
function wrong(link, existing, config, pages, workspace) {
  const entry = existing.get(link.to);
  if (entry === undefined) return ['md-links/missing', `${link.to} does not exist`];
  if (link.directory && entry.kind === 'file') return ['md-links/missing', `${link.to} is a file, not a directory`];
  if (!config.anchors || !link.fragment || !link.to.endsWith('.md') || entry.kind !== 'file') return null;
  if (!entry.readable) throw new NoVerdict('blocked', `the lease does not let this gate read ${link.to}`);
  const page = load(link.to, pages, workspace);
  if (page === null || page.anchors.has(link.fragment)) return null;
  const where = link.to === link.path ? 'this file' : link.to;
  return ['md-links/anchor', `${where} has no heading with the anchor #${link.fragment}`];
}

function offence(link, rule, message) {
  return finding(rule, message, {
    at: { path: link.path, line: link.line, column: link.column },
    fingerprint: `${rule}:${link.path}:${link.target}`,
  });
}

function verdict(links, files, findings) {
  const summary = `${links} links in ${files} files`;
  if (findings.length === 0) return pass(`${summary}: all that lead into the workspace lead somewhere`);
  findings.sort(inOrder);
  const count = findings.length;
  if (count > FINDINGS) {
    findings.length = FINDINGS;
    findings.push(finding('md-links/more', `and ${count - FINDINGS} offences more`));
  }
  return fail(`${count} ${count === 1 ? 'offence' : 'offences'} in ${summary}`, findings);
}

function inOrder(left, right) {
  if (left.at.path !== right.at.path) return left.at.path < right.at.path ? -1 : 1;
  return (left.at.line ?? 0) - (right.at.line ?? 0) || (left.at.column ?? 0) - (right.at.column ?? 0);
}
