import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createProgram } from '../../../src/cli/program.ts';
import { outputSchemas, jsonSchemaOf, type OutputName } from '../../../src/cli/schemas/index.ts';

const names = Object.keys(outputSchemas).filter((name): name is OutputName => name in outputSchemas);
const folder = new URL('../../../docs/schemas/', import.meta.url);

test('docs/schemas contains the program’s schemas; `npm run schemas` writes them', () => {
  expect(readdirSync(folder).toSorted()).toEqual(names.map((name) => `${name}.json`).toSorted());
  for (const name of names)
    expect(JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(jsonSchemaOf(name))),
    );
});

test('every command with --json names its schema, and docs/commands.md lists it', async () => {
  const program = await createProgram(() => true);
  const titles = names.map((name) => outputSchemas[name].title).join(', ');
  const documentation = readFileSync(new URL('../commands.md', folder), 'utf8');
  const withJson = program.commands.flatMap((command) => [
    ...(hasJson(command) ? [command.name()] : []),
    ...command.commands.filter(hasJson).map((each) => `${command.name()} ${each.name()}`),
  ]);
  expect(withJson.length).toBeGreaterThan(15);
  for (const command of withJson) {
    expect(titles).toMatch(new RegExp(`(^|[ ,])${command}( --\\S+)* --json`));
    expect(documentation).toContain(`\`${command} `);
  }
  for (const name of names) expect(documentation).toContain(`(schemas/${name}.json)`);
});

function hasJson({ options }: { options: readonly { long?: string | null }[] }): boolean {
  return options.some(({ long }) => long === '--json');
}
