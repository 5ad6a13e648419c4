import { both } from './answer.ts';
import { has, negated, valueIn, type Selector } from './selector.ts';

interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
  readonly matchExpressions?:
    | readonly {
        readonly key: string;
        readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
        readonly values?: readonly string[] | undefined;
      }[]
    | undefined;
}

/** Compiles the `matchLabels` and `matchExpressions` of Kubernetes. */
export function labelSelector({ matchLabels = {}, matchExpressions = [] }: LabelSelector): Selector {
  const parts = [
    ...Object.entries(matchLabels).map(([key, value]) => valueIn(key, [value])),
    ...matchExpressions.map(({ key, operator, values = [] }): Selector => {
      switch (operator) {
        case 'In':
          return valueIn(key, values);
        case 'NotIn':
          return negated(valueIn(key, values));
        case 'Exists':
          return has(key);
        case 'DoesNotExist':
          return negated(has(key));
      }
    }),
  ];
  return (labels) => both(...parts.map((part) => part(labels)));
}

/** `app=web and tier In a,b`. */
export function selectorText({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const parts = [
    ...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`),
    ...matchExpressions.map(({ key, operator, values = [] }) =>
      `${key} ${operator} ${values.join(',')}`.trimEnd(),
    ),
  ];
  return parts.length === 0 ? '(all)' : parts.join(' and ');
}
