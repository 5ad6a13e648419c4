import { z } from 'zod';
import { jobResultSchemas } from './jobs.ts';
import { adopt, certificateReport, health, retire, runs, status, verify } from './operation.ts';
import { allowlistDerive, allowlistList, allowlistShow, drift, forget, replay, staged } from './policies.ts';
import {
  at,
  completeness,
  coverage,
  diff,
  digestPreview,
  edges,
  explain,
  facts,
  matrix,
  peers,
} from './questions.ts';

/**
 * The schemas of the JSON that commands print and MCP tools return, by file name in docs/schemas. `npm run schemas`
 * generates the files. Only code that needs the schemas at run time imports them; commands import only the types.
 */
export const outputSchemas = {
  adopt: { schema: adopt, title: 'adopt --json' },
  'allowlist-derive': { schema: allowlistDerive, title: 'allowlist derive --json' },
  'allowlist-list': { schema: allowlistList, title: 'allowlist list --json' },
  'allowlist-show': { schema: allowlistShow, title: 'allowlist show --json' },
  at: { schema: at, title: 'at --json' },
  certificates: { schema: certificateReport, title: 'certificates --json' },
  completeness: { schema: completeness, title: 'completeness --json' },
  coverage: { schema: coverage, title: 'coverage --json' },
  diff: { schema: diff, title: 'diff --json' },
  'digest-preview': { schema: digestPreview, title: 'digest --dry-run --json' },
  drift: { schema: drift, title: 'drift --json' },
  edges: { schema: edges, title: 'edges --json, export --format json, digest show --json' },
  explain: { schema: explain, title: 'explain --json' },
  facts: {
    schema: facts,
    title: 'edges --json with --port, --identity, --reporter or --external; externals --json',
  },
  forget: { schema: forget, title: 'forget --json' },
  health: { schema: health, title: 'health --json' },
  matrix: { schema: matrix, title: 'matrix --json' },
  peers: { schema: peers, title: 'edges --peers-of --json' },
  replay: { schema: replay, title: 'replay --json' },
  retire: { schema: retire, title: 'retire --json' },
  'run-certificates': { schema: jobResultSchemas.certificates, title: 'run certificates' },
  'run-completeness': { schema: jobResultSchemas.completeness, title: 'run completeness' },
  'run-digest': { schema: jobResultSchemas.digest, title: 'digest, run digest' },
  'run-freshness': { schema: jobResultSchemas.freshness, title: 'run freshness' },
  'run-housekeeping': { schema: jobResultSchemas.housekeeping, title: 'run housekeeping' },
  runs: { schema: runs, title: 'runs --json' },
  staged: { schema: staged, title: 'staged --json' },
  status: { schema: status, title: 'status --json' },
  verify: { schema: verify, title: 'verify --json' },
};

export type OutputName = keyof typeof outputSchemas;

/** The type of a command's JSON output by schema name, with `Date` for times. */
export type CommandOutput<Name extends OutputName> = DeepReadonly<
  z.output<(typeof outputSchemas)[Name]['schema']>
>;

type DeepReadonly<Value> = Value extends Date | null | undefined
  ? Value
  : Value extends object
    ? { readonly [Key in keyof Value]: DeepReadonly<Value[Key]> }
    : Value;

/** The content of docs/schemas/NAME.json. */
export function jsonSchemaOf(name: OutputName): object {
  const { schema, title } = outputSchemas[name];
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `flow-trail ${title}`,
    ...z.toJSONSchema(schema, {
      io: 'input',
      override: ({ jsonSchema }) => {
        // The pattern of a date-time is long and adds nothing to its format.
        if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
        if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      },
    }),
  };
}
