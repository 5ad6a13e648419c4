/** The state of the page is in its URL fragment (after `#`), so that every view can be linked to. */
export interface Route {
  view: View;
  /** Selected namespace; empty if none. */
  namespace: string;
  filters: Filters;
  /** For the incident view and the comparison of two times; ISO 8601 or empty. */
  from: string;
  to: string;
  /** Whether changes are shown as lists or on the map. */
  show: 'list' | 'map';
}

export const views = [
  'overview',
  'matrix',
  'edges',
  'changes',
  'incident',
  'coverage',
  'readiness',
  'runs',
  'health',
] as const;
export type View = (typeof views)[number];

export interface Filters {
  /** Part of a namespace's name. */
  search: string;
  action: '' | 'allow' | 'deny' | 'pass' | 'unspecified';
  /** Edges seen within this many days; 0 for all. */
  seenWithinDays: number;
  /** Edges first seen within this many days; 0 for all. */
  newWithinDays: number;
  /** Edges first seen until this time, epoch milliseconds; 0 for all. The time slider sets it. */
  firstSeenUntil: number;
  /** Service identity at an end; empty for all. */
  identity: string;
  /** Whether endpoints outside the cluster are hidden, shown, or shown exclusively. */
  externals: '' | 'show' | 'only';
}

export const noFilters: Filters = {
  search: '',
  action: '',
  seenWithinDays: 0,
  newWithinDays: 0,
  firstSeenUntil: 0,
  identity: '',
  externals: '',
};

const actions = ['allow', 'deny', 'pass', 'unspecified'] as const;

/** The filter of this name; '' (hidden) for another text. */
export function externalsOf(text: string): Filters['externals'] {
  return text === 'show' || text === 'only' ? text : '';
}

/** The action of this name; '' (any) for another text. */
export function actionOf(text: string): Filters['action'] {
  return actions.find((action) => action === text) ?? '';
}

/** Reads the URL fragment; unknown values become the default. */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?');
  const [view = '', name = ''] = path.split('/');
  const params = new URLSearchParams(query);
  const action = params.get('action') ?? '';
  return {
    view: views.find((known) => known === view) ?? 'overview',
    namespace: decode(name),
    filters: {
      search: params.get('q') ?? '',
      action: actionOf(action),
      seenWithinDays: positive(params.get('seen')),
      newWithinDays: positive(params.get('new')),
      firstSeenUntil: positive(params.get('until')),
      identity: params.get('identity') ?? '',
      externals: externalsOf(params.get('externals') ?? ''),
    },
    from: params.get('from') ?? '',
    to: params.get('to') ?? '',
    show: params.get('show') === 'map' ? 'map' : 'list',
  };
}

export function formatRoute({ view, namespace, filters, from, to, show }: Route): string {
  const params = new URLSearchParams();
  const { search, action, seenWithinDays, newWithinDays, firstSeenUntil, identity, externals } = filters;
  if (search !== '') params.set('q', search);
  if (action !== '') params.set('action', action);
  if (seenWithinDays > 0) params.set('seen', String(seenWithinDays));
  if (newWithinDays > 0) params.set('new', String(newWithinDays));
  if (firstSeenUntil > 0) params.set('until', String(firstSeenUntil));
  if (identity !== '') params.set('identity', identity);
  if (externals !== '') params.set('externals', externals);
  if (from !== '') params.set('from', from);
  if (to !== '') params.set('to', to);
  if (show === 'map') params.set('show', show);
  const query = params.toString();
  const path = namespace === '' ? view : `${view}/${encodeURIComponent(namespace)}`;
  return `#/${path}${query === '' ? '' : `?${query}`}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

function positive(text: string | null): number {
  const number = Number(text ?? 0);
  return Number.isFinite(number) && number > 0 ? number : 0;
}
