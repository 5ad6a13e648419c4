import { z } from 'zod';
import { isLabelKey, isNamespaceName } from '../text/kubernetes-names.ts';
import { configFailure } from './config-failure.ts';
import { commaSeparated, text } from './fields.ts';
import { issueProblems } from './issue-problems.ts';

export interface IdentityConfig {
  label: string;
  /** Namespaces in which the label is read; `all` when `*` was given. */
  namespaces: ReadonlySet<string> | 'all';
}

/** The environment variables that say where a label tells services apart. */
export const identityEnvironment = {
  SERVICE_IDENTITY_LABEL: text('service-identity').refine(
    isLabelKey,
    'must be a Kubernetes label key, for example service-identity',
  ),
  SERVICE_IDENTITY_NAMESPACES: z.string().default('monitoring,kube-system,dbaas'),
};

/**
 * Reads only the service identity settings, for commands that need no others.
 * @throws ConfigFailure
 */
export function loadIdentityConfig(env: NodeJS.ProcessEnv): IdentityConfig {
  const parsed = z.object(identityEnvironment).safeParse(env);
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
