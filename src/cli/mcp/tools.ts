import { policyTools } from './policy-tools.ts';
import { questionTools } from './question-tools.ts';
import { operationTools } from './operation-tools.ts';
import type { Tool } from './tool.ts';

/** All tools; each is read-only. */
export const tools: readonly Tool[] = [...questionTools, ...policyTools, ...operationTools];
