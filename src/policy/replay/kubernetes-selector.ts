import { both } from './answer.ts';
import { has, negated, SelectorError, valueIn, type Selector } from './selector.ts';

/** Compiles the `matchLabels` and `matchExpressions` of Kubernetes. @throws SelectorError */
export function labelSelector({
  matchLabels = {},
  matchExpressions = [],
}: {
  matchLabels?: Readonly<Record<string, string>> | undefined;
  matchExpressions?:
    | readonly {
        readonly key: string;
        readonly operator: string;
        readonly values?: readonly string[] | undefined;
      }[]
    | undefined;
}): Selector {
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
        default:
          throw new SelectorError(key, `has the unknown operator ${operator}`);
      }
    }),
  ];
  return (labels) => both(...parts.map((part) => part(labels)));
}
