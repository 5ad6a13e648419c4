import type { MetricMeter, MetricTags } from '@temporalio/common';

/** Creates the trail's own metrics with the SDK's meter. Their names begin with `flow_trail_`. */
export class TrailMeter {
  readonly #meter: MetricMeter;

  constructor(meter: MetricMeter) {
    this.#meter = meter;
  }

  counter(name: string, description: string) {
    return this.#meter.createCounter(`flow_trail_${name}`, '', description);
  }

  /** Negative values become 0: the SDK throws on them, so a changed clock or an expired certificate would end a job. */
  gauge(name: string, description: string, unit = '') {
    const gauge = this.#meter.createGauge(`flow_trail_${name}`, 'float', unit, description);
    return { set: (value: number, tags?: MetricTags) => gauge.set(value < 0 ? 0 : value, tags) };
  }

  histogram(name: string, description: string) {
    return this.#meter.createHistogram(`flow_trail_${name}`, 'float', '', description);
  }
}
