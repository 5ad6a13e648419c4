import { expect, test } from 'vitest';
import { peersIn } from '../../../src/queries/peers.ts';
import { similarTo } from '../../../src/text/similar.ts';

const [early, late] = [new Date(0), new Date(1)];

test('peers are the distinct other ends, with counts and times of both directions', () => {
  const edge = { action: 'allow', firstSeen: early, lastSeen: early, flowCount: '9007199254740993' };
  expect(
    peersIn(
      [
        { ...edge, srcNs: 'immich', dstNs: 'redis' },
        { ...edge, srcNs: 'immich', dstNs: 'redis', action: 'deny' },
        { ...edge, srcNs: 'traefik', dstNs: 'immich' },
        { ...edge, srcNs: 'immich', dstNs: 'traefik', lastSeen: late },
      ],
      'immich',
    ),
  ).toEqual([
    {
      namespace: 'redis',
      direction: 'out',
      actions: ['allow', 'deny'],
      firstSeen: early,
      lastSeen: early,
      flowCount: '18014398509481986',
    },
    {
      namespace: 'traefik',
      direction: 'both',
      actions: ['allow'],
      firstSeen: early,
      lastSeen: late,
      flowCount: '18014398509481986',
    },
  ]);
});

test('similar names differ in a few letters or begin with the given text', () => {
  const known = ['immich', 'authentik', 'monitoring', 'redis', 'kube-system'];
  expect(similarTo('imich', known)).toEqual(['immich']);
  expect(similarTo('monit', known)).toEqual(['monitoring']);
  expect(similarTo('kube_system', known)).toEqual(['kube-system']);
  expect(similarTo('something-else', known)).toEqual([]);
});
