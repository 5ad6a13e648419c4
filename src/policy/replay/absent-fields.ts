/** Optional fields for which an empty text means the same as none, such as Calico's `selector: ''`. */
const texts = new Set([
  'selector',
  'notSelector',
  'namespaceSelector',
  'serviceAccountSelector',
  'tier',
  'namespace',
  'stagedAction',
]);
/** Optional lists, for which an empty one means the same as none. */
const lists = new Set([
  ...['policyTypes', 'types', 'ingress', 'egress', 'from', 'to', 'ports', 'notPorts', 'protocols'],
  ...[
    'nets',
    'notNets',
    'except',
    'names',
    'methods',
    'paths',
    'matchExpressions',
    'performanceHints',
    'items',
  ],
]);
/** Other optional fields. */
const others = new Set([
  ...['metadata', 'labels', 'annotations', 'status', 'spec', 'order', 'defaultAction'],
  ...['source', 'destination', 'protocol', 'notProtocol', 'icmp', 'notICMP', 'ipVersion', 'http'],
  ...[
    'serviceAccounts',
    'services',
    'podSelector',
    'ipBlock',
    'matchLabels',
    'port',
    'endPort',
    'destinationPort',
  ],
]);
/** The value false means the same as none. */
const switches = new Set(['doNotTrack', 'applyOnForward', 'preDNAT']);
/** Their values are data; an empty value counts. */
const dataFields = new Set(['labels', 'matchLabels', 'annotations', 'values']);

/** Drops fields that the API server treats as absent: optional ones that are null, an empty text or an empty list. */
export function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, child]: [string, unknown]) =>
      isAbsent(key, child) ? [] : [[key, dataFields.has(key) ? child : withoutEmpty(child)]],
    ),
  );
}

function isAbsent(key: string, value: unknown): boolean {
  if (value === null) return texts.has(key) || lists.has(key) || others.has(key) || switches.has(key);
  if (value === '') return texts.has(key);
  if (value === false) return switches.has(key);
  return Array.isArray(value) && value.length === 0 && lists.has(key);
}
