// The whole gate under node: `node --test tests/gate.test.mjs`. Nothing needs to be installed.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { test } from 'node:test';

import { register, workspace } from './host.mjs';

register();
const { gate } = await import('../src/index.js');

function check(files, config = null) {
  workspace.clear();
  for (const [path, content] of Object.entries(files)) workspace.set(path, content);
  return gate.check({ config: JSON.stringify(config), changed: undefined, inputs: [] });
}

/** Rule and place of each finding. */
function offences(files, config) {
  const { outcome, findings } = check(files, config);
  assert.equal(outcome, findings.length === 0 ? 'pass' : 'fail');
  return findings.map(({ rule, at }) => `${rule.replace('md-links/', '')} ${at.path}:${at.line}:${at.column}`);
}

function fixture(name) {
  const root = new URL(`./fixtures/${name}/`, import.meta.url);
  const paths = readdirSync(root, { recursive: true }).map((path) => path.replaceAll('\\', '/'));
  const files = paths.filter((path) => statSync(new URL(path, root)).isFile());
  return Object.fromEntries(files.map((path) => [path, readFileSync(new URL(path, root), 'utf8')]));
}

test('good files pass, with anchors too', () => {
  assert.deepEqual(offences(fixture('good'), { anchors: true }), []);
});

test('each bad link is a finding', () => {
  assert.deepEqual(offences(fixture('bad')), [
    'missing README.md:3:1',
    'missing README.md:4:5',
    'missing README.md:5:1',
    'outside README.md:6:1',
    'missing README.md:7:1',
    'missing README.md:9:8',
    'missing docs/guide.md:1:4',
  ]);
  assert.deepEqual(offences(fixture('bad'), { anchors: true }).slice(6), [
    'anchor README.md:11:1',
    'anchor README.md:12:1',
    'missing docs/guide.md:1:4',
  ]);
});

test('links that lead out of the workspace are not looked at', () => {
  const text = '[a](https://example.com/x.md) [b](mailto:a@example.com) [c](//example.com/x) <https://example.com> [d](HTTP://x)\n';
  assert.deepEqual(offences({ 'a.md': text }), []);
});

test('code and comments hold no links', () => {
  for (const text of [
    '`[a](b)`',
    '``[a](b) ` ``',
    '```\n[a](b)\n```',
    '~~~ x\n```\n[a](b)\n~~~',
    '    [a](b)',
    '<!-- [a](b) -->',
    '<!--\n[a](b)\n-->',
    '<pre>\n\n[a](b)\n</pre>',
    '---\nx: "[a](b)"\n---\n',
    '\\[a](b)',
    '- a\n\n  ```\n  [a](b)\n  ```',
    '> ```\n> [a](b)\n> ```',
    '[a] (b)',
    '[a](b c)',
    '[^1]: b',
  ]) {
    assert.deepEqual(offences({ 'a.md': text }), [], text);
  }
});

test('links are found in all their forms', () => {
  for (const [text, column] of [
    ['[a](b)', 1],
    ['![a](b)', 2],
    ['é 😀 [a]( b "t" )', 5],
    ['[a](<b c>)', 1],
    ['[a\nb](c)', 1],
    ['[a](b(c))', 1],
    ['[`]`](b)', 1],
    ["[a](b 't)')", 1],
    ['[[a]](b)', 1],
    ['[a]: b', 6],
    ['[a]: <b> "t"', 6],
    ['<a class="x" href="b">x</a>', 1],
    ["<img\n src='b'>", 1],
    ['> [a](b)', 3],
    ['- [a](b)', 3],
    ['- a\n    [a](b)', 5],
    ['| [a](b) |', 3],
    ['# [a](b)', 3],
    ['[a](b%20c)', 1],
    ['[a](b&amp;c)', 1],
    ['[a](b\\_c)', 1],
  ]) {
    const found = offences({ 'a.md': text });
    assert.equal(found.length, 1, text);
    assert.ok(found[0].endsWith(`:${column}`), `${text}: ${found}`);
  }
  assert.deepEqual(offences({ 'a.md': '[![a](b)](c)' }), ['missing a.md:1:1', 'missing a.md:1:3']);
});

test('paths are resolved as on GitHub', () => {
  const files = { 'docs/b c.md': '', 'docs/[x].md': '', 'docs/100%.md': '', 'LICENSE': null };
  const link = (target, count) => assert.equal(offences({ ...files, 'docs/a.md': `[a](<${target}>)` }).length, count, target);
  for (const target of ['b%20c.md', 'b c.md', './b c.md', '/docs/b c.md', '../LICENSE', '/LICENSE?x#y', '..', '/', '.', '../docs/', '[x].md', '100%.md', '#x', '', '?x']) {
    link(target, 0);
  }
  for (const target of ['B c.md', '../b c.md', '/b c.md', '../../LICENSE', '../LICENSE/', '*.md', 'b?c.md', '%00', 'x'.repeat(2000), 'a//b//c']) {
    link(target, 1);
  }
});

test('anchors are those of GitHub', () => {
  const headings = '# Über `a_b` & _c_ [d](#top)!\n\nTwo\nlines\n---\n\n## A\n## A\n<a id="Own"></a>\n> # Quoted\n\n```\n# no\n```\n';
  const anchor = (name) => offences({ 'a.md': `[x](b.md#${name})`, 'b.md': headings }, { anchors: true }).length;
  for (const name of ['über-a_b--c-d', '%C3%BCber-a_b--c-d', 'two-lines', 'a', 'a-1', 'Own', 'quoted', 'top', '']) {
    assert.equal(anchor(name), 0, name);
  }
  for (const name of ['A', 'a-2', 'no', 'own', 'two', 'lines']) assert.equal(anchor(name), 1, name);
  assert.equal(offences({ 'a.md': '[x](b.txt#L7)', 'b.txt': 'x' }, { anchors: true }).length, 0);
});

test('looking at nothing is no pass unless allowed', () => {
  assert.equal(check({ 'a.txt': '' }).findings[0].rule, 'md-links/no-files');
  assert.equal(check({ 'a.txt': '' }, { allow_none: true }).outcome, 'pass');
  assert.deepEqual(offences({ 'a.md': '', 'b.md': '[a](x)' }, { exclude: ['b*'] }), []);
  assert.deepEqual(offences({ 'a.md': '[a](x)', 'b.markdown': '' }, { files: ['*.markdown'] }), []);
});

test('a file that may not be read blocks', () => {
  const blocked = (error) => error.payload.tag === 'blocked' && error.payload.val.includes('secret.md');
  assert.throws(() => check({ 'a.md': '', 'secret.md': null }), blocked);
  assert.throws(() => check({ 'a.md': '[a](secret.md#x)', 'secret.md': null }, { files: ['a.md'], anchors: true }), blocked);
  assert.equal(check({ 'a.md': '[a](secret.md)', 'secret.md': null }, { files: ['a.md'] }).outcome, 'pass');
});

test('what the host says reaches the verdict', () => {
  assert.throws(() => check({ 'a.md': '' }, { files: ['a//b'] }), (error) => error.payload.tag === 'fault');
  const { findings } = check({ 'a.md': new Uint8Array([0xff]) });
  assert.equal(findings[0].rule, 'md-links/not-text');
});

test('a verdict stays small', () => {
  const { findings, summary } = check({ 'a.md': '[a](b)\n'.repeat(1200) });
  assert.equal(findings.length, 1001);
  assert.equal(findings[1000].message, 'and 200 offences more');
  assert.ok(summary.startsWith('1200 offences'));
});

test('nothing makes it throw', () => {
  const pieces = ['[', ']', '(', ')', '`', '``', '_', '\\', '<', '>', '<!--', '-->', '!', '#', '\n', '\n\n', '    ', '- ', '> ', '"', 'a', 'é', '&#x41;', '```', '---'];
  let seed = 1;
  const random = (below) => (seed = (seed * 48271) % 2147483647) % below;
  for (let round = 0; round < 3000; round += 1) {
    let text = '';
    for (let count = 0; count < 16; count += 1) text += pieces[random(pieces.length)];
    check({ 'a.md': text }, { anchors: true });
  }
});
