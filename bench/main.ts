import { writeFile } from 'node:fs/promises';
import { Lab, type Environment } from './lab.ts';
import { compileBench } from './compile.ts';
import { formatTable, verdictOf, type Row } from './table.ts';
import { allowlistSection } from './allowlist.ts';
import { commandsSection } from './commands.ts';
import { burstSection } from './burst.ts';
import { daySection } from './day.ts';
import { databaseSection } from './database.ts';
import { everythingSection } from './everything.ts';
import { exportSection } from './export.ts';
import { growthSection } from './growth.ts';
import { memorySection } from './memory.ts';
import { identitiesSection, scanSection } from './scan.ts';
import { settlingSection } from './settling.ts';
import { realStreamSection, streamSection } from './stream.ts';
import { yearsSection } from './years.ts';

const sections = {
  stream: streamSection,
  burst: burstSection,
  settling: settlingSection,
  database: databaseSection,
  memory: memorySection,
  scan: scanSection,
  identities: identitiesSection,
  day: daySection,
  allowlist: allowlistSection,
  growth: growthSection,
  everything: everythingSection,
  export: exportSection,
  years: yearsSection,
  commands: commandsSection,
} as const;

const realSections = { stream: realStreamSection } as const;
const args = process.argv.slice(2);
const isJson = args.includes('--json');
const outFile = args.find((arg) => arg.startsWith('--out='))?.slice('--out='.length);
const names = args.filter((arg) => !arg.startsWith('--'));
const print = (line: string) => process.stderr.write(`${line}\n`);
const unknown = names.filter((name) => !(name in sections));
if (unknown.length > 0) {
  print(`unknown section ${unknown.join(', ')}; use ${Object.keys(sections).join(', ')}`);
  process.exit(2);
}
const wanted = Object.entries(sections).filter(([name]) => names.length === 0 || names.includes(name));

const lab = await Lab.open(await compileBench());
const rows: Row[] = [];
try {
  for (const [name, section] of wanted) {
    rows.push(...(await section(lab, print)));
    if (process.env['GOLDMANE_HOST'] && name in realSections)
      rows.push(...(await realSections.stream(lab, realEnv(), print)));
  }
} finally {
  await lab.close();
  // Also after a failure: the sections before it took minutes.
  await printRows();
}

async function printRows(): Promise<void> {
  const json = JSON.stringify(
    rows.map((row) => ({ ...row, verdict: verdictOf(row) })),
    null,
    2,
  );
  if (outFile !== undefined) await writeFile(outFile, json);
  process.stdout.write(isJson ? json : formatTable(rows) + '\n');
}

/** Settings of a real server to measure as well, if set. */
function realEnv(): Environment {
  return Object.fromEntries(
    ['GOLDMANE_HOST', 'GOLDMANE_SERVER_NAME', 'TLS_CERT_PATH', 'TLS_KEY_PATH', 'CA_CERT_PATH'].flatMap(
      (name) => (process.env[name] ? [[name, process.env[name]]] : []),
    ),
  );
}
