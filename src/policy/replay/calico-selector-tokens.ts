import { SelectorError } from './selector.ts';

export type TokenKind =
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

export interface Token {
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

/** Tokenizes a selector as Calico does. @throws SelectorError */
export function selectorTokens(selector: string): Token[] {
  return new Tokenizer(selector).tokens();
}

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
