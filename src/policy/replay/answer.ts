/**
 * Three-valued logic: namespaces, service identities and kinds of ends are stored, but not every label and address.
 * Anything not stored is `unknown`, never guessed.
 */
export type Answer = 'yes' | 'no' | 'unknown';

export function both(...answers: readonly Answer[]): Answer {
  if (answers.includes('no')) return 'no';
  return answers.includes('unknown') ? 'unknown' : 'yes';
}

export function either(...answers: readonly Answer[]): Answer {
  if (answers.includes('yes')) return 'yes';
  return answers.includes('unknown') ? 'unknown' : 'no';
}

export function not(answer: Answer): Answer {
  if (answer === 'unknown') return 'unknown';
  return answer === 'yes' ? 'no' : 'yes';
}

export function known(value: boolean): Answer {
  return value ? 'yes' : 'no';
}
