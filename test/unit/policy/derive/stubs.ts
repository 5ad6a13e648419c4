/** The file as it is once a person has uncommented every block with stubs and filled in an address. */
export function uncomment(text: string): string {
  return text
    .split('\n')
    .map((line) => (/^ +# /.test(line) && isOfStub(line) ? line.replace('# ', '') : line))
    .join('\n')
    .replaceAll('FILL-IN', '192.0.2.1/32');
}

/** A stub, the explanation above it, or the key of a list that is empty without its stubs. */
function isOfStub(line: string): boolean {
  return /^ +# +- \{/.test(line) || /^ +# +# /.test(line) || /^ +# (?:egress|ingress):$/.test(line);
}
