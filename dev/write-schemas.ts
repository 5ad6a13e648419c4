import { writeFile } from 'node:fs/promises';
import { outputSchemas, jsonSchemaOf, type OutputName } from '../src/cli/schemas/index.ts';

/** Writes docs/schemas from src/cli/schemas: `npm run schemas`. */
for (const name of Object.keys(outputSchemas).filter(isOutputName))
  await writeFile(
    new URL(`../docs/schemas/${name}.json`, import.meta.url),
    `${JSON.stringify(jsonSchemaOf(name), null, 2)}\n`,
  );

function isOutputName(name: string): name is OutputName {
  return name in outputSchemas;
}
