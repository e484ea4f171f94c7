import type { Milliseconds, RatePolicy, ScalingRules } from "@dormouse/core";

/*
 * What the HorizontalPodAutoscaler of Kubernetes does with a value per Pod, step by step as its documentation and its
 * controller describe it, keeping every recommendation and every change for ever: slow and plain, to compare with.
 */

interface Moment {
  readonly at: Milliseconds;
  readonly replicas: number;
}

/** One controller over one workload whose Pods are all ready and measured. */
export class ReferenceHpa {
  readonly #min: number;
  readonly #max: number;
  readonly #up: ScalingRules;
  readonly #down: ScalingRules;
  readonly #recommendations: Moment[];
  readonly #ups: Moment[] = [];
  readonly #downs: Moment[] = [];
  replicas: number;

  constructor(options: {
    readonly min: number;
    readonly max: number;
    readonly up: ScalingRules;
    readonly down: ScalingRules;
    readonly replicas: number;
    readonly at: Milliseconds;
  }) {
    this.#min = options.min;
    this.#max = options.max;
    this.#up = options.up;
    this.#down = options.down;
    this.replicas = options.replicas;
    // The controller records the count it finds as the first recommendation.
    this.#recommendations = [{ at: options.at, replicas: options.replicas }];
  }

  /** One sync. @param ratio of the average to the target, in thousandths, so that no fraction is lost */
  sync(thousandths: number, toleranceThousandths: number, now: Milliseconds): number {
    const isWithin = Math.abs(thousandths - 1_000) <= toleranceThousandths;
    const wanted = isWithin ? this.replicas : Math.ceil((thousandths * this.replicas) / 1_000);
    const next = this.#limit(this.#stabilize(wanted, now), now);
    const by = next - this.replicas;
    if (by > 0) this.#ups.push({ at: now, replicas: by });
    if (by < 0) this.#downs.push({ at: now, replicas: -by });
    this.replicas = next;
    return next;
  }

  #stabilize(wanted: number, now: Milliseconds): number {
    const since = (windowMs: Milliseconds): number[] =>
      this.#recommendations.filter(({ at }) => at > now - windowMs).map(({ replicas }) => replicas);
    const least = Math.min(wanted, ...since(this.#up.stabilizationWindow));
    const most = Math.max(wanted, ...since(this.#down.stabilizationWindow));
    this.#recommendations.push({ at: now, replicas: wanted });
    if (this.replicas < least) return least;
    return this.replicas > most ? most : this.replicas;
  }

  #limit(wanted: number, now: Milliseconds): number {
    if (wanted > this.replicas) return Math.min(wanted, this.#max, Math.max(this.replicas, this.#highest(now)));
    if (wanted < this.replicas) return Math.max(wanted, this.#min, Math.min(this.replicas, this.#lowest(now)));
    return wanted;
  }

  #highest(now: Milliseconds): number {
    if (this.#up.selectPolicy === "disabled") return this.replicas;
    const proposed = this.#up.policies.map((rate) => {
      const start = this.#startOf(rate, now);
      return rate.type === "pods" ? start + rate.value : Math.ceil((start * (100 + rate.value)) / 100);
    });
    return this.#up.selectPolicy === "max" ? Math.max(...proposed) : Math.min(...proposed);
  }

  #lowest(now: Milliseconds): number {
    if (this.#down.selectPolicy === "disabled") return this.replicas;
    const proposed = this.#down.policies.map((rate) => {
      const start = this.#startOf(rate, now);
      return rate.type === "pods" ? start - rate.value : Math.trunc((start * (100 - rate.value)) / 100);
    });
    return this.#down.selectPolicy === "max" ? Math.min(...proposed) : Math.max(...proposed);
  }

  #startOf({ period }: RatePolicy, now: Milliseconds): number {
    const within = (changes: readonly Moment[]): number =>
      changes.reduce((sum, { at, replicas }) => (at > now - period ? sum + replicas : sum), 0);
    return this.replicas - within(this.#ups) + within(this.#downs);
  }
}
