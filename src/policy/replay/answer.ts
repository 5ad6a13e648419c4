/**
 * Three-valued logic: namespaces, service identities and kinds of ends are stored, but not every label and address.
 * Anything not stored is `unknown`, never guessed.
 */
export type Answer = 'yes' | 'no' | 'unknown';

export function both(...answers: readonly Answer[]): Answer {
  if (answers.includes('no')) return 'no';
  return answers.includes('unknown') ? 'unknown' : 'yes';
}

/**
 * `both` of tests in order. Tests after the first `no` are not evaluated: in policies with thousands of rules, almost
 * every rule fails its first tests.
 */
export function every<Input>(tests: readonly ((input: Input) => Answer)[], input: Input): Answer {
  let answer: Answer = 'yes';
  for (const test of tests) {
    const found = test(input);
    if (found === 'no') return 'no';
    if (found === 'unknown') answer = 'unknown';
  }
  return answer;
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
