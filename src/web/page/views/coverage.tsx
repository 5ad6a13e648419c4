import type { MapStretch } from '../../../queries/map-data.ts';
import { counted, type Times } from '../format.ts';
import { List, View } from './list.tsx';

export const stateTexts: Record<string, string> = {
  final: 'fully observed',
  settled: 'fully observed',
  streamed: 'streamed only: about 5 % of records can be missing',
  gap: 'not observed',
  incomplete: 'incomplete: some records were rejected or dropped',
  pending: 'too recent to be settled',
  unknown: 'not observed',
};

/** One bar for the last 30 days; even short gaps are wide enough to see. */
export function CoverageStrip({ coverage, times }: { coverage: readonly MapStretch[]; times: Times }) {
  const [first] = coverage;
  const last = coverage.at(-1);
  if (!first || !last) return <p class="strip-empty">Nothing observed yet.</p>;
  const start = Date.parse(first.from);
  const length = Math.max(1, Date.parse(last.to) - start);
  const problems = coverage.filter(({ state }) => state === 'gap' || state === 'incomplete');
  const text =
    problems.length === 0
      ? `Coverage since ${times.minute(first.from)}: no gap.`
      : `Coverage since ${times.minute(first.from)}: ${counted(problems.length, 'time range')} not fully observed.`;
  return (
    <a class="strip" href="#/coverage" title={text}>
      <svg viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label={text}>
        {[...coverage]
          .toSorted((a, b) => Number(a.state === 'gap') - Number(b.state === 'gap'))
          .map(({ from, to, state }) => (
            <rect
              key={from}
              class={state}
              x={((Date.parse(from) - start) / length) * 1000}
              width={Math.max(
                state === 'gap' || state === 'incomplete' ? 3 : 0,
                ((Date.parse(to) - Date.parse(from)) / length) * 1000,
              )}
              y={0}
              height={10}
            />
          ))}
      </svg>
    </a>
  );
}

export function Coverage({ coverage, times }: { coverage: readonly MapStretch[]; times: Times }) {
  return (
    <View label="Coverage">
      <List
        columns={['From', 'To', 'State', 'Cause']}
        caption="The last 30 days, newest first. Coverage describes the flows that Goldmane received, not flows that nodes never reported."
      >
        {coverage.toReversed().map(({ from, to, state, cause }) => (
          <tr key={from}>
            <td>{times.minute(from)}</td>
            <td>{times.minute(to)}</td>
            <td>
              <span class={`state ${state}`}>{state}</span> {stateTexts[state] ?? ''}
            </td>
            <td>{cause ?? ''}</td>
          </tr>
        ))}
      </List>
    </View>
  );
}
