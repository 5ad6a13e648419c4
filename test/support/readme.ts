/** The commands in the `sh` blocks of a Markdown text, without comments. */
function shellLinesIn(markdown: string): string[] {
  return [...markdown.matchAll(/^```sh\n(.*?)^```/gms)]
    .flatMap(([, block = '']) => block.split('\n'))
    .map((line) => line.replace(/ +# .*$/, '').trim())
    .filter((line) => line !== '');
}

/** The arguments of each `npx flow-trail` command in a Markdown text, in code blocks and inline. */
export function flowTrailCommandsIn(markdown: string): string[][] {
  const inText = [...markdown.matchAll(/`npx flow-trail ([^`]+)`/g)].map(([, args = '']) => args);
  const inBlocks = shellLinesIn(markdown).flatMap((line) => /^npx flow-trail (.+)$/.exec(line)?.[1] ?? []);
  return [...inText, ...inBlocks]
    .map((line) => line.match(/"[^"]*"|\S+/g)?.map((word) => word.replaceAll('"', '')) ?? [])
    .filter((args) => args[0] !== '--help');
}
