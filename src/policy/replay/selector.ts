import { both, either, known, not, type Answer } from './answer.ts';

/** The value of a label; `undefined`: it is not there; `unknown`: the trail does not keep it. */
export type LabelLookup = (label: string) => { readonly value: string | undefined } | 'unknown';

/** A label selector, compiled. */
export type Selector = (labels: LabelLookup) => Answer;

/** A selector that does not follow Calico's grammar, or a function of it that is not understood. */
export class SelectorError extends Error {
  constructor(selector: string, problem: string) {
    super(`the selector ${JSON.stringify(selector)} ${problem}`);
    this.name = 'SelectorError';
  }
}

/**
 * Compiles a selector of Calico's language: all(), global(), has(x), ==, !=, in, not in, contains, starts with, ends with,
 * !, &&, || and parentheses. Source: Calico's reference of selectors. @throws SelectorError
 */
export function compileSelector(text: string): Selector {
  return new Parser(text).parse();
}

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
          return (labels) => not(valueIn(key, values)(labels));
        case 'Exists':
          return has(key);
        case 'DoesNotExist':
          return (labels) => not(has(key)(labels));
        default:
          throw new SelectorError(key, `has the unknown operator ${operator}`);
      }
    }),
  ];
  return (labels) => both(...parts.map((part) => part(labels)));
}

function valueIn(key: string, values: readonly string[]): Selector {
  return test(key, (value) => values.includes(value));
}

function has(key: string): Selector {
  return test(key, () => true);
}

function test(key: string, fits: (value: string) => boolean): Selector {
  return (labels) => {
    const found = labels(key);
    if (found === 'unknown') return 'unknown';
    return known(found.value !== undefined && fits(found.value));
  };
}

const token = /\s*(?:(&&|\|\||==|!=|!|\(|\)|\{|\}|,)|"([^"]*)"|'([^']*)'|([A-Za-z0-9_./-]+))/y;

interface Token {
  readonly kind: 'sign' | 'text' | 'word';
  readonly text: string;
}

class Parser {
  readonly #selector: string;
  readonly #tokens: Token[] = [];
  #at = 0;

  constructor(selector: string) {
    this.#selector = selector;
    const rest = selector.trimEnd();
    token.lastIndex = 0;
    while (token.lastIndex < rest.length) {
      const from = token.lastIndex;
      const match = token.exec(rest);
      if (!match)
        throw new SelectorError(selector, `cannot be read from ${JSON.stringify(rest.slice(from))} on`);
      const [, sign, double, single, word] = match;
      this.#tokens.push(
        sign !== undefined
          ? { kind: 'sign', text: sign }
          : word !== undefined
            ? { kind: 'word', text: word }
            : { kind: 'text', text: double ?? single ?? '' },
      );
    }
  }

  parse(): Selector {
    if (this.#tokens.length === 0) return () => 'yes';
    const selector = this.#or();
    if (this.#at < this.#tokens.length) this.#fail();
    return selector;
  }

  #or(): Selector {
    const parts = [this.#and()];
    while (this.#take('||')) parts.push(this.#and());
    return (labels) => either(...parts.map((part) => part(labels)));
  }

  #and(): Selector {
    const parts = [this.#operand()];
    while (this.#take('&&')) parts.push(this.#operand());
    return (labels) => both(...parts.map((part) => part(labels)));
  }

  #operand(): Selector {
    if (this.#take('!')) {
      const negated = this.#operand();
      return (labels) => not(negated(labels));
    }
    if (this.#take('(')) {
      const inner = this.#or();
      this.#expect(')');
      return inner;
    }
    const word = this.#next('word');
    if (this.#take('(')) return this.#call(word);
    return this.#comparison(word);
  }

  #call(name: string): Selector {
    if (name === 'all') {
      this.#expect(')');
      return () => 'yes';
    }
    if (name !== 'has')
      throw new SelectorError(this.#selector, `calls ${name}(), which is not understood here`);
    const label = this.#next('word');
    this.#expect(')');
    return has(label);
  }

  #comparison(label: string): Selector {
    if (this.#take('==')) return valueIn(label, [this.#next('text')]);
    if (this.#take('!=')) {
      const equal = valueIn(label, [this.#next('text')]);
      return (labels) => not(equal(labels));
    }
    const operator = this.#next('word');
    switch (operator) {
      case 'in':
        return valueIn(label, this.#set());
      case 'not': {
        if (this.#next('word') !== 'in') this.#fail();
        const inside = valueIn(label, this.#set());
        return (labels) => not(inside(labels));
      }
      case 'contains':
        return this.#textTest(label, (value, text) => value.includes(text));
      case 'starts':
        if (this.#next('word') !== 'with') this.#fail();
        return this.#textTest(label, (value, text) => value.startsWith(text));
      case 'ends':
        if (this.#next('word') !== 'with') this.#fail();
        return this.#textTest(label, (value, text) => value.endsWith(text));
      default:
        return this.#fail();
    }
  }

  #textTest(label: string, fits: (value: string, text: string) => boolean): Selector {
    const text = this.#next('text');
    return test(label, (value) => fits(value, text));
  }

  #set(): string[] {
    this.#expect('{');
    const values: string[] = [];
    while (!this.#take('}')) {
      if (values.length > 0) this.#expect(',');
      values.push(this.#next('text'));
    }
    return values;
  }

  #take(sign: string): boolean {
    const next = this.#tokens[this.#at];
    if (next?.kind !== 'sign' || next.text !== sign) return false;
    this.#at += 1;
    return true;
  }

  #expect(sign: string): void {
    if (!this.#take(sign)) this.#fail();
  }

  #next(kind: Token['kind']): string {
    const next = this.#tokens[this.#at];
    if (next?.kind !== kind) return this.#fail();
    this.#at += 1;
    return next.text;
  }

  #fail(): never {
    const next = this.#tokens[this.#at];
    throw new SelectorError(
      this.#selector,
      next === undefined ? 'ends too early' : `cannot be read at ${JSON.stringify(next.text)}`,
    );
  }
}
