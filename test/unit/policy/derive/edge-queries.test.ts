import { describe, expect, test } from 'vitest';
import { answerEdgeQuery } from '../../../../src/policy/derive/edge-queries.ts';

const edges = [
  { srcNs: 'b', dstNs: 'redis', action: 'allow' },
  { srcNs: 'a', dstNs: 'redis', action: 'allow' },
  { srcNs: 'a', dstNs: 'dbaas', action: 'allow' },
  { srcNs: 'a', dstNs: 'dbaas', action: 'deny' },
  { srcNs: 'c', dstNs: 'dbaas', action: 'deny' },
];

describe("the runbook's queries", () => {
  test('per namespace: the distinct allowed destinations, sorted', () => {
    const query = { name: 'allowlist', namespace: 'a' } as const;
    expect(answerEdgeQuery(edges, query, 'text')).toBe('dst_ns\ndbaas\nredis\n');
    expect(answerEdgeQuery(edges, query, 'csv')).toBe('dst_ns\r\ndbaas\r\nredis\r\n');
    expect(JSON.parse(answerEdgeQuery(edges, query, 'json'))).toEqual([
      { dst_ns: 'dbaas' },
      { dst_ns: 'redis' },
    ]);
  });

  test('the matrix: every source with its allowed destinations as an array', () => {
    const query = { name: 'matrix' } as const;
    expect(answerEdgeQuery(edges, query, 'text')).toBe(
      'src_ns  allowed_dst_ns\na       {dbaas,redis}\nb       {redis}\n',
    );
    expect(answerEdgeQuery(edges, query, 'csv')).toBe(
      'src_ns,allowed_dst_ns\r\na,"{dbaas,redis}"\r\nb,{redis}\r\n',
    );
    expect(JSON.parse(answerEdgeQuery(edges, query, 'json'))).toEqual([
      { src_ns: 'a', allowed_dst_ns: ['dbaas', 'redis'] },
      { src_ns: 'b', allowed_dst_ns: ['redis'] },
    ]);
  });

  test('the check: denied pairs', () => {
    const query = { name: 'denied' } as const;
    expect(answerEdgeQuery(edges, query, 'csv')).toBe('src_ns,dst_ns\r\na,dbaas\r\nc,dbaas\r\n');
    expect(answerEdgeQuery([], query, 'text')).toBe('src_ns  dst_ns\n');
  });
});
