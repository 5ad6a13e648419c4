const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/**
 * What is wrong with a secret that was not copied exactly; undefined if nothing is. Never contains the value.
 * @param isValid whether a text without quotes and encoding has the expected form
 */
export function copyProblem(value: string, isValid: (text: string) => boolean): string | undefined {
  const unquoted = /^(["'`“‘]).*(["'`”’])$/s.test(value) ? value.slice(1, -1).trim() : undefined;
  if (unquoted !== undefined && isValid(unquoted)) return 'is enclosed in quotes; remove them';
  const decoded = /^[A-Za-z0-9+/\s]+={0,2}$/.test(value)
    ? Buffer.from(value, 'base64').toString().trim()
    : '';
  if (isValid(decoded))
    return 'is encoded as base64; set the plain text (in a Kubernetes Secret, `stringData` takes plain text and `data` base64)';
  return invisible.test(value)
    ? 'contains a line break or another invisible character; remove it'
    : undefined;
}
