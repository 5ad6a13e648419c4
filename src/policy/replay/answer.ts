/**
 * Three-valued: the trail knows namespaces, service identities and kinds of ends, not every label and address. What it
 * does not know is `unknown`, and never guessed.
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
