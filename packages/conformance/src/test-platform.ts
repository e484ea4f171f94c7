import type { LocalRef, Milliseconds, Target } from "@dormouse/core";

/** Takes back what a hook did. */
export type Undo = () => Promise<void>;

/**
 * What a plugin author prepares for one rule: options, the resources that they manage, and what only the author can do.
 *
 * Each hook is optional. Rules that need one that is missing are left out by name, never passed. A hook resolves once
 * its effect is in place. What a rule did not undo itself is undone before `close`.
 */
export interface TestPlatform {
  /** Options as configuration writes them. */
  readonly options: unknown;
  /** A resource that nobody else scales meanwhile. Rules put it to sleep first and leave it asleep. */
  readonly ref: LocalRef;
  /** A second such resource. */
  readonly other?: LocalRef;
  /** Options that differ from `options` only in that they no longer have `other`. */
  readonly optionsWithoutOther?: unknown;
  /** Frees what was prepared. Called once, after the scaler has been disposed. */
  close(): Promise<void>;

  /** Whether a connection to the target is accepted. Left out: a TCP connection within 1 s. */
  reach?(target: Target): Promise<boolean>;
  /** Changes the resource's specification past the scaler, as a person with another tool would; the count stays. */
  changeElsewhere?(ref: LocalRef): Promise<void>;
  /** Makes starts of the resource fail until undone. */
  breakStart?(ref: LocalRef): Promise<Undo>;
  /** Keeps starts of the resource from becoming ready until undone. */
  holdStart?(ref: LocalRef): Promise<Undo>;
  /** Takes the resource off the platform until undone. */
  remove?(ref: LocalRef): Promise<Undo>;
  /** Ends one running instance past the scaler, as a crash would. */
  endInstance?(target: Target): Promise<void>;
  /** Lets the platform answer nothing until undone; connections stay open. */
  stallPlatform?(): Promise<Undo>;
  /** Makes the platform unreachable until undone. */
  cutPlatform?(): Promise<Undo>;
  /** Where the resource's own traffic goes now, as the platform has it. */
  routedTo?(ref: LocalRef): Promise<"dlx" | "resource">;
}

/** What is optional in a `TestPlatform` and left out at the price of a rule. */
export type Hook =
  | "other"
  | "optionsWithoutOther"
  | "changeElsewhere"
  | "breakStart"
  | "holdStart"
  | "remove"
  | "endInstance"
  | "stallPlatform"
  | "cutPlatform"
  | "routedTo";

/** How long the kit waits for anything that the harness gives no limit for, beyond the scaler's `settleWithinMs`. */
export const defaultWithinMs: Milliseconds = 30_000;

/** How long a call may take to end once its signal has aborted where the harness gives no limit: it only has to stop waiting. */
export const defaultPromptlyMs: Milliseconds = 2_000;
