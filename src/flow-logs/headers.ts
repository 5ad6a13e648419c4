/** Header names allowed by RFC 9110; values without control characters, as required by Node. */
const name = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const badValue = /[^\t\u0020-\u007e\u0080-\u00ff]/;
/** Set by the request itself. */
const reserved = new Set([
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'transfer-encoding',
  'connection',
]);

/** The headers, or a problem; never contains a value, because values are secret. */
export type HeadersReading = { headers: Record<string, string> } | { problem: string };

/** A file of lines `Name: value`; empty lines and those that begin with `#` are skipped. */
export function parseHeadersFile(text: string): HeadersReading {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  return toHeaders(
    lines.flatMap((line, index): Pair[] => {
      if (line === '' || line.startsWith('#')) return [];
      const at = line.indexOf(':');
      return [[`line ${index + 1}`, line.slice(0, Math.max(0, at)).trim(), line.slice(at + 1).trim()]];
    }),
  );
}

/** The form of OTEL_EXPORTER_OTLP_LOGS_HEADERS: `name=value,name=value`, percent-encoded. */
export function parseHeadersVariable(text: string): HeadersReading {
  return toHeaders(
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map((part, index): Pair => {
        const at = part.indexOf('=');
        const value = decoded(part.slice(at + 1).trim());
        return [`header ${index + 1}`, decoded(part.slice(0, Math.max(0, at)).trim()) ?? '', value ?? '\0'];
      }),
  );
}

type Pair = [where: string, name: string, value: string];

function toHeaders(pairs: readonly Pair[]): HeadersReading {
  const headers: Record<string, string> = {};
  for (const [where, key, value] of pairs) {
    if (!name.test(key)) return { problem: `${where} does not begin with a header name` };
    if (reserved.has(key.toLowerCase()))
      return { problem: `${where} sets ${key}, which the exporter sets itself` };
    if (badValue.test(value)) return { problem: `${where} has a value that is not allowed in a header` };
    headers[key.toLowerCase()] = value;
  }
  return { headers };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
