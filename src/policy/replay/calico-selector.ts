import { both, either } from './answer.ts';
import { selectorTokens, type Token, type TokenKind } from './calico-selector-tokens.ts';
import { has, labelTest, negated, SelectorError, valueIn, type Selector } from './selector.ts';

/** The meaning of all() and global(), which depends on the field that contains the selector. */
export interface SelectorCalls {
  readonly all: Selector;
  readonly global: Selector;
}

const maxDepth = 500;

const everything: SelectorCalls = { all: () => 'yes', global: () => 'yes' };

/**
 * Compiles a selector of Calico's language: all(), global(), has(x), ==, !=, in, not in, contains, starts with, ends
 * with, !, &&, || and parentheses. Source: Calico's reference of selectors and its tokenizer.
 * @throws SelectorError
 */
export function compileSelector(text: string, calls: SelectorCalls = everything): Selector {
  return new Parser(text, calls).parse();
}

class Parser {
  readonly #selector: string;
  readonly #tokens: readonly Token[];
  readonly #calls: SelectorCalls;
  #at = 0;
  #depth = 0;

  constructor(selector: string, calls: SelectorCalls) {
    this.#selector = selector;
    this.#tokens = selectorTokens(selector);
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
    if (this.#take('!')) return negated(this.#nested(() => this.#operation()));
    if (this.#take('(')) {
      const inner = this.#nested(() => this.#or());
      this.#expect(')');
      return inner;
    }
    const label = this.#take('has');
    if (label) return has(label.value);
    if (this.#take('all')) return this.#calls.all;
    if (this.#take('global')) return this.#calls.global;
    return this.#comparison(this.#expect('label').value);
  }

  /** Limits the depth, because the parser and the compiled selector call themselves for each level. */
  #nested(parse: () => Selector): Selector {
    this.#depth += 1;
    if (this.#depth > maxDepth)
      throw new SelectorError(
        `${this.#selector.slice(0, 40)}…`,
        `is nested more deeply than ${maxDepth} levels`,
      );
    const selector = parse();
    this.#depth -= 1;
    return selector;
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
    return labelTest(label, {
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
