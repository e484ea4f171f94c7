import type { Clock, Milliseconds, ScalerPlugin } from "@dormouse/core";
import type { Scorecard } from "./scorecard.ts";
import type { TestPlatform } from "./test-platform.ts";

/** Data that goes with a note. */
export interface NoteAttachment {
  readonly contentType: string;
  /** In base64. */
  readonly body: string;
}

/** What the kit uses of the test that a runner hands to a running body. */
export interface RunningTest {
  /** Ends or marks the test as skipped, with a reason. */
  skip(reason: string): void;
  /** vitest: attaches a note to the test, which reporters get. `body` is base64. */
  annotate?(message: string, type: string, attachment: NoteAttachment): unknown;
}

/** `describe` and `it` of vitest or of node:test. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (
    name: string,
    options: { readonly timeout: number },
    body: (test: RunningTest) => Promise<void>,
  ) => unknown;
}

/** What a plugin author gives to the kit. */
export interface ScalerTest extends TestRunner {
  /** As the package exports it. */
  readonly plugin: ScalerPlugin;
  /** Prepares the platform for one rule. Called once before each; where preparing is slow, give out one platform again and again. */
  open(): Promise<TestPlatform>;
  /** How long to wait for a start, a stop or any other thing that the platform does, in ms. Left out: 30 s and the scaler's `settleWithinMs`. */
  readonly within?: Milliseconds;
  /**
   * How long a call or a watch may take to end once its signal has aborted, in ms. It only has to stop waiting; more is
   * for machines that are busy with the platform. Left out: 2 s.
   */
  readonly promptly?: Milliseconds;
  /** Time that rules wait in and that plugins get. Left out: the machine's. */
  readonly clock?: Clock;
  /**
   * Gets the scorecard once the rules have run: to write it to a file, or to demand more than that no rule fails. What it
   * throws fails the test "scorecard". Left out: the scorecard is printed.
   */
  readonly onScorecard?: (card: Scorecard) => void | Promise<void>;
}
