/** The file with every block of stubs uncommented and completed with an address. */
export function uncomment(text: string): string {
  return text
    .split('\n')
    .map((line) => (/^ +# /.test(line) && isOfStub(line) ? line.replace('# ', '') : line))
    .join('\n')
    .replaceAll('FILL-IN', '192.0.2.1/32');
}

/** Whether the line is a stub, its explanation, or the key of a list that is empty without stubs. */
function isOfStub(line: string): boolean {
  return /^ +# +- \{/.test(line) || /^ +# +# /.test(line) || /^ +# (?:egress|ingress):$/.test(line);
}
