import { expect, test } from 'vitest';
import { alertMessage } from '../../../src/slack/alert-blocks.ts';
import { withClusterTitle } from '../../../src/slack/cluster-title.ts';
import { context, section } from '../../../src/slack/pack.ts';
import { problemsOf } from './block-rules.ts';

const alert = alertMessage({
  severity: 'warning',
  title: 'x'.repeat(200),
  paragraphs: ['text'],
  fields: [],
  context: 'flow-trail',
});

test('without a cluster name, a message is unchanged', () => {
  expect(withClusterTitle(alert, '')).toBe(alert);
});

test('the header and the notification begin with the cluster’s name, within Slack’s limits', () => {
  const named = withClusterTitle(alert, 'homelab');
  expect(named.text).toMatch(/^\[homelab\] Warning: /);
  expect(named.blocks[0]).toMatchObject({
    type: 'header',
    text: { text: expect.stringMatching(/^\[homelab\] :warning: Warning: x+/) },
  });
  expect(problemsOf(named)).toEqual([]);
});

test.each(['&', '<', '😀'])('a long title of %s is cut between characters', (character) => {
  for (let length = 100; length <= 160; length += 1) {
    const title = `${'x'.repeat(length % 7)}${character.repeat(length)}`;
    const message = alertMessage({ severity: 'warning', title, paragraphs: [], fields: [], context: 'c' });
    const [header] = withClusterTitle(message, 'homelab').blocks;
    const text = header?.type === 'header' ? header.text.text : '';
    expect(text.length).toBeLessThanOrEqual(150);
    expect(text).not.toMatch(/&(?!(?:amp|lt|gt);)|[\ud800-\udbff]$/);
  }
});

test('a message without a header names the cluster in its context block', () => {
  const message = { text: 'more', blocks: [context('*12 new edges*, message 2 of 3'), section('a')] };
  expect(withClusterTitle(message, 'b').blocks[0]).toMatchObject({
    elements: [{ text: '[b] *12 new edges*, message 2 of 3' }],
  });
});
