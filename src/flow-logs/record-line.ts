import type { FlowKey, RecordDetails } from '../goldmane/decoder/decode.ts';
import { printable } from '../text/printable.ts';
import { namespaceOf } from '../trail/record.ts';

/** Maximum characters of a name in the line, more than namespace and name may have; the attributes contain the full names. */
const shownLength = 320;

/**
 * One readable line, such as `deny shop/web-* -> db/postgres-* tcp 5432 (dst)`, without characters that a terminal interprets. No two
 * records of a bucket have the same line, because Loki drops an entry whose time and line equal those of another (grafana/loki#15425).
 */
export function lineOf(key: FlowKey, details: RecordDetails): string {
  const { action, protocol, dstPort, reporter } = key;
  const port = dstPort === 0 ? '' : ` ${dstPort}`;
  const { serviceName, serviceNamespace, servicePortName, servicePort } = details;
  const service =
    namespaceOf(serviceName) === ''
      ? ''
      : ` via ${shownName(serviceNamespace, serviceName)}:${servicePort}${namespaceOf(servicePortName) === '' ? '' : `/${servicePortName}`}`;
  const source = shownEnd(key.srcType, key.srcNamespace, details.srcName);
  const destination = shownEnd(key.dstType, key.dstNamespace, details.dstName);
  return printable(`${action} ${source} -> ${destination} ${protocol}${port}${service} (${reporter})`);
}

/** Hosts and sets are marked: they may have the name of something else. */
function shownEnd(type: FlowKey['srcType'], namespace: string, name: string): string {
  const isMarked = type === 'host' || type === 'networkset' || type === 'unspecified';
  return `${isMarked ? `${type}:` : ''}${shownName(namespace, name)}`;
}

function shownName(namespace: string, name: string): string {
  return (namespaceOf(namespace) === '' ? name : `${namespace}/${name}`).slice(0, shownLength);
}
