import { z } from 'zod';
import { compileSelector } from '../calico-selector.ts';
import { selectorTokens } from '../calico-selector-tokens.ts';
import { SelectorError } from '../selector.ts';

/** The call that only a rule's namespaceSelector may use, and only alone. */
const globalCall = 'global()';

/** A selector of Calico's language, without global(). */
export function selectorText() {
  return z.string().superRefine((text, context) => {
    const message =
      problemOf(text) ??
      (text.includes(globalCall)
        ? 'contains global(), which is allowed only as the whole namespaceSelector of a rule; remove it'
        : undefined);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

/** The notSelector of a rule. */
export function notSelectorText() {
  return z.string().superRefine((text, context) => {
    const message = problemOf(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

/** The namespaceSelector of a rule. */
export function namespaceSelectorText() {
  return z.string().superRefine((text, context) => {
    const message =
      problemOf(text) ??
      (isMixed(text) ? 'combines global() with another selector; use global() alone' : undefined);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

function problemOf(text: string): string | undefined {
  try {
    compileSelector(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    return `${error.problem}; for example app == 'web' && has(tier)`;
  }
}

function isMixed(text: string): boolean {
  const tokens = selectorTokens(text);
  return tokens.length > 1 && tokens.some(({ kind }) => kind === 'global');
}
