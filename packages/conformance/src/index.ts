export type { Declared, RuleFacts } from "./rule.ts";
export { ruleFacts } from "./rules.ts";
export type { RunningTest, ScalerTest, TestRunner } from "./scaler-test.ts";
export type { Hook, TestPlatform, Undo } from "./test-platform.ts";
export { testScaler } from "./test-scaler.ts";
