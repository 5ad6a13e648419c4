import { useEffect, useRef, useState } from 'preact/hooks';
import type { DetailRow, MapData } from '../../../queries/map-data.ts';
import { readAllowlist, readDetail } from '../api.ts';
import { counted, type Times } from '../format.ts';
import { useAnswer } from '../use-answer.ts';
import { Action } from './edges.tsx';

interface NamespaceProps {
  data: MapData;
  name: string;
  times: Times;
  select: (name: string) => void;
}

/** The picture of one namespace: callers on the left, callees on the right, by port and identity. */
export function Namespace({ data, name, times, select }: NamespaceProps) {
  const detail = useAnswer((signal) => readDetail(data, name, signal), [data, name], name);
  const known = data.namespaces.find((namespace) => namespace.name === name);
  return (
    <section class="namespace" aria-label={`Namespace ${name}`}>
      <header>
        <h2>{name}</h2>
        <button type="button" class="close" onClick={() => select('')} aria-label="Close">
          ×
        </button>
      </header>
      {known ? (
        <p class="facts">
          <span class={`verdict ${known.verdict ?? 'learning'}`}>{known.verdict ?? 'not settled yet'}</span>{' '}
          {known.coveredDays.toFixed(1)} of {known.requiredDays} covered days
          {known.lastSeen && <>, last seen {times.ago(known.lastSeen)}</>}
        </p>
      ) : (
        <p class="facts">This namespace has never been seen.</p>
      )}
      {detail === undefined && <p class="notice">Loading…</p>}
      {typeof detail === 'string' && <p class="notice error">{detail}</p>}
      {typeof detail === 'object' && (
        <>
          <div class="ego">
            <Side
              title="Called by"
              rows={detail.rows.filter(({ direction }) => direction === 'in')}
              {...{ times, select }}
            />
            <Side
              title="Calls"
              rows={detail.rows.filter(({ direction }) => direction === 'out')}
              {...{ times, select }}
            />
          </div>
          <p class="facts">
            From the last {detail.periodDays} days of settled records.
            {detail.isCut && ' Only the most recent rows are shown; flow-trail explain shows all.'}
          </p>
        </>
      )}
      {!data.isFile && <Policy name={name} />}
      <p class="facts">
        <a href={`#/incident/${encodeURIComponent(name)}`}>Show its flows in a time range</a>
      </p>
    </section>
  );
}

interface SideProps {
  title: string;
  rows: readonly DetailRow[];
  times: Times;
  select: (name: string) => void;
}

function Side({ title, rows, times, select }: SideProps) {
  const peers = new Map<string, DetailRow[]>();
  for (const row of rows) peers.set(row.peer, [...(peers.get(row.peer) ?? []), row]);
  return (
    <div class="side">
      <h3>
        {title} <small>{counted(peers.size, 'peer')}</small>
      </h3>
      {peers.size === 0 && <p class="notice">No flows seen.</p>}
      {[...peers].map(([peer, own]) => {
        const namespace = own[0]?.peerNamespace ?? '';
        return (
          <div class="peer" key={peer}>
            <h4>
              {namespace === '' ? (
                <span class="external">{peer}</span>
              ) : (
                <button type="button" class="name" onClick={() => select(namespace)}>
                  {peer}
                </button>
              )}
            </h4>
            <ul>
              {joinReporters(own).map((row) => (
                <li key={`${row.identity} ${row.port} ${row.action}`}>
                  <details>
                    <summary>
                      <Action action={row.action} /> {row.port}
                      {row.identity !== '' && <span class="identity"> {row.identity}</span>}
                      {row.staged !== null && (
                        <span class={`action staged ${row.staged}`}>staged: {row.staged}</span>
                      )}
                      <small> {times.ago(row.lastSeen)}</small>
                    </summary>
                    <dl>
                      <dt>First seen</dt>
                      <dd>{times.minute(row.firstSeen)}</dd>
                      <dt>Last seen</dt>
                      <dd>{times.minute(row.lastSeen)}</dd>
                      <dt>Flows</dt>
                      <dd>
                        {row.flows.toLocaleString('en')} on {counted(row.days, 'day')}
                      </dd>
                      <dt>Reported by</dt>
                      <dd>{row.reporters.map(reporterText).join(', ')}</dd>
                      <dt>Policy</dt>
                      <dd>{row.policies.length === 0 ? 'unknown' : row.policies.join('; ')}</dd>
                    </dl>
                  </details>
                </li>
              ))}
            </ul>
          </div>
        );
      })}
    </div>
  );
}

type JoinedRow = DetailRow & { reporters: string[] };

/** Source and destination report the same connection: one line for both, with the counts of the one that saw more. */
function joinReporters(rows: readonly DetailRow[]): JoinedRow[] {
  const joined = new Map<string, JoinedRow>();
  for (const row of rows) {
    const key = `${row.identity}\n${row.port}\n${row.action}`;
    const known = joined.get(key);
    if (!known) joined.set(key, { ...row, reporters: [row.reporter] });
    else
      joined.set(key, {
        ...known,
        reporters: [...new Set([...known.reporters, row.reporter])],
        firstSeen: known.firstSeen < row.firstSeen ? known.firstSeen : row.firstSeen,
        lastSeen: known.lastSeen > row.lastSeen ? known.lastSeen : row.lastSeen,
        days: Math.max(known.days, row.days),
        flows: Math.max(known.flows, row.flows),
        policies: [...new Set([...known.policies, ...row.policies])],
        staged: known.staged ?? row.staged,
      });
  }
  return [...joined.values()];
}

function reporterText(reporter: string): string {
  if (reporter === 'src') return 'the source (egress policy)';
  return reporter === 'dst' ? 'the destination (ingress policy)' : 'unknown';
}

function Policy({ name }: { name: string }) {
  const [text, setText] = useState('');
  const [state, setState] = useState<'closed' | 'reading' | 'shown' | 'failed'>('closed');
  const [isCopied, setCopied] = useState(false);
  const shown = useRef<HTMLPreElement>(null);
  useEffect(() => {
    setState('closed');
    setCopied(false);
  }, [name]);
  const show = () => {
    setState('reading');
    readAllowlist(name).then(
      (policy) => {
        setText(policy);
        setState('shown');
      },
      (error: unknown) => {
        setText(error instanceof Error ? error.message : String(error));
        setState('failed');
      },
    );
  };
  if (state === 'closed')
    return (
      <button type="button" onClick={show}>
        Derive a staged egress policy
      </button>
    );
  if (state === 'reading') return <p class="notice">Deriving…</p>;
  if (state === 'failed') return <p class="notice error">{text}</p>;
  return (
    <div class="policy">
      <button
        type="button"
        onClick={() =>
          void copy(text, shown.current).then(
            () => setCopied(true),
            () => setCopied(false),
          )
        }
      >
        {isCopied ? 'Copied' : 'Copy policy'}
      </button>
      <pre tabIndex={0} ref={shown}>
        {text}
      </pre>
    </div>
  );
}

/** Browsers allow clipboard access only for https and localhost; elsewhere the text is selected, ready for Ctrl-C. */
async function copy(text: string, shown: HTMLElement | null): Promise<void> {
  if (isSecureContext) return navigator.clipboard.writeText(text);
  if (shown) getSelection()?.selectAllChildren(shown);
  throw new Error('The clipboard is not available');
}
