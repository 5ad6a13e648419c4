/** Temporal could not be reached or refused us; the message names cause and cure, and no secret. */
export class TemporalFailure extends Error {
  readonly cure: string;

  constructor(what: string, cure: string) {
    super(`${what}; ${cure}`);
    this.name = 'TemporalFailure';
    this.cure = cure;
  }
}
