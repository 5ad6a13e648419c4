import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { projectFolder } from './tools.ts';

export const rulesFile = join(projectFolder, 'deploy', 'prometheus-rules.yaml');

const rule = z.object({
  alert: z.string(),
  expr: z.string(),
  labels: z.object({ severity: z.string() }),
  annotations: z.strictObject({ summary: z.string(), description: z.string(), runbook_url: z.string() }),
});
const file = z.object({ groups: z.array(z.object({ rules: z.array(rule) })) });
export type Rule = z.infer<typeof rule>;

export async function readRules(): Promise<Rule[]> {
  return file.parse(parse(await readFile(rulesFile, 'utf8'))).groups.flatMap(({ rules }) => rules);
}

const target = z.object({
  refId: z.string(),
  datasource: z.object({
    type: z.enum(['prometheus', 'postgres', 'grafana-postgresql-datasource']),
    uid: z.string(),
  }),
  expr: z.string().optional(),
  rawSql: z.string().optional(),
});
const panel = z.object({
  title: z.string(),
  type: z.string(),
  gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
  targets: z.array(target).default([]),
});
const variable = z.object({ name: z.string(), type: z.string(), query: z.unknown() });
const dashboard = z.object({
  panels: z.array(panel),
  templating: z.object({ list: z.array(variable) }),
});
type Dashboard = z.infer<typeof dashboard>;

export async function readDashboard(): Promise<Dashboard> {
  const path = join(projectFolder, 'deploy', 'grafana-dashboard.json');
  return dashboard.parse(JSON.parse(await readFile(path, 'utf8')));
}

/** The dashboard's PromQL expressions, with example values for Grafana's variables. */
export function promqlOf({ panels }: Dashboard): { title: string; expr: string }[] {
  return panels.flatMap(({ title, targets }) =>
    targets.flatMap(({ expr }) =>
      expr === undefined
        ? []
        : [
            {
              title,
              expr: expr
                .replaceAll('$__rate_interval', '5m')
                .replaceAll('$__range', '1h')
                .replaceAll('$cluster', '.*'),
            },
          ],
    ),
  );
}

/** The metrics in an expression. */
export function metricsOf(expr: string): string[] {
  return [...expr.matchAll(/\b(?:flow_trail|temporal|kube)_[a-z0-9_]+\b/g)].map(([name]) => name);
}
