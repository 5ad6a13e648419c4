import { writeFile } from 'node:fs/promises';
import { answerSchemas, jsonSchemaOf, type AnswerName } from '../src/cli/schemas/index.ts';

/** Writes docs/schemas from src/cli/schemas: `npm run schemas`. */
for (const name of Object.keys(answerSchemas).filter(isAnswerName))
  await writeFile(
    new URL(`../docs/schemas/${name}.json`, import.meta.url),
    `${JSON.stringify(jsonSchemaOf(name), null, 2)}\n`,
  );

function isAnswerName(name: string): name is AnswerName {
  return name in answerSchemas;
}
