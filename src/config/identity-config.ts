import { z } from 'zod';
import { isLabelKey, isNamespaceName } from '../text/kubernetes-names.ts';
import { configFailure } from './config-failure.ts';
import { commaSeparated, text, wholeNumber } from './fields.ts';
import { issueProblems } from './issue-problems.ts';

export interface IdentityConfig {
  label: string;
  /** Namespaces in which the label is read; `all` when `*` was given. */
  namespaces: ReadonlySet<string> | 'all';
}

const labelEnvironment = {
  SERVICE_IDENTITY_LABEL: text('service-identity').refine(
    isLabelKey,
    'must be a Kubernetes label key, for example service-identity',
  ),
  SERVICE_IDENTITY_NAMESPACES: z.string().default('monitoring,kube-system,dbaas'),
};

/** The environment variables that define which label identifies services, where, and how many identities are stored. */
export const identityEnvironment = {
  ...labelEnvironment,
  IDENTITY_CAP: wholeNumber(1, 65_536).default(256),
};

/**
 * Reads only the settings of the label, for commands that need no others.
 * @throws ConfigFailure
 */
export function loadIdentityConfig(env: NodeJS.ProcessEnv): IdentityConfig {
  const parsed = z.object(labelEnvironment).safeParse(env);
  if (!parsed.success) throw configFailure(issueProblems(parsed.error));
  const { SERVICE_IDENTITY_LABEL: label, SERVICE_IDENTITY_NAMESPACES: list } = parsed.data;
  const namespaces = commaSeparated(list);
  return { label, namespaces: namespaces.includes('*') ? 'all' : new Set(namespaces) };
}

/** What is wrong with the names in SERVICE_IDENTITY_NAMESPACES. */
export function identityProblems(env: NodeJS.ProcessEnv): string[] {
  return commaSeparated(env['SERVICE_IDENTITY_NAMESPACES'] ?? '')
    .filter((name) => name !== '*' && !isNamespaceName(name))
    .map(
      (name) =>
        `SERVICE_IDENTITY_NAMESPACES contains "${name}", which is not a valid namespace name; set a comma-separated list, or *`,
    );
}
