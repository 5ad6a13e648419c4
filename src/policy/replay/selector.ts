import { both, either, known, not, type Answer } from './answer.ts';

/**
 * The value of a label (`undefined` if absent) or, if the value is not stored, the answer to the test itself.
 */
export type LabelLookup = (label: string, test: LabelTest) => { readonly value: string | undefined } | Answer;

/** A test of a label's value. An absent label fails every test. */
export interface LabelTest {
  /** Equal texts are equal tests. */
  readonly text: string;
  readonly holds: (value: string) => boolean;
  /** The only values that pass, if they can be listed. */
  readonly values?: readonly string[];
}

/** A label selector, compiled. */
export type Selector = (labels: LabelLookup) => Answer;

/** A selector that violates Calico's grammar or uses an unknown function. */
export class SelectorError extends Error {
  constructor(selector: string, problem: string) {
    super(`the selector ${JSON.stringify(selector)} ${problem}`);
    this.name = 'SelectorError';
  }
}

/** The meaning of all() and global(), which depends on the field that contains the selector. */
export interface SelectorCalls {
  readonly all: Selector;
  readonly global: Selector;
}

const everything: SelectorCalls = { all: () => 'yes', global: () => 'yes' };

/**
 * Compiles a selector of Calico's language: all(), global(), has(x), ==, !=, in, not in, contains, starts with, ends
 * with, !, &&, || and parentheses. Source: Calico's reference of selectors and its tokenizer.
 * @throws SelectorError
 */
export function compileSelector(text: string, calls: SelectorCalls = everything): Selector {
  return new Parser(text, calls).parse();
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
  return test(key, {
    text: `in ${JSON.stringify(values.toSorted())}`,
    holds: (value) => values.includes(value),
    values,
  });
}

function has(key: string): Selector {
  return test(key, { text: 'is there', holds: () => true });
}

function test(key: string, asked: LabelTest): Selector {
  return (labels) => {
    const found = labels(key, asked);
    if (typeof found === 'string') return found;
    return known(found.value !== undefined && asked.holds(found.value));
  };
}

type TokenKind =
  | 'label'
  | 'text'
  | 'operator'
  | 'has'
  | 'all'
  | 'global'
  | '('
  | ')'
  | '{'
  | '}'
  | ','
  | '!'
  | '&&'
  | '||';

interface Token {
  readonly kind: TokenKind;
  /** The label, the text or the operator; of `has`, its label. */
  readonly value: string;
}

/** Labels of a selector are limited in length by Calico's tokenizer. */
const maxLabelLength = 512;
const identifier = /[A-Za-z0-9_./-]*/y;
const identifierCharacter = /^[A-Za-z0-9_./-]/;
/** Only these two characters separate tokens: a line break or a no-break space makes a selector invalid. */
const blanks = /[ \t]*/y;
/** `==` and `!=` are operators anywhere; the others are operators only after a label, and labels elsewhere. */
const wordOperators = [
  ['contains'],
  ['starts', 'with'],
  ['ends', 'with'],
  ['not', 'in'],
  ['in'],
] as const satisfies readonly (readonly string[])[];

/** Tokenizes a selector as Calico does. */
class Tokenizer {
  readonly #selector: string;
  #at = 0;

  constructor(selector: string) {
    this.#selector = selector;
  }

  tokens(): Token[] {
    const found: Token[] = [];
    for (;;) {
      this.#take(blanks);
      if (this.#at >= this.#selector.length) return found;
      found.push(this.#next(found.at(-1)?.kind === 'label'));
    }
  }

  #next(afterLabel: boolean): Token {
    const first = this.#selector.charAt(this.#at);
    switch (first) {
      case '(':
      case ')':
      case '{':
      case '}':
      case ',':
        this.#at += 1;
        return { kind: first, value: first };
      case '"':
      case "'":
        return this.#text(first);
      case '=':
        return this.#sign('==', 'operator');
      case '!':
        if (this.#selector.startsWith('!=', this.#at)) return this.#sign('!=', 'operator');
        return this.#sign('!', '!');
      case '&':
        return this.#sign('&&', '&&');
      case '|':
        return this.#sign('||', '||');
      default:
        return afterLabel ? this.#operator() : (this.#call() ?? { kind: 'label', value: this.#label() });
    }
  }

  #sign(sign: string, kind: TokenKind): Token {
    if (!this.#selector.startsWith(sign, this.#at)) this.#fail(`has no ${sign}`);
    this.#at += sign.length;
    return { kind, value: sign };
  }

  #text(quote: string): Token {
    const end = this.#selector.indexOf(quote, this.#at + 1);
    if (end < 0) this.#fail('has an unterminated string');
    const value = this.#selector.slice(this.#at + 1, end);
    this.#at = end + 1;
    return { kind: 'text', value };
  }

  /** `startswith`, `starts with`, `notin` and `not in` are the same; the next character must not continue the word. */
  #operator(): Token {
    const start = this.#at;
    for (const words of wordOperators) {
      this.#at = start;
      const isThere = words.every((word) => {
        if (!this.#selector.startsWith(word, this.#at)) return false;
        this.#at += word.length;
        if (words.length > 1) this.#take(blanks);
        return true;
      });
      if (isThere && !identifierCharacter.test(this.#selector.slice(this.#at)))
        return { kind: 'operator', value: words.join(' ') };
    }
    this.#at = start;
    return this.#fail('has no operator');
  }

  /** `has(`, `all(` and `global(` without a space before the parenthesis; undefined for anything else. */
  #call(): Token | undefined {
    for (const kind of ['has', 'all', 'global'] as const) {
      if (!this.#selector.startsWith(`${kind}(`, this.#at)) continue;
      this.#at += kind.length + 1;
      this.#take(blanks);
      const value = kind === 'has' ? this.#label() : '';
      this.#take(blanks);
      if (this.#selector.charAt(this.#at) !== ')') this.#fail(`has no ) after ${kind}(`);
      this.#at += 1;
      return { kind, value };
    }
    return undefined;
  }

  #label(): string {
    const label = this.#take(identifier);
    if (label === '') this.#fail('has neither a label nor an operator');
    if (label.length > maxLabelLength)
      throw new SelectorError(
        `${this.#selector.slice(0, 40)}…`,
        `has a label of ${label.length} characters; Calico allows ${maxLabelLength}`,
      );
    return label;
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const [found = ''] = pattern.exec(this.#selector) ?? [];
    this.#at += found.length;
    return found;
  }

  #fail(problem: string): never {
    throw new SelectorError(
      this.#selector,
      `${problem} at ${JSON.stringify(this.#selector.slice(this.#at, this.#at + 20))}`,
    );
  }
}

class Parser {
  readonly #selector: string;
  readonly #tokens: readonly Token[];
  readonly #calls: SelectorCalls;
  #at = 0;

  constructor(selector: string, calls: SelectorCalls) {
    this.#selector = selector;
    this.#tokens = new Tokenizer(selector).tokens();
    this.#calls = calls;
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
    const parts = [this.#operation()];
    while (this.#take('&&')) parts.push(this.#operation());
    return (labels) => both(...parts.map((part) => part(labels)));
  }

  #operation(): Selector {
    if (this.#take('!')) {
      const negated = this.#operation();
      return (labels) => not(negated(labels));
    }
    if (this.#take('(')) {
      const inner = this.#or();
      this.#expect(')');
      return inner;
    }
    const label = this.#take('has');
    if (label) return has(label.value);
    if (this.#take('all')) return this.#calls.all;
    if (this.#take('global')) return this.#calls.global;
    return this.#comparison(this.#expect('label').value);
  }

  #comparison(label: string): Selector {
    const { value: operator } = this.#expect('operator');
    switch (operator) {
      case '==':
        return valueIn(label, [this.#text()]);
      case '!=':
        return negated(valueIn(label, [this.#text()]));
      case 'in':
        return valueIn(label, this.#set());
      case 'not in':
        return negated(valueIn(label, this.#set()));
      case 'contains':
        return this.#textTest(label, operator, (value, text) => value.includes(text));
      case 'starts with':
        return this.#textTest(label, operator, (value, text) => value.startsWith(text));
      default:
        return this.#textTest(label, operator, (value, text) => value.endsWith(text));
    }
  }

  #textTest(label: string, operator: string, fits: (value: string, text: string) => boolean): Selector {
    const text = this.#text();
    return test(label, {
      text: `${operator} ${JSON.stringify(text)}`,
      holds: (value) => fits(value, text),
    });
  }

  #text(): string {
    return this.#expect('text').value;
  }

  /** A comma may follow the last value. */
  #set(): string[] {
    this.#expect('{');
    const values: string[] = [];
    for (let value = this.#take('text'); value; value = this.#take('text')) {
      values.push(value.value);
      if (!this.#take(',')) break;
    }
    this.#expect('}');
    return values;
  }

  #take(kind: TokenKind): Token | undefined {
    const next = this.#tokens[this.#at];
    if (next?.kind !== kind) return undefined;
    this.#at += 1;
    return next;
  }

  #expect(kind: TokenKind): Token {
    return this.#take(kind) ?? this.#fail();
  }

  #fail(): never {
    const next = this.#tokens[this.#at];
    throw new SelectorError(
      this.#selector,
      next === undefined ? 'ends unexpectedly' : `has a syntax error at ${JSON.stringify(next.value)}`,
    );
  }
}

function negated(selector: Selector): Selector {
  return (labels) => not(selector(labels));
}
